"""Trace events: one recorded fact about a turn each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from interlock.model.base import JsonObject

__all__ = ["EventType", "TraceEvent"]

EventType = Literal[
    "plan",
    "model_call",
    "tool_call",
    "tool_result",
    "guardrail",
    "observation",
    "breaker",
    "approval",
    "escalation",
    "response",
    "config",
]


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One fact, complete in itself. `docs/trace.md` lists what `data` holds for each type."""

    turn_id: str
    sequence: int
    """Counts from 1 within the turn; with the turn's id it is the event's identity."""
    type: EventType
    time: datetime
    conversation_id: str
    customer_id: str | None
    agent: str
    snapshot: str
    """Digest of the configuration that the turn runs on."""
    iteration: int
    """0 before the first plan."""
    latency_ms: float | None = None
    model: str | None = None
    tokens: int | None = None
    cost_nano: int | None = None
    """Nano-dollars; None where nothing was billed or the price is unknown."""
    data: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """The event as the API and the sinks give it."""
        return {
            "turnId": self.turn_id,
            "sequence": self.sequence,
            "type": self.type,
            "time": self.time.isoformat(),
            "conversationId": self.conversation_id,
            "customerId": self.customer_id,
            "agent": self.agent,
            "snapshot": self.snapshot,
            "iteration": self.iteration,
            "latencyMs": self.latency_ms,
            "model": self.model,
            "tokens": self.tokens,
            "costNano": self.cost_nano,
            "data": self.data,
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> TraceEvent:
        """The inverse of `to_json`."""
        return cls(
            turn_id=value["turnId"],
            sequence=value["sequence"],
            type=value["type"],
            time=datetime.fromisoformat(value["time"]),
            conversation_id=value["conversationId"],
            customer_id=value["customerId"],
            agent=value["agent"],
            snapshot=value["snapshot"],
            iteration=value["iteration"],
            latency_ms=value["latencyMs"],
            model=value["model"],
            tokens=value["tokens"],
            cost_nano=value["costNano"],
            data=value["data"],
        )
