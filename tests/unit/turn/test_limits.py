"""Turns that reach a limit: they land, within it, or call a person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.turn import Spent
from interlock.model.usage import Usage
from interlock.turn.agent import CompiledAgent
from interlock.turn.ports import ModelReply
from tests.unit.turn.scripted import (
    SETTINGS,
    Saying,
    ScriptedCtx,
    asking,
    broken,
    calls,
    compiled,
    found,
    guards_of,
    plans,
    play,
    reply,
    says,
)


class Busy:
    """A model that always has more to look up, and answers only when it cannot call any more.

    It uses all that it may: every token of the prompt at the dearest density, and `max_tokens`.
    """

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.page = 0
        self.seconds = seconds

    def __call__(self, body: JsonObject) -> ModelReply:
        usage = Usage(input=-(-len(to_json(body)) // 3), output=body["max_tokens"])
        if "format" in body.get("output_config", {}):
            plan = plans(*["gather_info"] * 10)
            return reply(plan.content, usage=usage, seconds=self.seconds)
        if body.get("tool_choice") == {"type": "none"} or "tools" not in body:
            return says("This is what I know.", usage=usage)
        self.page += 1
        made = calls(("list_orders", {"page": self.page}), usage=usage)
        return reply(made.content, "tool_use", usage=usage, seconds=self.seconds)


def pages(seconds: float = 0.0) -> dict[str, Any]:
    return {
        "list_orders": lambda asked: ToolResult(
            "success", {"page": asked["page"]}, attempts=1, latency_ms=seconds * 1000
        )
    }


async def busy(
    agent: CompiledAgent, *, spent: Spent | None = None, seconds: float = 0.0
) -> tuple[Any, ScriptedCtx]:
    ctx = ScriptedCtx(Busy(seconds=seconds), pages())
    return await play(ctx, agent, asking(spent=spent)), ctx


def breakers(ctx: ScriptedCtx) -> list[tuple[str, str]]:
    return [(data["breaker"], data["limit"]) for data in ctx.data("breaker")]


SMALL = SETTINGS.replace("maxTokens: 1000", "maxTokens: 300")


class TestIterations:
    async def test_the_work_is_landed_with_a_last_answer(self) -> None:
        result, ctx = await busy(compiled("limits: {maxIterations: 3}", settings=SMALL))
        assert (result.outcome, result.reason) == ("incomplete", "iterations")
        assert result.reply == "This is what I know."
        assert (result.iterations, result.tool_calls) == (3, 3)
        assert breakers(ctx) == [("iterations", "limits.maxIterations")]
        # The last answer is given from all that was found.
        assert '{"page":3}' in json.dumps(ctx.requests[-1]["messages"]).replace("\\", "")

    async def test_a_person_takes_over_where_the_agent_says_so(self) -> None:
        agent = compiled("limits: {maxIterations: 2, onExhausted: escalate}", settings=SMALL)
        result, ctx = await busy(agent)
        assert (result.outcome, result.reason) == ("escalated", "iterations")
        assert (
            result.escalation["detail"] == "2 iterations without an answer (limits.maxIterations)"
        )
        assert "list_orders" in result.escalation["summary"]
        assert result.escalation["lastToolCall"] == {"tool": "list_orders", "input": {"page": 2}}
        assert ctx.data("escalation") == [result.escalation]

    async def test_an_answer_in_the_last_iteration_is_an_answer(self) -> None:
        agent = compiled("limits: {maxIterations: 1}")
        ctx = ScriptedCtx([plans("respond"), says("Hello.")])
        assert (await play(ctx, agent, asking())).outcome == "resolved"


class TestTokens:
    @pytest.mark.parametrize("limit", [5000, 8000, 12_000, 20_000, 33_333])
    @pytest.mark.parametrize("replan", ["always", "onChange"])
    async def test_a_model_that_uses_all_it_may_never_passes_the_limit(
        self, limit: int, replan: str
    ) -> None:
        extra = f"planner: {{replan: {replan}}}\nlimits: {{maxTokens: {limit}}}"
        result, ctx = await busy(compiled(extra, settings=SMALL))
        assert (result.outcome, result.reason) == ("incomplete", "tokens")
        assert result.reply == "This is what I know."
        assert result.tokens <= limit
        assert breakers(ctx) == [("tokens", "limits.maxTokens")]
        assert "tokens," in ctx.data("breaker")[0]["detail"]

    async def test_what_earlier_turns_used_counts(self) -> None:
        agent = compiled("limits: {maxTokens: 20000}", settings=SMALL)
        result, _ = await busy(agent, spent=Spent(tokens=14_000))
        assert result.reason == "tokens"
        assert result.tokens <= 6000

    @pytest.mark.parametrize("spent", [19_990, 20_000, 25_000])
    async def test_with_nothing_left_the_customer_still_reads_a_word(self, spent: int) -> None:
        agent = compiled("limits: {maxTokens: 20000}", settings=SMALL)
        result, ctx = await busy(agent, spent=Spent(tokens=spent))
        assert (result.outcome, result.reason) == ("incomplete", "tokens")
        assert result.reply == agent.spec.replies.incomplete
        assert (ctx.requests, result.tokens, result.iterations) == ([], 0, 1)

    async def test_the_reserve_is_for_the_last_answer_only(self) -> None:
        extra = "limits: {maxTokens: 12000, reserveForFinal: 5000}"
        result, ctx = await busy(compiled(extra, settings=SMALL))
        assert result.reply == "This is what I know."
        before_last = sum(entry.usage.total for entry in ctx.ledger[:-1])
        assert before_last <= 7000

    async def test_the_last_answer_gets_half_of_what_is_left(self) -> None:
        agent = compiled("limits: {maxTokens: 6000, reserveForFinal: 1900}")
        result, ctx = await busy(agent, spent=Spent(tokens=6000 - 1900))
        assert (result.reason, result.reply) == ("tokens", "This is what I know.")
        assert [request["max_tokens"] for request in ctx.requests] == [950]

    async def test_a_person_takes_over_where_the_agent_says_so(self) -> None:
        extra = "limits: {maxTokens: 8000, onExhausted: escalate}"
        result, _ = await busy(compiled(extra, settings=SMALL))
        assert (result.outcome, result.reason) == ("escalated", "tokens")
        assert result.tokens <= 6000

    async def test_a_large_result_is_left_out_of_the_last_prompt_rather_than_the_answer(
        self,
    ) -> None:
        agent = compiled("limits: {maxTokens: 12000}", settings=SMALL)
        ctx = ScriptedCtx(Busy(), {"list_orders": found("x" * 20_000)})
        result = await play(ctx, agent, asking())
        assert (result.reason, result.reply) == ("tokens", "This is what I know.")
        assert "xxxx" not in str(ctx.requests[-1]["messages"])

    async def test_a_trimmed_prompt_is_not_taken_for_the_long_one_before_it(self) -> None:
        """The last prompt may go to the model, and with the tools, of a much longer one."""
        agent = compiled(
            "planner: {replan: onChange}\nlimits: {maxTokens: 14000}",
            settings=SMALL,
            agent=NOBODY,
        )
        script = Busy()

        def answering_empty(body: JsonObject) -> ModelReply:
            made = script(body)
            if "format" in body.get("output_config", {}):
                return plans("gather_info", "respond", usage=made.usage)
            if "No tool can be" in str(body["messages"][-1]) or made.stop_reason == "tool_use":
                return made
            return says("", usage=made.usage)

        ctx = ScriptedCtx(answering_empty, {"list_orders": found("x" * 18_000)})
        result = await play(ctx, agent, asking())
        assert (result.reason, result.reply) == ("tokens", "This is what I know.")


NOBODY = """
name: support
description: Answers customers about orders.
models: {plan: haiku, execute: sonnet}
tools: [list_orders]
prompts: {system: You answer.}
"""


class TestCost:
    @pytest.mark.parametrize("limit", ["0.03", "0.05", "0.1"])
    async def test_a_model_that_uses_all_it_may_never_passes_the_limit(self, limit: str) -> None:
        agent = compiled(f"limits: {{maxTokens: 1000000, maxCostUsd: {limit}}}", settings=SMALL)
        result, ctx = await busy(agent)
        assert (result.outcome, result.reason) == ("incomplete", "cost")
        assert result.reply == "This is what I know."
        assert result.cost_nano <= int(float(limit) * 1e9)
        assert breakers(ctx) == [("cost", "limits.maxCostUsd")]

    async def test_what_earlier_turns_cost_counts(self) -> None:
        agent = compiled("limits: {maxTokens: 1000000, maxCostUsd: 0.1}", settings=SMALL)
        result, _ = await busy(agent, spent=Spent(cost_nano=60_000_000))
        assert result.reason == "cost"
        assert result.cost_nano <= 40_000_000

    async def test_nothing_can_be_bought_for_nothing(self) -> None:
        result, ctx = await busy(compiled("limits: {maxCostUsd: 0}"))
        assert (result.outcome, result.reason, ctx.requests) == ("incomplete", "cost", [])


class TestTime:
    @pytest.mark.parametrize("seconds", [0.7, 3.0, 11.0])
    async def test_the_last_answer_comes_before_the_time_is_over(self, seconds: float) -> None:
        agent = compiled("limits: {turnTimeout: 30s, maxIterations: 200, maxTokens: 9000000}")
        result, ctx = await busy(agent, seconds=seconds)
        assert (result.outcome, result.reason) == ("incomplete", "time")
        assert result.reply == "This is what I know."
        assert breakers(ctx) == [("time", "limits.turnTimeout")]
        # No call was given more time than the turn had.
        assert all(given <= 30 for given in ctx.timeouts)
        assert ctx.timeouts[-1] > 0

    async def test_a_call_that_the_turns_end_cuts_off_is_landed_not_failed(self) -> None:
        agent = compiled("limits: {turnTimeout: 30s}")
        script = [
            reply(plans("respond").content, seconds=20.0),
            reply([], seconds=5.0),
            says("In short: yes."),
        ]
        result = await play(ScriptedCtx(script), agent, asking())
        assert (result.outcome, result.reason) == ("incomplete", "time")
        assert result.reply == "In short: yes."

    async def test_a_model_that_takes_longer_than_it_may_is_unavailable(self) -> None:
        agent = compiled(settings=SETTINGS.replace("apiKey:", "timeout: 5s, apiKey:"))
        script = [plans("respond"), *[reply([], seconds=6.0)] * 3]
        result = await play(ScriptedCtx(script), agent, asking())
        assert (result.outcome, result.reason) == ("failed", "model_timeout")
        assert result.tokens > 3000

    async def test_tools_take_time_too(self) -> None:
        agent = compiled("limits: {turnTimeout: 20s}")
        ctx = ScriptedCtx(Busy(), pages(seconds=6.0))
        result = await play(ctx, agent, asking())
        assert (result.reason, result.tool_calls) == ("time", 3)

    async def test_when_even_the_last_seconds_are_gone_there_are_words_ready(self) -> None:
        agent = compiled("limits: {turnTimeout: 20s}")
        ctx = ScriptedCtx(Busy(), pages(seconds=25.0))
        result = await play(ctx, agent, asking())
        assert (result.outcome, result.reason) == ("incomplete", "time")
        assert result.reply == agent.spec.replies.incomplete

    async def test_a_person_takes_over_where_the_agent_says_so(self) -> None:
        agent = compiled("limits: {turnTimeout: 20s, onExhausted: escalate}")
        ctx = ScriptedCtx(Busy(), pages(seconds=25.0))
        result = await play(ctx, agent, asking())
        assert (result.outcome, result.reason) == ("escalated", "time")
        assert result.escalation is not None
        assert (
            result.escalation["detail"] == "no time is left for a model call (limits.turnTimeout)"
        )

    async def test_the_response_says_how_long_the_turn_took(self) -> None:
        ctx = ScriptedCtx([reply(plans("respond").content, seconds=1.5), says("Hello.")])
        await play(ctx, compiled(), asking())
        assert ctx.events[-1].latency_ms == pytest.approx(1500)


class TestContext:
    FULL = reply([], "model_context_window_exceeded")

    async def test_a_full_context_window_leads_to_a_last_answer(self) -> None:
        ctx = ScriptedCtx([plans("respond"), self.FULL, says("In short: yes.")])
        result = await play(ctx, compiled(), asking())
        assert (result.outcome, result.reason) == ("incomplete", "context")
        assert result.reply == "In short: yes."
        assert breakers(ctx) == []

    async def test_a_person_takes_over_where_the_agent_says_so(self) -> None:
        agent = compiled("limits: {onExhausted: escalate}")
        result = await play(ScriptedCtx([plans("respond"), self.FULL]), agent, asking())
        assert (result.outcome, result.reason) == ("escalated", "context")


class TestLanding:
    """The last answer itself."""

    AGENT = compiled("limits: {maxIterations: 1}")
    WORK = (plans("gather_info"), calls(("get_order", {"order_id": "ORD-1"})))

    @pytest.mark.parametrize(
        ("last", "text"),
        [
            (says("Sent."), "Sent."),
            (says("It was s", "max_tokens"), "It was s"),
            (says(""), None),
            (says("", "refusal"), None),
            (says("Hm.", "bored"), None),
            (says("", "max_tokens"), None),
        ],
    )
    async def test_whatever_the_model_says_the_customer_reads_something(
        self, last: ModelReply, text: str | None
    ) -> None:
        ctx = ScriptedCtx([*self.WORK, last], {"get_order": found()})
        result = await play(ctx, self.AGENT, asking())
        assert (result.outcome, result.reason) == ("incomplete", "iterations")
        assert result.reply == (text or self.AGENT.spec.replies.incomplete)

    async def test_a_last_answer_that_a_guardrail_denies_goes_to_a_person(self) -> None:
        agent = compiled(
            "limits: {maxIterations: 1}\nguardrails: {onViolation: escalate}",
            guards=guards_of(output=(Saying("secret"),)),
        )
        ctx = ScriptedCtx([*self.WORK, says("A secret.")], {"get_order": found()})
        result = await play(ctx, agent, asking())
        assert (result.outcome, result.reason) == ("escalated", "guardrail:no_word")


class TestRepetition:
    async def test_the_same_call_with_the_same_result_ends_the_turn(self) -> None:
        again = calls(("get_order", {"order_id": "ORD-1"}))
        ctx = ScriptedCtx([plans("gather_info"), again] * 3, {"get_order": found("see parent")})
        result = await play(ctx, compiled(), asking())
        assert (result.outcome, result.reason) == ("escalated", "repetition")
        assert breakers(ctx) == [("repetition", "breakers.repetition.identicalCalls")]
        assert result.escalation is not None
        assert result.escalation["detail"] == (
            "get_order: 3 calls (identical calls) (breakers.repetition.identicalCalls)"
        )

    async def test_round_and_round_from_parent_to_child(self) -> None:
        orders = {"ORD-1": "see ORD-2", "ORD-2": "see ORD-3", "ORD-3": "see ORD-1"}

        def model(body: JsonObject) -> ModelReply:
            if "format" in body.get("output_config", {}):
                return plans("gather_info")
            said = str(body["messages"])
            last = max(orders.values(), key=said.rfind)
            number = last.removeprefix("see ") if last in said else "ORD-1"
            return calls(("get_order", {"order_id": number}))

        ctx = ScriptedCtx(
            model, {"get_order": lambda asked: ToolResult("success", orders[asked["order_id"]])}
        )
        result = await play(ctx, compiled(), asking())
        assert (result.reason, result.tool_calls) == ("repetition", 7)

    async def test_a_tool_may_be_polled_while_something_changes(self) -> None:
        states = iter(range(100))
        again = calls(("get_order", {"order_id": "ORD-1"}))
        ctx = ScriptedCtx(
            [*[plans("gather_info"), again] * 11, plans("respond"), says("Done.")],
            {"get_order": lambda _: ToolResult("success", next(states), attempts=1)},
        )
        assert (await play(ctx, compiled(), asking())).outcome == "resolved"


class TestToolFailures:
    async def test_tools_that_fail_for_good_end_the_turn(self) -> None:
        numbers = iter(range(100))
        ctx = ScriptedCtx(
            lambda body: (
                plans("gather_info")
                if "format" in body.get("output_config", {})
                else calls(("get_order", {"order_id": f"ORD-{next(numbers)}"}))
            ),
            {"get_order": broken()},
        )
        result = await play(ctx, compiled(), asking())
        assert (result.outcome, result.reason) == ("escalated", "tool_failures")
        assert result.iterations == 4
        assert breakers(ctx) == [("tool_failures", "breakers.toolFailures")]

    async def test_made_up_tools_end_the_turn_too(self) -> None:
        ctx = ScriptedCtx(
            lambda body: (
                plans("gather_info")
                if "format" in body.get("output_config", {})
                else calls(("fly", {}))
            )
        )
        result = await play(ctx, compiled(), asking())
        assert (result.reason, result.iterations) == ("tool_failures", 4)
