"""Recording what happens in a turn, with all that belongs to every event filled in."""

from __future__ import annotations

from interlock.model.base import JsonObject
from interlock.model.event import EventType, TraceEvent
from interlock.model.turn import TurnRequest
from interlock.turn.agent import CompiledAgent
from interlock.turn.ports import Ctx

__all__ = ["Recorder"]


class Recorder:
    """Numbers and emits the trace events of one turn."""

    def __init__(self, ctx: Ctx, agent: CompiledAgent, request: TurnRequest) -> None:
        self._ctx = ctx
        self._agent = agent
        self._request = request
        self._sequence = 0

    def emit(
        self,
        kind: EventType,
        data: JsonObject,
        *,
        iteration: int,
        latency_ms: float | None = None,
        model: str | None = None,
        tokens: int | None = None,
        cost_nano: int | None = None,
    ) -> None:
        """Emits the turn's next event."""
        self._sequence += 1
        self._ctx.emit(
            TraceEvent(
                turn_id=self._request.turn_id,
                sequence=self._sequence,
                type=kind,
                time=self._ctx.now(),
                conversation_id=self._request.conversation_id,
                customer_id=self._request.customer_id,
                agent=self._agent.spec.name,
                snapshot=self._agent.snapshot,
                iteration=iteration,
                latency_ms=latency_ms,
                model=model,
                tokens=tokens,
                cost_nano=cost_nano,
                data=data,
            )
        )
