"""What a decision means for the call, the model and the customer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from interlock.model.result import ToolResult
from interlock.model.turn import Message, Resumed, TurnRequest, Verdict
from interlock.people.approvals import refusal, retry_delay
from interlock.turn.follow_up import decision_text
from tests.unit.turn.scripted import ScriptedCtx, compiled, fails, plans, play, says

APPLIED = ToolResult("success", {"id": "RET-1"}, effect="applied", attempts=1)


def follow_up(verdict: Verdict, result: ToolResult) -> TurnRequest:
    """The turn that tells of a decision."""
    return TurnRequest(
        turn_id="turn_2",
        conversation_id="conv_1",
        customer_id="CUST-1",
        session={"customerId": "CUST-1"},
        text=decision_text("create_return", verdict, reason="it is fine"),
        transcript=(
            Message("customer", "return it"),
            Message("agent", "I have asked."),
            Message("person", "One moment.", "anna"),
            Message("note", "They are a good customer.", "anna"),
        ),
        resumed=Resumed("create_return", {"order_id": "ORD-1"}, verdict, result),
    )


async def test_the_model_reads_the_decision_the_result_and_what_colleagues_wrote() -> None:
    ctx = ScriptedCtx([plans("respond"), says("RET-1 is open.")])
    result = await play(ctx, compiled(), follow_up("approved", APPLIED))
    assert (result.outcome, result.reply, result.tool_calls) == ("resolved", "RET-1 is open.", 1)
    said = str(ctx.requests[-1]["messages"])
    for part in ("agreed to it", "it is fine", "RET-1", "[A colleague, anna, wrote", "[Note from"):
        assert part in said
    colleague = ctx.requests[-1]["messages"][1]
    assert (colleague["role"], len(colleague["content"])) == ("assistant", 3)
    assert '"RET-1"' in str(ctx.requests[0]["messages"])


@pytest.mark.parametrize(
    ("verdict", "result", "reply"),
    [
        ("approved", APPLIED, "A colleague has agreed, and it has been done."),
        ("denied", refusal("denied", "no"), "A colleague could not agree to this"),
        ("expired", refusal("expired", None), "A colleague could not agree to this"),
        ("approved", ToolResult.error("down"), "I am sorry, something went wrong"),
    ],
)
async def test_if_no_model_answers_the_customer_still_hears_of_it(
    verdict: Verdict, result: ToolResult, reply: str
) -> None:
    ended = await play(
        ScriptedCtx([fails("server", status=400)] * 3), compiled(), follow_up(verdict, result)
    )
    assert ended.outcome == "failed"
    assert ended.reply.startswith(reply)


async def test_a_call_whose_effect_nobody_knows_goes_to_a_person_at_once() -> None:
    unknown = ToolResult.error("killed", effect="unknown")
    ended = await play(ScriptedCtx([]), compiled(), follow_up("approved", unknown))
    assert (ended.outcome, ended.reason) == ("escalated", "unknown_effect")


def test_what_fails_is_tried_less_and_less_often() -> None:
    assert [retry_delay(number).total_seconds() for number in (0, 1, 2, 3)] == [0, 5, 10, 20]
    assert retry_delay(1000) == timedelta(minutes=10)
