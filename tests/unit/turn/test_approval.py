"""When a call waits for a person, and what the turn makes of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.tool import Approval
from interlock.turn.approval import needs_approval
from tests.unit.turn.scripted import (
    TOOLS,
    ScriptedCtx,
    asking,
    calls,
    compiled,
    found,
    plans,
    play,
    says,
)

WAITS = TOOLS.replace(
    "idempotency: {header: Idempotency-Key, key: [order_id]}",
    "idempotency: {header: Idempotency-Key, key: [order_id]}\napproval: {why: Look first.}",
)
RETURN = ("create_return", {"order_id": "ORD-1"})
NOTE = ("add_note", {"note": "a"})


@dataclass
class AskingCtx(ScriptedCtx):
    """A `ScriptedCtx` whose people give `answer`."""

    answer: tuple[str, ToolResult | None] = ("pending", None)

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, JsonObject]] = []

    async def ask(self, key: str, args: JsonObject) -> JsonObject:
        """Keeps the question and gives the answer."""
        self.asked.append((key, args))
        state, result = self.answer
        return {"id": "appr_1", "state": state, "result": result and result.to_json()}


@pytest.mark.parametrize(
    ("when", "waits"),
    [
        ("{{ true }}", True),
        ("{{ input.amount > 100 }}", True),
        ("{{ input.amount > 101 }}", False),
        ("{{ session.tier == 'gold' }}", True),
        ("{{ input.unknown > 100 }}", True),
        ("{{ input.amount > session.tier }}", True),
        ("{% if input.amount > 200 %}yes{% else %} No {% endif %}", False),
        ("{% if input.amount > 100 %}yes{% endif %}", True),
        ("{% if input.amount > 200 %}yes{% endif %}", False),
    ],
)
def test_a_call_waits_if_the_condition_holds_or_cannot_be_told(when: str, waits: bool) -> None:
    approval = Approval(when=when)
    assert needs_approval(approval, {"amount": 101}, {"tier": "gold"}) is waits


def test_without_approval_nothing_waits() -> None:
    assert not needs_approval(None, {}, {})


def ctx_with(script: Any, **more: Any) -> AskingCtx:
    return AskingCtx(
        script, {"create_return": found(effect="applied"), "add_note": found()}, **more
    )


async def test_a_turn_ends_while_a_call_waits_and_nothing_after_it_is_done() -> None:
    ctx = ctx_with([plans("take_action"), calls(RETURN, NOTE)])
    result = await play(ctx, compiled(tools=WAITS), asking("return it"))
    assert (result.outcome, result.reason) == ("incomplete", "approval_pending")
    assert result.reply.startswith("A colleague has to agree")
    assert ctx.made == []
    ((key, args),) = ctx.asked
    assert key.startswith("create_return:")
    assert args["input"] == {"order_id": "ORD-1"}
    assert (args["waitSeconds"], args["expiresSeconds"]) == (0, 86400)
    assert ctx.data("approval") == [{"id": "appr_1", "tool": "create_return", "state": "pending"}]
    assert "earlier action" in ctx.data("tool_result")[1]["message"]


async def test_a_turn_goes_on_with_a_decision_that_comes_in_time() -> None:
    denied = ToolResult.error("a colleague did not agree: no")
    ctx = ctx_with(
        [plans("take_action", "respond"), calls(RETURN), plans("respond"), says("I may not.")],
        answer=("denied", denied),
    )
    result = await play(ctx, compiled(tools=WAITS), asking("return it"))
    assert (result.outcome, result.reply) == ("resolved", "I may not.")
    assert ctx.made == []
