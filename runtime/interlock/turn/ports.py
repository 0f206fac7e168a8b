"""How the loop reaches the world: the `Ctx` port and the shapes that pass through it.

The loop is a function of (generation, request, step results): everything that could differ
between two runs goes through this port, takes JSON and returns JSON, so that a durable
implementation can record it and play it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.usage import Usage

__all__ = ["Ctx", "LedgerEntry", "ModelFailure", "ModelReply", "StepName"]

StepName = Literal["model_call", "tool_calls", "mutation"]
"""The registered step functions.

`model_call`: {provider, body, timeoutSeconds} -> a `ModelReply` or `ModelFailure` as JSON.
`tool_calls`: {calls: [{tool, input, timeoutSeconds}], session} -> {results: [ToolResult]}.
`mutation`: {call: {tool, input, timeoutSeconds}, key, session} -> ToolResult.
"""


class Ctx(Protocol):
    """The world as one turn sees it."""

    async def step(self, name: StepName, args: JsonObject) -> JsonObject:
        """Runs a registered step; its result is recorded, so it is never run again on replay."""
        ...

    async def mutate(self, key: str, args: JsonObject) -> JsonObject:
        """Runs the `mutation` step at most once for `key`; a second call gets the first result."""
        ...

    async def ask(self, key: str, args: JsonObject) -> JsonObject:
        """Asks a person whether the mutation `key` may be carried out, and waits for a while.

        {tool, input, arguments, why, waitSeconds, expiresSeconds, timeoutSeconds} -> {id, state,
        result}. `state` is `pending` or a verdict; `result` is the `ToolResult` by which the call
        is answered, null while it waits. What was decided before is not asked again.
        """
        ...

    async def switches(self) -> JsonObject:
        """What operators have switched off for this turn's agent, recorded like a step's result.

        {agent: {since, who, why} or null, tools: {name: {since, who, why}}}. Asked before
        everything that the turn does, so it has to be cheap.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits; a durable implementation wakes up in time even after a crash."""
        ...

    def emit(self, event: TraceEvent) -> None:
        """Records a trace event. Never blocks and never fails."""
        ...

    def charge(self, entry: LedgerEntry) -> None:
        """Records what a model call cost. Never blocks and never fails."""
        ...

    def now(self) -> datetime:
        """The time, timezone-aware, in UTC."""
        ...

    def random(self) -> float:
        """A number in [0, 1)."""
        ...


@dataclass(frozen=True, slots=True)
class ModelReply:
    """A model's answer, as received."""

    content: list[JsonObject]
    stop_reason: str | None
    usage: Usage
    request_id: str | None
    latency_ms: float
    stop_details: JsonObject | None = None
    breaker: JsonObject | None = None
    """What a breaker did about the call, for the trace; None if none did anything."""

    def to_json(self) -> JsonObject:
        """The reply as a step result."""
        return {
            "ok": True,
            "content": self.content,
            "stopReason": self.stop_reason,
            "usage": self.usage.to_json(),
            "requestId": self.request_id,
            "latencyMs": self.latency_ms,
            "stopDetails": self.stop_details,
            **({} if self.breaker is None else {"breaker": self.breaker}),
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> ModelReply:
        """The inverse of `to_json`."""
        return cls(
            content=value["content"],
            stop_reason=value["stopReason"],
            usage=Usage.from_json(value["usage"]),
            request_id=value["requestId"],
            latency_ms=value["latencyMs"],
            stop_details=value["stopDetails"],
            breaker=value.get("breaker"),
        )


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """A model call that gave no usable answer."""

    kind: Literal[
        "overloaded",
        "rate_limit",
        "server",
        "timeout",
        "connection",
        "malformed",
        "rejected",
        "paused",
    ]
    """`rejected` is a request that the server will never take, `paused` one that a spend cap did
    not let pass; all others may pass."""
    message: str
    status: int | None
    retry_after_seconds: float | None
    maybe_billed: bool
    """Whether the server may have done, and billed, the work."""
    request_id: str | None
    latency_ms: float
    breaker: JsonObject | None = None
    """What a breaker did about the call, for the trace; None if none did anything."""

    def to_json(self) -> JsonObject:
        """The failure as a step result."""
        return {
            "ok": False,
            "kind": self.kind,
            "message": self.message,
            "status": self.status,
            "retryAfterSeconds": self.retry_after_seconds,
            "maybeBilled": self.maybe_billed,
            "requestId": self.request_id,
            "latencyMs": self.latency_ms,
            **({} if self.breaker is None else {"breaker": self.breaker}),
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> ModelFailure:
        """The inverse of `to_json`."""
        return cls(
            kind=value["kind"],
            message=value["message"],
            status=value["status"],
            retry_after_seconds=value["retryAfterSeconds"],
            maybe_billed=value["maybeBilled"],
            request_id=value["requestId"],
            latency_ms=value["latencyMs"],
            breaker=value.get("breaker"),
        )


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What one model call cost, and to whom it is charged."""

    turn_id: str
    conversation_id: str
    customer_id: str | None
    agent: str
    route: str
    provider: str
    model: str
    usage: Usage
    cost_nano: int | None
    """Nano-dollars; None when the price is unknown."""
    estimated: bool
    """True for a call that failed but may have been billed: its reservation is charged."""
    time: datetime
