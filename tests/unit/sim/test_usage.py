from __future__ import annotations

from typing import Any

import pytest

from interlock.sim.errors import ApiError
from interlock.sim.prompt import build_prompt
from interlock.sim.usage import PromptCache, PromptUsage
from interlock.sim.validation import validate_request

MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
LONG = "word " * 500
"""625 tokens."""


def text(value: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def usage(cache: PromptCache, *messages: Any, **fields: Any) -> PromptUsage:
    body = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "messages": list(messages) or [{"role": "user", "content": "Hello"}],
        **fields,
    }
    request = validate_request(body, any_model=False)
    return cache.account(request, build_prompt(request))


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def total(found: PromptUsage) -> int:
    return found.fresh + found.write_5m + found.write_1h + found.read


def test_without_cache_control_nothing_is_cached() -> None:
    cache = PromptCache()

    first, second = usage(cache, system=LONG), usage(cache, system=LONG)

    assert first == second
    assert (first.write_5m, first.write_1h, first.read) == (0, 0, 0)
    assert first.fresh > 600


def test_tokens_are_a_quarter_of_the_bytes() -> None:
    plain = usage(PromptCache(), user(text("a" * 400))).fresh

    assert usage(PromptCache(), user(text("a" * 800))).fresh == plain + 100
    # Two bytes each in UTF-8.
    assert usage(PromptCache(), user(text("ä" * 400))).fresh == plain + 100


def test_a_marked_prefix_is_written_once_and_then_read() -> None:
    cache = PromptCache()

    first = usage(cache, user(text("one")), system=[text(LONG, **MARK)])
    second = usage(cache, user(text("two, and longer")), system=[text(LONG, **MARK)])

    assert first.write_5m > 600
    assert (first.read, first.write_1h) == (0, 0)
    assert (second.read, second.write_5m) == (first.write_5m, 0)
    assert second.fresh > 0


def test_a_prefix_below_the_minimum_is_not_cached() -> None:
    cache = PromptCache()
    short = [text("word " * 50, **MARK)]

    usage(cache, system=short)

    assert usage(cache, system=short).read == 0
    assert usage(cache, system=short).write_5m == 0


def test_the_minimum_depends_on_the_model() -> None:
    found = usage(PromptCache(), system=[text(LONG, **MARK)], model="claude-haiku-4-5")

    assert (found.write_5m, found.read) == (0, 0)


def test_any_change_before_the_mark_is_a_miss() -> None:
    cache = PromptCache()
    tool = {"name": "t", "input_schema": {"type": "object"}}
    system = [text(LONG, **MARK)]
    usage(cache, system=system, tools=[tool])

    assert usage(cache, system=system, tools=[tool]).read > 0
    assert usage(cache, system=system).read == 0
    assert usage(cache, system=system, tools=[{**tool, "description": "x"}]).read == 0
    assert usage(cache, system=system, tools=[tool], model="claude-opus-5-5").read == 0
    assert usage(cache, system=[text(LONG + "x", **MARK)], tools=[tool]).read == 0


def test_the_automatic_mark_moves_along_with_the_conversation() -> None:
    cache = PromptCache()
    turns = [user(text(LONG))]
    first = usage(cache, *turns, **MARK)
    turns += [assistant(text("Yes.")), user(text("And then? " * 20))]
    second = usage(cache, *turns, **MARK)

    assert first.write_5m == total(first)
    assert second.read == first.write_5m
    assert second.write_5m == total(second) - second.read
    assert second.fresh == 0


def test_a_string_and_one_text_block_are_the_same_prefix() -> None:
    cache = PromptCache()
    usage(cache, {"role": "user", "content": LONG}, **MARK)

    assert usage(cache, user(text(LONG)), **MARK).read > 600


def test_writes_are_split_by_their_time_to_live() -> None:
    cache = PromptCache()

    found = usage(cache, user(text(LONG, **MARK)), system=[text(LONG, **HOUR)])

    assert found.write_1h > 600
    assert found.write_5m > 600
    assert total(found) == usage(PromptCache(), user(text(LONG)), system=LONG).fresh


def test_a_mark_inside_a_tool_result_counts() -> None:
    tools = [{"name": "t", "input_schema": {"type": "object"}}]
    call = {"type": "tool_use", "id": "a", "name": "t", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [text(LONG, **MARK)]}
    messages = [user(text("a")), assistant(call), user(result)]
    cache = PromptCache()

    assert usage(cache, *messages, tools=tools).write_5m > 600
    assert usage(cache, *messages, tools=tools).read > 600


def test_an_entry_far_behind_the_mark_is_not_found() -> None:
    cache = PromptCache()
    usage(cache, user(text(LONG)), **MARK)
    later = [text(f"line {number}") for number in range(30)]

    assert usage(cache, user(text(LONG), *later), **MARK).read == 0


def test_the_longest_unused_prefix_is_forgotten_first() -> None:
    cache = PromptCache(capacity=2)

    def ask(name: str) -> int:
        return usage(cache, system=[text(f"{name} {LONG}", **MARK)]).read

    assert (ask("a"), ask("b")) == (0, 0)
    assert ask("a") > 0
    assert ask("c") == 0
    assert ask("a") > 0
    assert ask("b") == 0


def test_more_than_four_marks_are_refused() -> None:
    blocks = [text(str(number), **MARK) for number in range(4)]
    usage(PromptCache(), user(*blocks))

    with pytest.raises(ApiError, match="A maximum of 4 blocks with cache_control"):
        usage(PromptCache(), user(*blocks), system=[text("S", **MARK)])
    with pytest.raises(ApiError, match="Found 5"):
        usage(PromptCache(), user(*blocks, text("last")), **MARK)
