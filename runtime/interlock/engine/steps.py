"""The step functions: all that a turn can do to the world, by name, JSON in and JSON out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult
from interlock.turn.ports import ModelFailure, ModelReply, StepName

__all__ = ["STEPS", "ModelProvider", "Services", "ToolCaller"]


class ModelProvider(Protocol):
    """A server that answers model calls."""

    async def call(self, body: JsonObject, *, timeout_seconds: float) -> ModelReply | ModelFailure:
        """The reply, or why there is none; raises nothing but a cancellation."""
        ...


class ToolCaller(Protocol):
    """What carries tool calls out."""

    async def call(
        self,
        name: str,
        input: JsonObject,
        *,
        timeout_seconds: float,
        session: JsonObject,
        idempotency_key: str | None = None,
    ) -> ToolResult:
        """The result; raises nothing but a cancellation."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What the steps of a generation work with."""

    providers: Mapping[str, ModelProvider]
    tools: ToolCaller


async def _model_call(services: Services, args: JsonObject) -> JsonObject:
    provider = services.providers[args["provider"]]
    answer = await provider.call(args["body"], timeout_seconds=args["timeoutSeconds"])
    return answer.to_json()


async def _tool_calls(services: Services, args: JsonObject) -> JsonObject:
    session = args["session"]
    calls = [_call(services, call, session) for call in args["calls"]]
    # One call is the common case, and needs no task of its own.
    results = [await calls[0]] if len(calls) == 1 else await asyncio.gather(*calls)
    return {"results": [result.to_json() for result in results]}


async def _mutation(services: Services, args: JsonObject) -> JsonObject:
    result = await _call(services, args["call"], args["session"], key=args["key"])
    return result.to_json()


async def _call(
    services: Services, call: JsonObject, session: JsonObject, *, key: str | None = None
) -> ToolResult:
    return await services.tools.call(
        call["tool"],
        call["input"],
        timeout_seconds=call["timeoutSeconds"],
        session=session,
        idempotency_key=key,
    )


STEPS: Mapping[StepName, Callable[[Services, JsonObject], Awaitable[JsonObject]]] = {
    "model_call": _model_call,
    "tool_calls": _tool_calls,
    "mutation": _mutation,
}
"""Every step by its registered name."""
