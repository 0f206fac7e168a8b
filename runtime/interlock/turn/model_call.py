"""One model call: reserved, made, retried within the deadline, settled, traced, charged."""

from __future__ import annotations

from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.model.usage import Usage
from interlock.turn.agent import ModelRoute
from interlock.turn.budget import Reservation, Shortage, estimate_tokens
from interlock.turn.ports import LedgerEntry, ModelFailure, ModelReply
from interlock.turn.prompts import Prompt
from interlock.turn.retry import retry_delay
from interlock.turn.run import LimitReached, ModelUnavailable, Run

__all__ = ["call_model"]

_LEAST_SECONDS = 0.05
"""Less time than this is none: no model answers so fast."""


async def call_model(run: Run, prompt: Prompt, *, final: bool = False) -> ModelReply:
    """The model's reply.

    Args:
        final: the call may use the budget and the time kept back for a last answer.

    Raises:
        LimitReached: the call does not fit into the budget or the time.
        ModelUnavailable: the model did not answer, or refuses such requests.
    """
    route = run.agent.routes[prompt.route]
    size = len(to_json(prompt.body))
    attempt = 0
    while True:
        attempt += 1
        seconds = min(route.timeout_seconds, run.seconds_left(final=final))
        if seconds < _LEAST_SECONDS:
            raise LimitReached("time", "no time is left for a model call")
        held = _reserve(run, route, prompt, size, final=final)
        args = {"provider": route.provider, "body": prompt.body, "timeoutSeconds": seconds}
        facts: JsonObject = {
            "route": prompt.route,
            "attempt": attempt,
            "tools": list(prompt.tools),
            "reservedTokens": held.tokens,
            "promptBytes": size,
        }
        if prompt.reminded:
            facts["reminded"] = True
        try:
            answer = await run.ctx.step("model_call", args)
        except BaseException as error:
            # Cancelled or broken: the server may go on and bill the call, so it counts in full.
            _settle_broken(run, route, prompt, held, {**facts, "message": type(error).__name__})
            raise
        note = answer.get("breaker")
        if note is not None:
            run.trace.emit("breaker", note, iteration=run.state.iteration)
        if answer["ok"]:
            reply = ModelReply.from_json(answer)
            _settle(run, route, prompt, held, size, reply, facts)
            return reply
        failure = ModelFailure.from_json(answer)
        if failure.kind == "paused":
            # No attempt was made, so there is nothing to count and nothing to try again.
            run.budget.settle(held, 0, 0)
            raise LimitReached("spend", failure.message)
        delay = retry_delay(
            failure,
            attempt=attempt,
            retry=route.retry,
            random=run.ctx.random(),
            remaining_seconds=run.seconds_left(final=final),
        )
        _settle_failure(run, route, prompt, held, failure, {**facts, "retryInSeconds": delay})
        if delay is None and failure.kind == "timeout" and seconds < route.timeout_seconds:
            # It was the turn that had no more time, not the model that took too much.
            raise LimitReached("time", f"the {prompt.route} call had only {seconds:.1f} s left")
        if delay is None:
            raise ModelUnavailable(failure.kind, failure.message)
        await run.ctx.sleep(delay)


def _reserve(run: Run, route: ModelRoute, prompt: Prompt, size: int, *, final: bool) -> Reservation:
    output = prompt.body["max_tokens"]
    known = run.sizes.get(_size_key(route, prompt)) if prompt.comparable else None
    estimate = estimate_tokens(size, known)
    cost = route.price.worst(estimate, output) if route.price else 0
    held = run.budget.reserve(estimate + output, cost, final=final)
    if isinstance(held, Shortage):
        unit = "tokens" if held.limit == "tokens" else "nano-dollars"
        detail = f"the {prompt.route} call may need {held.needed} {unit}, {held.left} are left"
        raise LimitReached(held.limit, detail)
    return held


def _settle(
    run: Run,
    route: ModelRoute,
    prompt: Prompt,
    held: Reservation,
    size: int,
    reply: ModelReply,
    facts: JsonObject,
) -> None:
    usage = reply.usage
    cost = route.price.cost(usage) if route.price else None
    run.budget.settle(held, usage.total, cost or 0)
    if prompt.comparable:
        run.sizes[_size_key(route, prompt)] = (size, usage.prompt)
    _charge(run, route, prompt, usage, cost, estimated=False)
    run.trace.emit(
        "model_call",
        {
            **facts,
            "usage": usage.to_json(),
            "stopReason": reply.stop_reason,
            "requestId": reply.request_id,
        },
        iteration=run.state.iteration,
        latency_ms=reply.latency_ms,
        model=route.model,
        tokens=usage.total,
        cost_nano=cost,
    )


def _settle_failure(
    run: Run,
    route: ModelRoute,
    prompt: Prompt,
    held: Reservation,
    failure: ModelFailure,
    facts: JsonObject,
) -> None:
    tokens, cost = 0, 0
    if failure.maybe_billed:
        tokens, cost = _settle_unknown(run, route, prompt, held)
    else:
        run.budget.settle(held, 0, 0)
        run.state.model_calls += 1
    run.trace.emit(
        "model_call",
        {
            **facts,
            "failure": failure.kind,
            "message": failure.message,
            "status": failure.status,
            "maybeBilled": failure.maybe_billed,
            "requestId": failure.request_id,
        },
        iteration=run.state.iteration,
        latency_ms=failure.latency_ms,
        model=route.model,
        tokens=tokens or None,
        cost_nano=cost or None,
    )


def _settle_broken(
    run: Run, route: ModelRoute, prompt: Prompt, held: Reservation, facts: JsonObject
) -> None:
    tokens, cost = _settle_unknown(run, route, prompt, held)
    run.trace.emit(
        "model_call",
        {**facts, "failure": "abandoned", "maybeBilled": True},
        iteration=run.state.iteration,
        model=route.model,
        tokens=tokens,
        cost_nano=cost if route.price else None,
    )


def _settle_unknown(
    run: Run, route: ModelRoute, prompt: Prompt, held: Reservation
) -> tuple[int, int]:
    """Charges a call of which nobody knows whether it was billed at what was reserved for it."""
    run.budget.settle(held, held.tokens, held.cost_nano)
    output = prompt.body["max_tokens"]
    usage = Usage(input=held.tokens - output, output=output)
    cost = held.cost_nano if route.price else None
    _charge(run, route, prompt, usage, cost, estimated=True)
    return held.tokens, held.cost_nano


def _charge(
    run: Run,
    route: ModelRoute,
    prompt: Prompt,
    usage: Usage,
    cost_nano: int | None,
    *,
    estimated: bool,
) -> None:
    state, request = run.state, run.request
    state.model_calls += 1
    state.tokens += usage.total
    if cost_nano is None:
        state.unpriced_calls += 1
    else:
        state.cost_nano += cost_nano
    run.ctx.charge(
        LedgerEntry(
            turn_id=request.turn_id,
            conversation_id=request.conversation_id,
            customer_id=request.customer_id,
            agent=run.agent.spec.name,
            route=prompt.route,
            provider=route.provider,
            model=route.model,
            usage=usage,
            cost_nano=cost_nano,
            estimated=estimated,
            time=run.ctx.now(),
        )
    )


def _size_key(route: ModelRoute, prompt: Prompt) -> tuple[str, ...]:
    return (route.model, prompt.route, *prompt.tools)
