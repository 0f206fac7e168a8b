from __future__ import annotations

import pytest

from interlock.guardrails.scope import Scope, ScopeSettings
from interlock.turn.guard import Deny, GuardrailInput, NoVerdict
from tests.unit.guardrails.judging import SaidJudge

SCOPE = Scope(ScopeSettings(allow="questions about orders"))


async def test_what_is_in_scope_passes() -> None:
    judge = SaidJudge({"inScope": True, "reason": "an order"})
    assert await SCOPE.check(GuardrailInput("input", "Where is it?"), judge) is None
    assert judge.texts == ["Where is it?"]
    assert judge.tokens == [150]
    assert "questions about orders" in judge.instructions[0]


async def test_what_is_not_is_denied_with_the_reason() -> None:
    judge = SaidJudge({"inScope": False, "reason": "a poem" * 200})
    decision = await SCOPE.check(GuardrailInput("input", "Write a poem"), judge)
    assert isinstance(decision, Deny)
    assert decision.rule == "out_of_scope"
    assert decision.message.startswith("a poem")
    assert len(decision.message) == 300


async def test_without_a_verdict_there_is_none() -> None:
    with pytest.raises(NoVerdict):
        await SCOPE.check(GuardrailInput("input", "Where is it?"), SaidJudge())


async def test_the_instruction_is_the_same_for_every_text() -> None:
    judge = SaidJudge({"inScope": True, "reason": ""})
    for text in ("one", "another"):
        await SCOPE.check(GuardrailInput("input", text), judge)
    assert len(set(judge.instructions)) == 1
