"""Turns and their traces."""

from __future__ import annotations

from fastapi import APIRouter, Request

from interlock.service.access import runtime_of, turn_id
from interlock.service.openapi import problems
from interlock.service.schemas import TraceView, TurnView
from interlock.service.views import trace_event_view, turn_view

__all__ = ["router"]

router = APIRouter(prefix="/v1/turns", tags=["turns"], responses=problems(404, 422))


@router.get("/{id}")
async def read_turn(request: Request, id: str) -> TurnView:
    """One turn: what was asked, what was answered, and what it took."""
    store = runtime_of(request).store
    turn = await store.turn(turn_id(id))
    feedback = await store.people.feedback(turn.conversation_id)
    return turn_view(turn, feedback.get(turn.id))


@router.get("/{id}/trace")
async def read_trace(request: Request, id: str) -> TraceView:
    """Everything that was recorded about a turn, in order."""
    store = runtime_of(request).store
    # The turn first: if it has ended by then, all its events are there.
    turn = await store.turn(turn_id(id))
    events = await store.events(turn.id)
    return TraceView(
        turn_id=turn.id, state=turn.state, events=[trace_event_view(event) for event in events]
    )
