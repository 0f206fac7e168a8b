from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from interlock.engine.memory import Effects, MemoryCtx
from interlock.engine.steps import Services
from interlock.model.base import JsonObject
from interlock.model.result import Effect, ToolResult
from interlock.turn.loop import run_turn
from interlock.turn.ports import LedgerEntry, ModelReply
from tests.unit.turn.scripted import asking, calls, compiled, plans, says

CALL: JsonObject = {
    "call": {"tool": "create_return", "input": {"order_id": "ORD-1"}, "timeoutSeconds": 1.0},
    "session": {},
}


class Tools:
    """Tools whose mutations have an effect, counted."""

    def __init__(self, *effects: Effect) -> None:
        self.effects = list(effects)
        self.calls: list[str] = []

    async def call(self, name: str, input: JsonObject, **more: Any) -> ToolResult:
        self.calls.append(name)
        number, effect = len(self.calls), self.effects[len(self.calls) - 1]
        return ToolResult("success", {"number": number}, effect=effect, attempts=1)


class Provider:
    def __init__(self, *answers: ModelReply) -> None:
        self.answers = list(answers)

    async def call(self, body: JsonObject, *, timeout_seconds: float) -> ModelReply:
        return self.answers.pop(0)


def ctx(services: Services, effects: Effects | None = None, **listeners: Any) -> MemoryCtx:
    return MemoryCtx(
        services,
        effects=effects or Effects(),
        on_event=listeners.get("on_event", lambda event: None),
        on_cost=listeners.get("on_cost", lambda entry: None),
        switches=listeners.get("switches", lambda: {"agent": None, "tools": {}}),
    )


@pytest.mark.parametrize(
    ("first", "made"),
    [("applied", 1), ("unknown", 1), ("none", 2)],
)
async def test_what_took_effect_or_may_have_is_never_done_again(first: Effect, made: int) -> None:
    tools, effects = Tools(first, "applied"), Effects()
    results = [
        await ctx(Services({}, tools), effects).mutate("create_return:abc", CALL) for _ in range(2)
    ]
    assert len(tools.calls) == made
    assert [result["data"]["number"] for result in results] == [1, made]


async def test_another_key_is_another_action() -> None:
    tools = Tools("applied", "applied")
    context = ctx(Services({}, tools))
    await context.mutate("a", CALL)
    await context.mutate("b", CALL)
    assert len(tools.calls) == 2


def test_the_latest_ten_thousand_effects_are_kept() -> None:
    effects = Effects()
    for number in range(10_001):
        effects.keep(str(number), ToolResult("success", number, effect="applied").to_json())
    assert effects.get("0") is None
    first, last = effects.get("1"), effects.get("10000")
    assert first is not None
    assert last is not None
    assert (first["data"], last["data"]) == (1, 10_000)


async def test_a_whole_turn_runs_in_memory() -> None:
    events: list[str] = []
    ledger: list[LedgerEntry] = []
    provider = Provider(
        plans("take_action", "respond"), calls(("create_return", {"order_id": "ORD-1"})), says("!")
    )
    tools = Tools("applied")
    context = ctx(
        Services({"anthropic": provider}, tools),
        on_event=lambda event: events.append(event.type),
        on_cost=ledger.append,
    )
    agent = compiled("planner: {replan: onChange}")
    result = await run_turn(context, agent, asking())
    assert (result.outcome, result.reply) == ("resolved", "!")
    assert tools.calls == ["create_return"]
    assert events[-1] == "response"
    assert len(ledger) == 3


async def test_time_is_in_utc_and_chance_in_its_range() -> None:
    context = ctx(Services({}, Tools()))
    before = datetime.now(UTC)
    assert before <= context.now() <= datetime.now(UTC)
    assert context.now().tzinfo is UTC
    assert all(0 <= context.random() < 1 for _ in range(100))
    await context.sleep(0)
