"""From what the runtime and the store hold to what the API shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.runtime import Answered
from interlock.service.money import known_cost, usd_text
from interlock.service.schemas import (
    Escalation,
    FeedbackView,
    SwitchView,
    TraceEventView,
    TranscriptMessage,
    TurnView,
)
from interlock.store.people_records import Feedback, StoredMessage
from interlock.store.records import Conversation, Switch, Turn

__all__ = [
    "answer_json",
    "feedback_view",
    "summary_fields",
    "switch_views",
    "trace_event_view",
    "transcript",
    "turn_view",
]


def answer_json(answered: Answered) -> JsonObject:
    """The fields of `schemas.Answer`; plain JSON, as this is made for every message."""
    result = answered.result
    return {
        "turnId": answered.turn_id,
        "conversationId": answered.conversation_id,
        "outcome": result.outcome,
        "reply": result.reply,
        "reason": result.reason,
        "iterations": result.iterations,
        "modelCalls": result.model_calls,
        "toolCalls": result.tool_calls,
        "tokens": result.tokens,
        "costUsd": known_cost(result.cost_nano, result.unpriced_calls),
        "unpricedCalls": result.unpriced_calls,
        "escalation": result.escalation,
        "snapshot": answered.snapshot,
    }


def summary_fields(conversation: Conversation) -> dict[str, Any]:
    """The fields of a conversation. Its session is left out: claims may hold credentials."""
    return {
        "id": conversation.id,
        "agent": conversation.agent,
        "customer_id": conversation.customer_id,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
        "tokens": conversation.spent.tokens,
        "cost_usd": known_cost(conversation.spent.cost_nano, conversation.unpriced_calls),
        "unpriced_calls": conversation.unpriced_calls,
    }


def turn_view(turn: Turn, feedback: Feedback | None = None) -> TurnView:
    """A turn; what a running one has used is not known yet."""
    ended = turn.state == "ended"
    return TurnView(
        id=turn.id,
        conversation_id=turn.conversation_id,
        state=turn.state,
        text=turn.text,
        outcome=turn.outcome,
        reply=turn.reply,
        reason=turn.reason,
        iterations=turn.iterations if ended else None,
        model_calls=turn.model_calls if ended else None,
        tool_calls=turn.tool_calls if ended else None,
        tokens=turn.tokens if ended else None,
        cost_usd=known_cost(turn.cost_nano, turn.unpriced_calls) if ended else None,
        unpriced_calls=turn.unpriced_calls if ended else None,
        escalation=Escalation.model_validate(turn.escalation) if turn.escalation else None,
        snapshot=turn.snapshot,
        started_at=turn.started_at,
        ended_at=turn.ended_at,
        feedback=None if feedback is None else feedback_view(feedback),
    )


def feedback_view(feedback: Feedback) -> FeedbackView:
    """What a customer thinks of a turn."""
    return FeedbackView(rating=feedback.rating, text=feedback.text, at=feedback.at)


def transcript(
    messages: Iterable[StoredMessage], *, notes: bool = False
) -> list[TranscriptMessage]:
    """What was said, oldest first; with `notes` also what customers do not see."""
    return [
        TranscriptMessage(
            role=message.role,
            text=message.text,
            author=message.author,
            turn_id=message.turn_id,
            time=message.created_at,
        )
        for message in messages
        if notes or message.role != "note"
    ]


def switch_views(switches: Iterable[Switch]) -> list[SwitchView]:
    """What is switched off, as the API shows it."""
    return [
        SwitchView(
            kind=switch.kind,
            name=switch.name,
            agent=switch.agent,
            since=switch.since,
            who=switch.who,
            why=switch.why,
        )
        for switch in switches
    ]


def trace_event_view(event: TraceEvent) -> TraceEventView:
    """A trace event with all that was recorded."""
    return TraceEventView(
        sequence=event.sequence,
        type=event.type,
        time=event.time,
        conversation_id=event.conversation_id,
        customer_id=event.customer_id,
        turn_id=event.turn_id,
        agent=event.agent,
        snapshot=event.snapshot,
        iteration=event.iteration,
        latency_ms=event.latency_ms,
        model=event.model,
        tokens=event.tokens,
        cost_usd=None if event.cost_nano is None else usd_text(event.cost_nano),
        data=event.data,
    )
