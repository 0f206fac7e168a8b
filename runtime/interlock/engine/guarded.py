"""Tools and model servers as turns reach them: behind their breakers and the spend caps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from pydantic_core import to_json

from interlock.breakers.spend import CapReached
from interlock.breakers.status import Change
from interlock.engine.breaker_names import cap_name, provider_name, tool_name, yaml_key
from interlock.engine.breakers import Breakers
from interlock.engine.steps import ModelProvider, Services, ToolCaller
from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.model.usage import Price, Usage, usd
from interlock.turn.budget import estimate_tokens
from interlock.turn.ports import ModelFailure, ModelReply

__all__ = ["guard_services"]

_LEAST_SECONDS = 1.0
"""A model call with less time than this is not worth waiting for."""

_FAIR_SECONDS = 5.0
"""A time-out after less, at the end of a turn, says nothing about the model server."""

_OVERLOAD = frozenset({"overloaded", "rate_limit", "server", "timeout", "connection"})
"""The failures that say that a model server has too much to do, or does not work."""


def guard_services(
    services: Services,
    breakers: Breakers,
    *,
    customer_id: str | None,
    price_of: Callable[[str], Price | None],
) -> Services:
    """The services for one turn: the same, but what is open or paid up is not called."""
    return Services(
        {
            name: _Provider(name, provider, breakers, customer_id, price_of)
            for name, provider in services.providers.items()
        },
        _Tools(services.tools, breakers),
    )


class _Tools:
    """Calls a tool unless its breaker is open."""

    def __init__(self, tools: ToolCaller, breakers: Breakers) -> None:
        self._tools = tools
        self._breakers = breakers

    async def call(
        self,
        name: str,
        input: JsonObject,
        *,
        timeout_seconds: float,
        session: JsonObject,
        idempotency_key: str | None = None,
    ) -> ToolResult:
        """The result; that of a call that was not made is an error that must not be repeated."""
        calls, breaker = self._breakers.calls, tool_name(name)
        admission = calls.admit(breaker)
        if not admission.allowed:
            message = f"'{name}' does not work at present and was not called: do not retry"
            return replace(ToolResult.error(message), breaker=_note(breaker, "open: not called"))
        try:
            result = await self._tools.call(
                name,
                input,
                timeout_seconds=timeout_seconds,
                session=session,
                idempotency_key=idempotency_key,
            )
        except BaseException:
            calls.abandon(breaker, admission)
            raise
        if result.status == "error" and not result.attempts:
            # Nothing was sent, so nothing was learnt.
            calls.abandon(breaker, admission)
            return _noted(result, breaker, admission.change)
        change = calls.record(breaker, admission, ok=not _is_fault(result))
        return _noted(result, breaker, change or admission.change)


class _Provider:
    """Calls a model server unless its breaker is open or the call costs too much.

    While the server cools down a call waits, as long as there is time for it afterwards.
    """

    def __init__(
        self,
        name: str,
        provider: ModelProvider,
        breakers: Breakers,
        customer_id: str | None,
        price_of: Callable[[str], Price | None],
    ) -> None:
        self._breaker = provider_name(name)
        self._provider = provider
        self._breakers = breakers
        self._customer_id = customer_id
        self._price_of = price_of

    async def call(self, body: JsonObject, *, timeout_seconds: float) -> ModelReply | ModelFailure:
        """The reply, or why there is none."""
        calls, name = self._breakers.calls, self._breaker
        deadline = time.monotonic() + timeout_seconds
        while not (admission := calls.admit(name)).allowed:
            left = deadline - time.monotonic() - _LEAST_SECONDS
            wait = self._cool_down(admission.retry_at)
            if wait is None or wait > left:
                return self._not_called(wait)
            await calls.wait(name, max(0.001, wait))
        price = self._price_of(body["model"])
        try:
            held = self._breakers.hold(self._customer_id, _worst_cost(body, price))
            if isinstance(held, CapReached):
                calls.abandon(name, admission)
                return _refused(held)
            spent = held.nano
            try:
                answer = await self._provider.call(
                    body, timeout_seconds=max(0.001, deadline - time.monotonic())
                )
                spent = _cost(answer, price, held.nano)
            finally:
                # Of a call that was broken off nobody knows what it cost: it counts in full.
                self._breakers.settle(held, spent)
        except asyncio.CancelledError:
            calls.abandon(name, admission)
            raise
        change: Change | None = None
        if isinstance(answer, ModelReply) or answer.kind not in _OVERLOAD:
            change = calls.record(name, admission, ok=True)
        elif answer.kind == "timeout" and timeout_seconds < _FAIR_SECONDS:
            calls.abandon(name, admission)
        else:
            change = calls.record(name, admission, ok=False, wait=answer.retry_after_seconds)
        change = change or admission.change
        return answer if change is None else replace(answer, breaker=_changed(name, change))

    def _cool_down(self, retry_at: float | None) -> float | None:
        """Seconds until the server may be called; None if only an operator can tell."""
        if retry_at is not None:
            return max(0.0, retry_at - self._breakers.now)
        breaker = self._breakers.calls.find(self._breaker)
        if breaker is None or breaker.status.held:
            return None
        # It is being probed, which ends when a call ends: those who wait are woken then.
        return _LEAST_SECONDS

    def _not_called(self, wait: float | None) -> ModelFailure:
        message = "the server was not called: its breaker is open"
        return ModelFailure(
            "overloaded",
            message,
            None,
            wait,
            maybe_billed=False,
            request_id=None,
            latency_ms=0.0,
            breaker=_note(self._breaker, "open: not called"),
        )


def _is_fault(result: ToolResult) -> bool:
    """Whether a result says that the tool does not work, rather than that it says no.

    Were refusals to count, any customer could open the breaker with requests that make no sense.
    """
    return result.status == "error" and (result.retryable or result.effect == "unknown")


def _worst_cost(body: JsonObject, price: Price | None) -> int:
    # One token more, as a turn that adds up estimates rounds each of them up.
    prompt = estimate_tokens(len(to_json(body))) + 1
    return price.worst(prompt, body["max_tokens"]) if price else 0


def _cost(answer: ModelReply | ModelFailure, price: Price | None, held: int) -> int:
    if isinstance(answer, ModelFailure):
        return held if answer.maybe_billed else 0
    usage: Usage = answer.usage
    return price.cost(usage) if price else 0


def _refused(reached: CapReached) -> ModelFailure:
    name = cap_name(reached.cap)
    message = (
        f"the spend cap {yaml_key(name)} is reached: "
        f"{usd(reached.used):.4f} of {usd(reached.most):.4f} USD are used; raise it, or wait"
    )
    return ModelFailure(
        "paused",
        message,
        None,
        None,
        maybe_billed=False,
        request_id=None,
        latency_ms=0.0,
        breaker=_note(name, message),
    )


def _noted(result: ToolResult, name: str, change: Change | None) -> ToolResult:
    return result if change is None else replace(result, breaker=_changed(name, change))


def _changed(name: str, change: Change) -> JsonObject:
    return _note(name, f"{change.state.replace('_', ' ')}: {change.why}")


def _note(name: str, detail: str) -> JsonObject:
    """As a trace event of type `breaker` has it."""
    return {"breaker": name, "limit": yaml_key(name), "detail": detail}
