"""Limits against the prompts that a turn really builds: what is proved is what happens."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic_core import to_json

from interlock.config.source import Source
from interlock.diagnostics import Diagnostic
from interlock.model.plan import Step
from interlock.model.turn import Spent, TurnRequest
from interlock.reload.generation import Generation, build, check
from interlock.turn.budget import Shortage, estimate_tokens
from interlock.turn.prompts import plan_prompt, step_prompt
from interlock.turn.repetition import RepetitionLog
from interlock.turn.run import new_budget
from interlock.turn.select import select_tools
from interlock.turn.state import TurnState
from tests.unit.config.lint.declared import tool
from tests.unit.config.project import base_files

AGENT = "agents.d/support.yaml"
MESSAGE = "x" * 200


def source(limits: dict[str, Any], **agent: Any) -> Source:
    files = base_files()
    document = {**yaml.safe_load(files[AGENT]), "limits": limits, **agent}
    files[AGENT] = yaml.safe_dump(document, sort_keys=False).encode()
    return Source(files)


def found_with(limits: dict[str, Any], **agent: Any) -> list[Diagnostic]:
    loaded, toolbox = check(source(limits, **agent), {})
    if toolbox is not None:
        toolbox.forget()
    return list(loaded.found)


def wanted(found: Diagnostic) -> str:
    return str(found.hint).split(" to ")[1].split(" at least")[0]


@pytest.mark.parametrize(
    ("limits", "codes"),
    [
        ({"maxTokens": 50_000}, []),
        ({"maxTokens": 7_200}, ["ILK-C031"]),
        # One plan and one answer, and no prompts: that is an error without any proof.
        ({"maxTokens": 5_000}, ["ILK-C015"]),
        ({"maxTokens": 50_000, "maxCostUsd": 0.045}, []),
        ({"maxTokens": 50_000, "maxCostUsd": 0.044}, ["ILK-C031"]),
        ({"maxTokens": 50_000, "maxCostUsd": 0.04}, ["ILK-C015"]),
        ({"maxTokens": 50_000, "maxCostUsd": 0}, ["ILK-C015"]),
        ({"maxTokens": 50_000, "reserveForFinal": 900}, ["ILK-C032"]),
        ({"maxTokens": 50_000, "reserveForFinal": 900, "onExhausted": "escalate"}, []),
        ({"maxTokens": 50_000, "reserveForFinal": 0}, []),
    ],
)
def test_limits_that_leave_little_room(limits: dict[str, Any], codes: list[str]) -> None:
    assert [found.code for found in found_with(limits)] == codes


LONG = {"prompts": {"system": "Never guess. " * 600}}


@pytest.mark.parametrize(
    ("limits", "agent", "key"),
    [
        ({"maxTokens": 7_200}, {}, "maxTokens"),
        ({"maxTokens": 5_200, "reserveForFinal": 0}, LONG, "maxTokens"),
        ({"maxTokens": 50_000, "maxCostUsd": 0.04}, {}, "maxCostUsd"),
        ({"maxTokens": 50_000, "maxCostUsd": 0.044}, {}, "maxCostUsd"),
        ({"maxTokens": 50_000, "reserveForFinal": 500}, {}, "reserveForFinal"),
    ],
)
def test_what_the_hint_names_is_enough(
    limits: dict[str, Any], agent: dict[str, Any], key: str
) -> None:
    [found] = found_with(limits, **agent)
    assert found.where == f"limits.{key}"
    assert found_with({**limits, key: yaml.safe_load(wanted(found))}, **agent) == []


def test_a_limit_that_is_not_written_is_told_where_the_limits_are() -> None:
    [found] = found_with({"maxIterations": 3}, **LONG, replies={})
    assert found.code == "ILK-C032"
    assert found.where == "limits.reserveForFinal"
    written = source({"maxIterations": 3}, **LONG, replies={}).files[AGENT].decode()
    assert written.splitlines()[found.location.line - 1].strip() == "maxIterations: 3"


@pytest.mark.parametrize("tokens", range(4_800, 6_400, 200))
async def test_a_call_that_is_proved_not_to_fit_is_one_that_a_turn_would_not_make(
    tokens: int,
) -> None:
    limits = {"maxTokens": tokens, "reserveForFinal": 600}
    codes = {found.code for found in found_with(limits, **LONG)}
    roomy = build(source({"maxTokens": 50_000}, **LONG), {})
    try:
        assert ("ILK-C015" in codes) == (_shortage(roomy, tokens) is not None)
    finally:
        await roomy.close()


def _shortage(generation: Generation, tokens: int) -> Shortage | None:
    """What the budget of a turn with that limit says to a first plan, or else to a first step."""
    agent = generation.agents["support"]
    budget = new_budget(agent, Spent())
    budget.max_tokens, budget.reserve_tokens = tokens, 600
    request = TurnRequest("turn_1", "conv_1", None, {"customerId": "sample"}, MESSAGE)
    state = TurnState(RepetitionLog(agent.spec.breakers.repetition), iteration=1)
    step = Step(type="gather_info", instruction=MESSAGE)
    tools = select_tools(agent, step)
    for prompt in (
        plan_prompt(agent, request, state, problem=None),
        step_prompt(agent, request, state, step=step, tools=tools),
    ):
        size = estimate_tokens(len(to_json(prompt.body)))
        held = budget.reserve(size + prompt.body["max_tokens"], 0)
        if isinstance(held, Shortage):
            return held
        budget.settle(held, 0, 0)
    return None


def test_the_largest_tools_that_a_step_may_offer_are_counted() -> None:
    files = base_files()
    small = [tool(f"small{n}") for n in range(6)]
    wide = {"type": "object", "properties": {"x": {"description": "Very long. " * 200}}}
    large = [tool(f"large{n}", "mutation", input=wide) for n in range(6)]
    files["tools.d/more.yaml"] = yaml.safe_dump_all([*small, *large]).encode()
    document = yaml.safe_load(files[AGENT])
    document["tools"] += [each["name"] for each in [*small, *large]]
    document["limits"] = {"maxTokens": 9_000}
    files[AGENT] = yaml.safe_dump(document).encode()
    loaded, _ = check(Source(files), {})
    [found] = [each for each in loaded.found if each.code in ("ILK-C015", "ILK-C031")]
    assert "a step of type 'take_action' with 5 tools" in found.message


def test_a_hard_step_is_counted_on_its_own_route() -> None:
    models = """
  haiku: {provider: anthropic, model: claude-haiku-5-5, maxTokens: 500}
  sonnet: {provider: anthropic, model: claude-sonnet-5-5, maxTokens: 500}
  opus: {provider: anthropic, model: claude-opus-5-5, maxTokens: 20000}
"""
    files = base_files()
    settings = files["interlock.yaml"].decode()
    start, end = settings.index("\n  haiku"), settings.index("variables:")
    files["interlock.yaml"] = (settings[:start] + models + settings[end:]).encode()
    agent = files[AGENT].decode() + "limits: {maxTokens: 15000}\n"
    for reason, codes in (("sonnet", []), ("opus", ["ILK-C015"])):
        routes = f"execute: sonnet, reason: {reason}}}"
        files[AGENT] = agent.replace("execute: sonnet}", routes).encode()
        loaded, _ = check(Source(files), {})
        assert [found.code for found in loaded.found] == codes


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("def note(text): ...", 1),
        ("def note(text, idempotency_key): ...", 0),
        ("def note(text, idempotency_key=None): ...", 0),
        ("def note(**inputs): ...", 1),
    ],
)
def test_a_function_that_cannot_be_handed_the_key(code: str, number: int) -> None:
    files = base_files()
    note = tool("note", "mutation", http=None, python={"function": "plugins/n.py:note"})
    note["input"] = {"type": "object", "properties": {"text": {"type": "string"}}}
    files["tools.d/notes.yaml"] = yaml.safe_dump(note).encode()
    files["plugins/n.py"] = code.encode()
    files[AGENT] = files[AGENT].replace(b"[get_order,", b"[get_order, note,")
    loaded, toolbox = check(Source(files), {})
    assert toolbox is not None
    toolbox.forget()
    found = [each for each in loaded.found if each.code == "ILK-C023"]
    assert [each.where for each in found] == ["idempotency"] * number
    assert all("plugins/n.py:note" in str(each.hint) for each in found)
