"""The summary for a person: a model's where there is one, and the facts where there is not."""

from __future__ import annotations

from interlock.model.turn import Message
from interlock.model.usage import Usage
from tests.unit.turn.scripted import AGENT, ScriptedCtx, asking, calls, compiled, fails, plans, play
from tests.unit.turn.scripted import says as model_says

JUDGED = AGENT.replace("reason: opus", "reason: opus, validate: haiku")
CALL = ("call_a_person", {"reason": "an angry customer"})


async def test_the_model_of_the_validate_route_writes_it_in_a_few_tokens() -> None:
    ctx = ScriptedCtx([plans("escalate"), calls(CALL), model_says("They want a refund.")])
    earlier = (Message("customer", "Hello"), Message("person", "Hi", "anna"))
    result = await play(ctx, compiled(agent=JUDGED), asking(transcript=earlier))
    assert result.escalation is not None
    assert result.escalation["summary"] == "They want a refund."
    assert ctx.data("escalation")[0]["summary"] == "They want a refund."
    body = ctx.requests[-1]
    assert body["max_tokens"] == 300
    assert "person: Hi" in body["messages"][0]["content"][0]["text"]
    assert "an angry customer" in body["messages"][0]["content"][0]["text"]


async def test_a_long_summary_is_cut() -> None:
    ctx = ScriptedCtx([plans("escalate"), calls(CALL), model_says("x" * 5000)])
    result = await play(ctx, compiled(agent=JUDGED), asking())
    assert result.escalation is not None
    assert len(result.escalation["summary"]) == 1500


async def test_without_a_model_that_judges_it_is_the_list_of_facts() -> None:
    ctx = ScriptedCtx([plans("escalate"), calls(CALL)])
    result = await play(ctx, compiled(), asking("My kettle is broken."))
    assert result.escalation is not None
    assert result.escalation["summary"].startswith("The customer wrote: My kettle is broken.")


async def test_a_model_that_does_not_answer_costs_only_its_summary() -> None:
    ctx = ScriptedCtx([plans("escalate"), calls(CALL), fails("rejected", status=400)])
    result = await play(ctx, compiled(agent=JUDGED), asking())
    assert result.outcome == "escalated"
    assert result.escalation is not None
    assert result.escalation["summary"].startswith("The customer wrote")


async def test_no_budget_means_no_further_call() -> None:
    limits = "limits: {maxTokens: 5000, reserveForFinal: 0, onExhausted: escalate}"
    ctx = ScriptedCtx([plans("gather_info", usage=Usage(input=4900, output=90))])
    result = await play(ctx, compiled(limits, agent=JUDGED), asking())
    assert (result.outcome, result.reason) == ("escalated", "tokens")
    assert result.escalation is not None
    assert result.escalation["summary"].startswith("The customer wrote")
    assert result.tokens <= 5000
