"""Turns that end with a person, a refusal or a failure."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from interlock.model.event import TraceEvent
from interlock.model.turn import TurnResult
from interlock.model.usage import Usage
from interlock.turn.guard import Deny, GuardrailInput, Judge
from interlock.turn.loop import run_turn
from interlock.turn.ports import ModelReply
from tests.unit.turn.scripted import (
    Hang,
    Saying,
    ScriptedCtx,
    asking,
    broken,
    calls,
    compiled,
    fails,
    found,
    guards_of,
    plans,
    play,
    says,
    step,
)

AGENT = compiled("planner: {replan: onChange}\nescalation: {queue: desk, message: One moment.}")
ORDER = {"order_id": "ORD-1"}


class TestPerson:
    async def test_the_model_may_call_one_in_any_step(self) -> None:
        handover = calls(("call_a_person", {"reason": "The customer is angry."}))
        ctx = ScriptedCtx([plans("gather_info", "respond"), handover])
        result = await play(ctx, AGENT, asking("This is the third time!"))
        assert (result.outcome, result.reason, result.reply) == (
            "escalated",
            "model_asked",
            "One moment.",
        )
        assert result.escalation == {
            "queue": "desk",
            "reason": "model_asked",
            "detail": "The customer is angry.",
            "summary": "The customer wrote: This is the third time!\n"
            'call_a_person {"reason":"The customer is angry."} -> success',
            "lastToolCall": {
                "tool": "call_a_person",
                "input": {"reason": "The customer is angry."},
            },
        }
        assert [event.type for event in ctx.events[-3:]] == [
            "observation",
            "escalation",
            "response",
        ]

    async def test_a_planned_handover_offers_only_the_way_to_a_person(self) -> None:
        ctx = ScriptedCtx([plans("escalate"), calls(("call_a_person", {}))])
        result = await play(ctx, AGENT, asking("A person, please."))
        assert (result.outcome, result.reason) == ("escalated", "model_asked")
        assert [tool["name"] for tool in ctx.requests[1]["tools"]] == ["call_a_person"]

    @pytest.mark.parametrize("tools", ["[get_order, call_a_person]", "[get_order]"])
    async def test_a_planned_handover_is_one_even_if_the_model_only_writes_of_it(
        self, tools: str
    ) -> None:
        agent = compiled(
            agent=f"""
name: support
description: Answers.
models: {{plan: haiku, execute: sonnet}}
tools: {tools}
prompts: {{system: You answer.}}
"""
        )
        ctx = ScriptedCtx(
            [plans(step("escalate", "Hand over: a legal threat.")), says("A colleague will call.")]
        )
        result = await play(ctx, agent, asking("I will sue you!"))
        assert (result.outcome, result.reply) == ("escalated", agent.spec.escalation.message)
        assert result.escalation is not None
        assert result.escalation["detail"] == "Hand over: a legal threat."

    async def test_an_action_of_unknown_effect_is_never_left_to_the_model(self) -> None:
        ctx = ScriptedCtx(
            [plans("take_action", "respond"), calls(("create_return", ORDER))],
            {"create_return": broken("no answer in time", effect="unknown", retryable=True)},
        )
        result = await play(ctx, AGENT, asking("Return ORD-1."))
        assert (result.outcome, result.reason) == ("escalated", "unknown_effect")
        assert result.escalation is not None
        assert "create_return" in result.escalation["detail"]
        assert "-> error, effect unknown: no answer in time" in result.escalation["summary"]

    async def test_a_stop_reason_that_nobody_knows_goes_to_a_person(self) -> None:
        ctx = ScriptedCtx([plans("respond"), says("Hm.", "bored")])
        result = await play(ctx, AGENT, asking())
        assert (result.outcome, result.reason) == ("escalated", "unknown_stop_reason")
        assert result.escalation is not None
        assert result.escalation["detail"] == "bored"


class TestRefusal:
    @pytest.mark.parametrize("script", [["refuses"], [plans("respond"), "refuses"]])
    async def test_the_models_no_is_the_answer(self, script: list[Any]) -> None:
        no = ModelReply([], "refusal", Usage(5), None, 1.0, {"category": "cyber"})
        ctx = ScriptedCtx([no if item == "refuses" else item for item in script])
        result = await play(ctx, AGENT, asking())
        assert (result.outcome, result.reason) == ("refused", "model_refusal:cyber")
        assert result.reply == AGENT.spec.replies.refused


class TestFailure:
    @pytest.mark.parametrize("before", [[], [plans("respond")]])
    async def test_a_model_that_is_down_fails_the_turn(self, before: list[ModelReply]) -> None:
        ctx = ScriptedCtx([*before, fails(), fails("server", status=500), fails()])
        result = await play(ctx, AGENT, asking())
        assert (result.outcome, result.reason) == ("failed", "model_overloaded")
        assert result.reply == AGENT.spec.replies.failed
        assert sum(entry.startswith("sleep") for entry in ctx.log) == 2

    async def test_a_refused_key_is_not_tried_again(self) -> None:
        ctx = ScriptedCtx([plans("respond"), fails("rejected", status=401)])
        result = await play(ctx, AGENT, asking())
        assert (result.outcome, result.reason) == ("failed", "model_rejected")

    async def test_two_empty_replies_in_a_row_fail_the_turn(self) -> None:
        ctx = ScriptedCtx([plans("respond"), says(""), says(" ")])
        result = await play(ctx, AGENT, asking())
        assert (result.outcome, result.reason) == ("failed", "model_unusable")

    async def test_empty_replies_apart_do_not(self) -> None:
        agent = compiled("planner: {replan: always}")
        look_up = calls(("get_order", ORDER))
        plan = plans("gather_info")
        ctx = ScriptedCtx(
            [plan, says(""), plan, look_up, plan, says(""), plan, says("Sent.")],
            {"get_order": found()},
        )
        assert (await play(ctx, agent, asking())).outcome == "resolved"

    @pytest.mark.parametrize("script", [[OSError("gone")], [plans("respond"), KeyError("x")]])
    async def test_a_bug_fails_the_turn_and_is_logged(
        self, script: list[Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            result = await play(ScriptedCtx(script), AGENT, asking())
        assert (result.outcome, result.reason) == ("failed", "internal_error")
        assert result.reply == AGENT.spec.replies.failed
        assert "turn turn_1 failed" in caplog.text

    async def test_a_bug_in_a_tool_step_fails_the_turn(self) -> None:
        ctx = ScriptedCtx([plans("gather_info"), calls(("get_order", ORDER))])
        # No such tool in the script: the step raises.
        result = await play_with_open_call(ctx)
        assert (result.outcome, result.reason) == ("failed", "internal_error")

    async def test_a_prompt_that_cannot_be_rendered_fails_the_turn(self) -> None:
        agent = compiled(
            agent="""
name: support
description: Answers.
models: {plan: haiku, execute: sonnet}
tools: [get_order]
prompts: {system: 'You talk to {{ session.name }}.'}
"""
        )
        result = await play(ScriptedCtx([plans("respond")]), agent, asking())
        assert (result.outcome, result.reason) == ("failed", "internal_error")


async def play_with_open_call(ctx: ScriptedCtx) -> TurnResult:
    """Like `play`, for a turn that breaks off between a tool call and its result."""
    result = await run_turn(ctx, AGENT, asking())
    assert [event.type for event in ctx.events][-2:] == ["tool_call", "response"]
    return result


class Slow:
    """An input guardrail that takes its time, and then says no."""

    name = "slow"

    def __init__(self, wait: asyncio.Event, *, verdict: str | None = "no") -> None:
        self.wait = wait
        self.verdict = verdict

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        await self.wait.wait()
        return None if self.verdict is None else Deny(self.verdict)


@dataclass
class Noticing(ScriptedCtx):
    """Notices when there is a plan."""

    planned: asyncio.Event = field(default_factory=asyncio.Event)

    def emit(self, event: TraceEvent) -> None:
        super().emit(event)
        if event.type == "plan":
            self.planned.set()


class Broken:
    """A guardrail with a bug."""

    name = "broken"

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        raise ZeroDivisionError


def guarded(extra: str = "", **stages: Any) -> Any:
    return compiled(extra, guards=guards_of(**{name: (guard,) for name, guard in stages.items()}))


class TestInputGuardrails:
    async def test_the_first_plan_is_made_meanwhile(self) -> None:
        ctx = Noticing([plans("respond"), says("Hello.")])
        result = await play(ctx, guarded(input=Slow(ctx.planned, verdict=None)), asking())
        assert (result.outcome, result.iterations, result.model_calls) == ("resolved", 1, 2)
        assert [event.type for event in ctx.events][:3] == ["model_call", "plan", "guardrail"]
        assert ctx.data("guardrail") == [{"stage": "input", "verdict": "allow"}]

    async def test_a_refusal_cancels_the_plan_which_is_charged_as_estimated(self) -> None:
        ctx = ScriptedCtx([Hang()])
        result = await play(ctx, guarded(input=Slow(ctx.hanging)), asking("poison"))
        assert (result.outcome, result.reason) == ("refused", "guardrail:slow")
        (entry,) = ctx.ledger
        assert entry.estimated
        assert result.tokens == entry.usage.total > 1000
        assert ctx.data("guardrail") == [
            {"stage": "input", "verdict": "deny", "guardrail": "slow", "message": "no"}
        ]

    async def test_a_refusal_at_once_costs_nothing(self) -> None:
        agent = compiled("guardrails: {input: [{use: max_length, with: {characters: 5}}]}")
        ctx = ScriptedCtx([])
        result = await play(ctx, agent, asking("too long"))
        assert (result.outcome, result.reason) == ("refused", "guardrail:max_length")
        assert (result.reply, result.tokens) == (agent.spec.replies.refused, 0)

    async def test_an_invalid_plan_is_retried_only_once(self) -> None:
        ctx = ScriptedCtx([says("No."), says("No."), says("Which order?")])
        result = await play(ctx, guarded(input=Saying("poison")), asking())
        assert (result.outcome, result.model_calls) == ("resolved", 3)

    @pytest.mark.parametrize(
        ("script", "expected"),
        [
            ([fails("rejected"), says("Hello.")], ("resolved", "end_turn")),
            ([fails()] * 3, ("failed", "model_overloaded")),
            ([says("", "refusal")], ("refused", "model_refusal:unspecified")),
            ([OSError("gone")], ("failed", "internal_error")),
        ],
    )
    async def test_what_becomes_of_the_plan_is_heard_of(
        self, script: list[Any], expected: tuple[str, str]
    ) -> None:
        result = await play(ScriptedCtx(script), guarded(input=Saying("poison")), asking())
        assert (result.outcome, result.reason) == expected

    async def test_the_refusal_wins_over_a_plan_that_failed(self) -> None:
        ctx = ScriptedCtx([fails()] * 3)
        agent = guarded(input=Saying("poison"))
        result = await play(ScriptedCtx([Hang()]), agent, asking("poison"))
        assert (result.outcome, result.reason) == ("refused", "guardrail:no_word")
        assert ctx.requests == []

    async def test_a_budget_too_small_for_a_plan_is_landed(self) -> None:
        agent = guarded("limits: {maxTokens: 4200, reserveForFinal: 2200}", input=Saying("poison"))
        ctx = ScriptedCtx([says("In short.")])
        result = await play(ctx, agent, asking("x" * 6000))
        assert (result.outcome, result.reason) == ("incomplete", "tokens")

    async def test_a_guardrail_with_a_bug_lets_nothing_pass(self) -> None:
        ctx = ScriptedCtx([])
        result = await play(ctx, guarded(input=Broken()), asking())
        assert (result.outcome, result.reason) == ("refused", "guardrail_failed:broken")

    async def test_they_are_asked_in_order_until_one_says_no(self) -> None:
        asked = []

        class Asked(Saying):
            async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
                asked.append(self.name)
                return await super().check(data, judge)

        guards = tuple(Asked(word, name=word) for word in ("a", "poison", "b"))
        ctx = ScriptedCtx([Hang()])
        result = await play(ctx, compiled(guards=guards_of(input=guards)), asking("poison"))
        assert result.reason == "guardrail:poison"
        assert asked == ["a", "poison"]


class TestOutputGuardrails:
    def agent(self, policy: str = "revise") -> Any:
        return guarded(f"guardrails: {{onViolation: {policy}}}", output=Saying("secret"))

    async def test_a_clean_answer_passes(self) -> None:
        ctx = ScriptedCtx([plans("respond"), says("Hello.")])
        result = await play(ctx, self.agent(), asking())
        assert result.outcome == "resolved"
        assert ctx.data("guardrail") == [{"stage": "output", "verdict": "allow"}]

    async def test_a_denied_answer_is_revised_once(self) -> None:
        ctx = ScriptedCtx([plans("respond"), says("My secret."), says("Hello.")])
        result = await play(ctx, self.agent(), asking())
        assert (result.outcome, result.reason, result.reply) == ("resolved", "end_turn", "Hello.")
        last = str(ctx.requests[-1]["messages"][-1])
        assert "it says secret" in last
        assert "My secret." in last
        assert [data["verdict"] for data in ctx.data("guardrail")] == ["deny", "allow"]

    async def test_a_second_denial_goes_to_a_person(self) -> None:
        ctx = ScriptedCtx([plans("respond"), says("My secret."), says("That secret.")])
        result = await play(ctx, self.agent(), asking())
        assert (result.outcome, result.reason) == ("escalated", "guardrail:no_word")
        assert result.escalation is not None
        assert result.escalation["detail"] == "it says secret"

    @pytest.mark.parametrize(
        "revision",
        [says(""), says("Hello, I", "max_tokens"), says("", "refusal"), fails("rejected")],
    )
    async def test_a_revision_that_is_no_answer_goes_to_a_person(self, revision: Any) -> None:
        ctx = ScriptedCtx([plans("respond"), says("My secret."), revision])
        result = await play(ctx, self.agent(), asking())
        assert (result.outcome, result.reason) == ("escalated", "guardrail:no_word")
        assert "secret" not in result.reply

    @pytest.mark.parametrize(
        ("policy", "outcome"), [("escalate", "escalated"), ("refuse", "refused")]
    )
    async def test_the_agent_may_want_no_revision(self, policy: str, outcome: str) -> None:
        ctx = ScriptedCtx([plans("respond"), says("My secret.")])
        result = await play(ctx, self.agent(policy), asking())
        assert (result.outcome, result.reason) == (outcome, "guardrail:no_word")
        assert "secret" not in result.reply

    async def test_a_revised_answer_is_no_more_complete_than_the_first(self) -> None:
        script = [plans("take_action", "respond"), says("A secret?"), says("Shall I?")]
        result = await play(ScriptedCtx(script), self.agent(), asking())
        assert (result.outcome, result.reason) == ("incomplete", "action_open")

    @pytest.mark.parametrize("limits", ["maxIterations: 1", "maxTokens: 8000"])
    async def test_a_guardrail_with_a_bug_lets_no_last_answer_pass(self, limits: str) -> None:
        agent = guarded(f"limits: {{{limits}}}", output=Broken(), input=Saying("poison"))
        ctx = ScriptedCtx(
            lambda body: (
                plans("gather_info", usage=Usage(input=2000))
                if "format" in body.get("output_config", {})
                else says("Hello.", usage=Usage(input=2000))
                if body.get("tool_choice") or "tools" not in body
                else calls(("get_order", ORDER), usage=Usage(input=2000))
            ),
            {"get_order": found()},
        )
        result = await play(ctx, agent, asking())
        assert (result.outcome, result.reason) == ("escalated", "guardrail_failed:broken")
        assert result.reply == agent.spec.escalation.message

    async def test_a_guardrail_with_a_bug_lets_nothing_pass_where_nothing_was_left(self) -> None:
        agent = guarded(
            "limits: {maxTokens: 6500, reserveForFinal: 4000}",
            output=Broken(),
            input=Saying("poison"),
        )
        ctx = ScriptedCtx([says("In short.")])
        result = await play(ctx, agent, asking("x" * 6000))
        assert (result.outcome, result.reason) == ("escalated", "guardrail_failed:broken")
