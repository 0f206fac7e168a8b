from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

from interlock.sim.binding import check_thinking, sign_thinking
from interlock.sim.errors import ApiError
from interlock.sim.prompt import build_prompt
from interlock.sim.validation import validate_request

TOOL = {"name": "t", "input_schema": {"type": "object"}}


def ask(**changes: Any) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "system": "Be kind.",
        "tools": [TOOL],
        "messages": [{"role": "user", "content": "Hello"}],
        **changes,
    }


def replay(first: dict[str, Any], thinking: str = "Hm.") -> dict[str, Any]:
    """The next request of a conversation whose first reply was a thinking block and a text."""
    request = validate_request(first, any_model=False)
    signature = sign_thinking(request.model, build_prompt(request), thinking)
    block = {"type": "thinking", "thinking": thinking, "signature": signature}
    return {
        **copy.deepcopy(first),
        "messages": [
            *copy.deepcopy(first["messages"]),
            {"role": "assistant", "content": [block, {"type": "text", "text": "Hi."}]},
            {"role": "user", "content": "And?"},
        ],
    }


def check(body: dict[str, Any]) -> None:
    request = validate_request(body, any_model=False)
    check_thinking(request, build_prompt(request))


def refusal(body: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as caught:
        check(body)
    assert caught.value.status == 400
    return caught.value.message


def test_an_unchanged_conversation_is_accepted() -> None:
    check(replay(ask()))
    check(replay(replay(ask())))


def test_cache_marks_and_the_form_of_a_text_are_no_change() -> None:
    body = replay(ask())
    marked = {"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}
    body["messages"][0]["content"] = [marked]
    body["cache_control"] = {"type": "ephemeral"}
    body["max_tokens"] = 2000

    check(body)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"system": "Be unkind."}, "`system` prompt"),
        ({"tools": [TOOL, {**TOOL, "name": "u"}]}, "`tools`"),
        ({"model": "claude-opus-5-5"}, "model"),
    ],
)
def test_a_changed_prefix_is_refused_and_named(changes: dict[str, Any], named: str) -> None:
    message = refusal(replay(ask()) | changes)

    assert message.startswith("messages.1.content.0: Invalid `signature` in `thinking` block.")
    assert "The block is bound to a different conversation" in message
    assert message.endswith(f"Changed since it was created: {named}.")


def test_a_changed_message_before_the_block_is_refused() -> None:
    body = replay(ask())
    body["messages"][0]["content"] = "Hello!"

    assert refusal(body).endswith("messages before it.")


def test_a_message_put_in_before_the_block_is_refused() -> None:
    body = replay(ask())
    body["messages"].insert(1, {"role": "system", "content": "Remember the rules."})

    assert "bound to a different conversation" in refusal(body)


def test_leaving_out_an_earlier_block_is_a_change() -> None:
    body = replay(replay(ask()))
    del body["messages"][1]["content"][0]

    assert refusal(body).startswith("messages.3.content.0: ")


def test_a_changed_block_is_refused() -> None:
    body = replay(ask())
    body["messages"][1]["content"][0]["thinking"] = "Hm?"

    assert refusal(body) == "messages.1.content.0: Invalid `signature` in `thinking` block"


@pytest.mark.parametrize(
    "signature", ["", "not base64!", base64.b64encode(b"x" * 40).decode(), "EqQBCgIYAhIM", "ä"]
)
def test_a_signature_that_is_not_ours_is_refused(signature: str) -> None:
    body = replay(ask())
    body["messages"][1]["content"][0]["signature"] = signature

    assert refusal(body).endswith("Invalid `signature` in `thinking` block")


def test_the_smallest_models_blocks_can_move_to_another_model() -> None:
    check(replay(ask(model="claude-haiku-5-5")) | {"model": "claude-sonnet-5-5"})

    moved_back = replay(ask()) | {"model": "claude-haiku-5-5"}
    assert "bound to a different conversation" in refusal(moved_back)


def test_older_models_do_not_bind_their_blocks() -> None:
    check(replay(ask(model="claude-opus-4-8")) | {"system": "Be unkind."})
