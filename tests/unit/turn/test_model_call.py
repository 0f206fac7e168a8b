from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic_core import to_json

from interlock.model.usage import Usage
from interlock.turn.agent import CompiledAgent
from interlock.turn.model_call import call_model
from interlock.turn.ports import ModelFailure, ModelReply
from interlock.turn.prompts import Prompt, final_prompt
from interlock.turn.run import LimitReached, ModelUnavailable, Run, start_run
from tests.unit.turn.scripted import (
    SETTINGS,
    Hang,
    ScriptedCtx,
    asking,
    calls,
    compiled,
    fails,
    found,
    plans,
    play,
    says,
)

AGENT = compiled("limits: {maxTokens: 20000, maxCostUsd: 1, turnTimeout: 60s}")
ONE_MODEL = SETTINGS.replace("claude-haiku-5-5", "claude-sonnet-5-5")
HELLO = says("Hello.", usage=Usage(input=300, cache_read=100, output=50))


def begin(*script: Any, agent: CompiledAgent = AGENT) -> tuple[Run, ScriptedCtx, Prompt]:
    ctx = ScriptedCtx(script)
    run = start_run(ctx, agent, asking())
    return run, ctx, final_prompt(agent, run.request, run.state, route="execute")


async def test_a_reply_is_settled_charged_and_traced() -> None:
    run, ctx, prompt = begin(HELLO)
    assert await call_model(run, prompt) == HELLO
    # Sonnet: 2 USD for input, 0.10 for cache reads and 10 for output, by the million.
    cost = 300 * 2000 + 100 * 100 + 50 * 10_000
    assert run.budget.tokens_left == 20_000 - 450
    assert run.budget.cost_left == 1_000_000_000 - cost
    (entry,) = ctx.ledger
    assert (entry.route, entry.model, entry.provider) == (
        "execute",
        "claude-sonnet-5-5",
        "anthropic",
    )
    assert (entry.usage, entry.cost_nano, entry.estimated) == (HELLO.usage, cost, False)
    assert (entry.conversation_id, entry.customer_id, entry.agent) == (
        "conv_1",
        "CUST-1",
        "support",
    )
    (event,) = ctx.events
    assert (event.type, event.model, event.tokens, event.cost_nano) == (
        "model_call",
        "claude-sonnet-5-5",
        450,
        cost,
    )
    assert event.data["stopReason"] == "end_turn"
    assert event.data["attempt"] == 1
    assert event.data["promptBytes"] == len(to_json(prompt.body))
    assert event.data["reservedTokens"] == -(-len(to_json(prompt.body)) // 3) + 1000


async def test_the_next_estimate_starts_from_the_true_count() -> None:
    run, ctx, prompt = begin(HELLO, HELLO)
    await call_model(run, prompt)
    await call_model(run, prompt)
    first, second = (data["reservedTokens"] for data in ctx.data("model_call"))
    assert second == 400 + 1000 < first


async def test_the_count_of_another_prompt_tells_nothing() -> None:
    agent = compiled("planner: {replan: onChange}", settings=ONE_MODEL)
    light = Usage(input=7, output=5)
    ctx = ScriptedCtx(
        [
            plans("gather_info", "respond", usage=light),
            calls(("list_orders", {}), usage=light),
            says("None."),
        ],
        {"list_orders": found([])},
    )
    await play(ctx, agent, asking())
    for data in ctx.data("model_call"):
        assert data["reservedTokens"] == -(-data["promptBytes"] // 3) + 1000


@pytest.mark.parametrize(
    ("failures", "waits"),
    [
        ([fails()], [0.375]),
        ([fails("rate_limit", status=429, retry_after=3.0)], [3.0]),
        ([fails("server", status=500), fails("timeout", status=None)], [0.375, 0.75]),
        ([fails("connection", status=None)], [0.375]),
        ([fails("malformed", status=200)], [0.375]),
    ],
)
async def test_a_passing_failure_is_tried_again(
    failures: list[ModelFailure], waits: list[float]
) -> None:
    run, ctx, prompt = begin(*failures, HELLO)
    assert await call_model(run, prompt) == HELLO
    assert [entry for entry in ctx.log if entry.startswith("sleep")] == [
        f"sleep:{wait:g}" for wait in waits
    ]
    assert [data["attempt"] for data in ctx.data("model_call")] == list(range(1, len(failures) + 2))
    assert [data["retryInSeconds"] for data in ctx.data("model_call")[:-1]] == waits
    # Nothing was billed but the reply.
    assert run.budget.tokens_left == 20_000 - HELLO.usage.total
    assert run.state.model_calls == len(failures) + 1


@pytest.mark.parametrize(
    ("failures", "kind"),
    [
        ([fails()] * 3, "overloaded"),
        ([fails("rejected", status=400)], "rejected"),
        ([fails(), fails("rejected", status=401)], "rejected"),
        ([fails("rate_limit", status=429, retry_after=3600.0)], "rate_limit"),
    ],
)
async def test_a_lasting_failure_is_given_up(failures: list[ModelFailure], kind: str) -> None:
    run, ctx, prompt = begin(*failures)
    with pytest.raises(ModelUnavailable) as caught:
        await call_model(run, prompt)
    assert caught.value.kind == kind
    assert len(ctx.requests) == len(failures)
    assert ctx.data("model_call")[-1]["retryInSeconds"] is None
    assert run.budget.tokens_left == 20_000


async def test_what_may_have_been_billed_is_charged_at_what_was_reserved() -> None:
    run, ctx, prompt = begin(fails("timeout", status=None, maybe_billed=True), HELLO)
    await call_model(run, prompt)
    held = ctx.data("model_call")[0]["reservedTokens"]
    lost, paid = ctx.ledger
    assert (lost.estimated, paid.estimated) == (True, False)
    assert lost.usage == Usage(input=held - 1000, output=1000)
    price = AGENT.routes["execute"].price
    assert price is not None
    assert lost.cost_nano == price.worst(held - 1000, 1000)
    assert ctx.events[0].tokens == held
    assert run.budget.tokens_left == 20_000 - held - HELLO.usage.total
    assert run.state.tokens == held + HELLO.usage.total


@pytest.mark.parametrize("trouble", [asyncio.CancelledError(), OSError("the store is gone")])
async def test_a_call_of_which_nothing_is_heard_is_charged_too(trouble: BaseException) -> None:
    run, ctx, prompt = begin(trouble)
    with pytest.raises(type(trouble)):
        await call_model(run, prompt)
    (entry,) = ctx.ledger
    assert entry.estimated
    assert run.budget.tokens_left == 20_000 - entry.usage.total
    assert run.state.tokens == entry.usage.total > 1000


async def test_a_cancelled_call_holds_nothing_back() -> None:
    run, ctx, prompt = begin(Hang())
    call = asyncio.create_task(call_model(run, prompt))
    await ctx.hanging.wait()
    assert run.budget.tokens_left < 20_000
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert run.budget.tokens_left == 20_000 - ctx.ledger[0].usage.total


@pytest.mark.parametrize(
    ("limits", "kind", "words"),
    [
        ("maxTokens: 6500, reserveForFinal: 5000", "tokens", "tokens, 1500 are left"),
        ("maxTokens: 20000, maxCostUsd: 0.01", "cost", "nano-dollars"),
    ],
)
async def test_a_call_that_does_not_fit_is_not_made(limits: str, kind: str, words: str) -> None:
    settings = SETTINGS.replace("maxTokens: 1000", "maxTokens: 750")
    agent = compiled(f"limits: {{{limits}}}", settings=settings)
    run, ctx, prompt = begin(agent=agent)
    prompt.body["max_tokens"] = 1500
    with pytest.raises(LimitReached) as caught:
        await call_model(run, prompt)
    assert caught.value.kind == kind
    assert "the execute call may need" in caught.value.detail
    assert words in caught.value.detail
    assert ctx.requests == []


async def test_a_model_without_a_price_is_counted_in_tokens_and_its_cost_is_unknown() -> None:
    agent = compiled(settings=SETTINGS.replace("claude-sonnet-5-5", "my-own-model"))
    run, ctx, prompt = begin(HELLO, fails("timeout", maybe_billed=True), HELLO, agent=agent)
    await call_model(run, prompt)
    await call_model(run, prompt)
    assert [entry.cost_nano for entry in ctx.ledger] == [None, None, None]
    assert (run.state.cost_nano, run.state.unpriced_calls) == (0, 3)
    assert run.state.tokens > 900
    assert [event.cost_nano for event in ctx.events] == [None, None, None]


class TestTime:
    @pytest.mark.parametrize(
        ("gone", "final", "given"),
        [(0, False, 48.0), (30, False, 20.0), (30, True, 30.0), (49, True, 11.0)],
    )
    async def test_a_call_gets_what_is_left_of_the_turn(
        self, gone: float, final: bool, given: float
    ) -> None:
        slow = compiled(
            "limits: {turnTimeout: 60s}",
            settings=SETTINGS.replace("apiKey:", "timeout: 48s, apiKey:"),
        )
        run, ctx, prompt = begin(HELLO, agent=slow)
        ctx.advance(gone)
        await call_model(run, prompt, final=final)
        assert ctx.timeouts == [pytest.approx(given)]

    @pytest.mark.parametrize(("gone", "final"), [(50, False), (51, False), (60, True), (90, True)])
    async def test_no_call_is_begun_when_no_time_is_left(self, gone: float, final: bool) -> None:
        run, ctx, prompt = begin()
        ctx.advance(gone)
        with pytest.raises(LimitReached) as caught:
            await call_model(run, prompt, final=final)
        assert caught.value.kind == "time"
        assert ctx.requests == []

    async def test_no_retry_is_waited_for_that_would_come_too_late(self) -> None:
        run, ctx, prompt = begin(fails(retry_after=40.0))
        ctx.advance(20)
        with pytest.raises(ModelUnavailable):
            await call_model(run, prompt)
        assert not any(entry.startswith("sleep") for entry in ctx.log)


def test_a_step_result_survives_json() -> None:
    failure = fails("rate_limit", status=429, retry_after=2.5, maybe_billed=True)
    reply = ModelReply([{"type": "text"}], None, Usage(1, 2, 3, 4, 5), None, 1.5, {"a": 1})
    assert ModelFailure.from_json(failure.to_json()) == failure
    assert ModelReply.from_json(reply.to_json()) == reply
