from __future__ import annotations

from typing import Any

from interlock.guardrails.policy import Policy, PolicySettings
from interlock.turn.guard import Deny, GuardrailInput
from tests.unit.guardrails.judging import SaidJudge

POLICY = Policy(PolicySettings(rules=("No promises about refund dates", "No internal information")))
ANSWER = "Your refund is on its way.\nYou will have it  by Friday."


async def judged(*violations: tuple[int, str]) -> tuple[Deny | None, SaidJudge]:
    found: Any = [{"rule": rule, "sentence": sentence} for rule, sentence in violations]
    judge = SaidJudge({"violations": found})
    return await POLICY.check(GuardrailInput("output", ANSWER), judge), judge


async def test_an_answer_that_breaks_no_rule_passes() -> None:
    decision, judge = await judged()
    assert decision is None
    assert "1. No promises about refund dates\n2. No internal" in judge.instructions[0]


async def test_the_message_quotes_the_rule_and_the_sentence() -> None:
    decision, _ = await judged((1, "You will have it by Friday."))
    assert decision == Deny(
        'it breaks the rule "No promises about refund dates" with "You will have it by Friday."',
        "rules[0]",
    )


async def test_a_sentence_that_the_answer_does_not_hold_is_ignored_and_noted() -> None:
    decision, judge = await judged((1, "You will have it tomorrow."), (3, "Friday"), (0, ""))
    assert decision is None
    assert len(judge.notes) == 3
    assert "You will have it tomorrow." in judge.notes[0]


async def test_what_is_quoted_rightly_counts_beside_what_is_invented() -> None:
    decision, judge = await judged((2, "Our margin is 40 %."), (1, "you will have it by friday."))
    assert isinstance(decision, Deny)
    assert decision.rule == "rules[0]"
    assert len(judge.notes) == 1
