"""What a tool call gives: success, not found or error, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from interlock.model.base import Json, JsonObject

__all__ = ["Effect", "ToolResult", "ToolStatus"]

ToolStatus = Literal["success", "not_found", "error"]

Effect = Literal["none", "applied", "unknown"]
"""What the call changed in the world; `unknown` must never be repeated blindly."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of one tool call, as the model, the trace and the limits see it."""

    status: ToolStatus
    data: Json = None
    """What the tool returned, projected and cut to size; for an error, details if any."""
    message: str | None = None
    """For `error` and `not_found`: what happened and what may be done about it."""
    retryable: bool = False
    effect: Effect = "none"
    cut: tuple[str, ...] = ()
    """What was left out of `data` to keep it small."""
    attempts: int = 0
    """Calls that were really made; 0 for one that was refused before."""
    latency_ms: float = 0.0
    breaker: JsonObject | None = None
    """What the tool's breaker did about the call, for the trace; None if it did nothing."""

    @classmethod
    def error(
        cls, message: str, *, retryable: bool = False, effect: Effect = "none", data: Json = None
    ) -> ToolResult:
        """A failed call."""
        return cls("error", data, message, retryable=retryable, effect=effect)

    def to_json(self) -> JsonObject:
        """The result as JSON, for step results and the trace."""
        noted = {} if self.breaker is None else {"breaker": self.breaker}
        return {
            "status": self.status,
            "data": self.data,
            "message": self.message,
            "retryable": self.retryable,
            "effect": self.effect,
            "cut": list(self.cut),
            "attempts": self.attempts,
            "latencyMs": self.latency_ms,
            **noted,
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> ToolResult:
        """The inverse of `to_json`."""
        return cls(
            status=value["status"],
            data=value["data"],
            message=value["message"],
            retryable=value["retryable"],
            effect=value["effect"],
            cut=tuple(value["cut"]),
            attempts=value["attempts"],
            latency_ms=value["latencyMs"],
            breaker=value.get("breaker"),
        )

    def for_model(self) -> JsonObject:
        """What the model reads: the status first, never an empty field."""
        shown: JsonObject = {"status": self.status}
        if self.data is not None:
            shown["data"] = self.data
        if self.message:
            shown["message"] = self.message
        if self.status == "error":
            shown["retryable"] = self.retryable
        if self.effect == "unknown":
            shown["effect"] = "unknown: it may or may not have happened"
        if self.cut:
            shown["cut"] = list(self.cut)
        return shown
