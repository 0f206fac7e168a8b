"""Values of the model as rows to write; `now` is a time from `encode_time`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.turn import Message, Role, TurnRequest, TurnResult
from interlock.store.encoding import clean_text, encode_json, encode_time, pack_files
from interlock.store.records import HistoryEntry, Switch, SwitchKind
from interlock.store.statements import (
    ADD_BREAKER,
    ADD_MESSAGE,
    ADD_SNAPSHOT,
    BEGIN_TURN,
    CHARGE,
    CREATE_CONVERSATION,
    END_TURN,
    LIFT_SWITCH,
    RECORD_ACTIVATION,
    RECORD_EVENT,
    REPLACE_MESSAGE,
    REPLACE_TURN_TEXT,
    SET_SWITCH,
    UPDATE_BREAKER,
    UPDATE_CONVERSATION,
    USE_KEY,
    Row,
    Rows,
    Statement,
)
from interlock.turn.ports import LedgerEntry

__all__ = [
    "activation_rows",
    "breaker_rows",
    "conversation_rows",
    "cost_rows",
    "end_rows",
    "event_rows",
    "key_use_rows",
    "lift_rows",
    "message_rows",
    "snapshot_rows",
    "switch_rows",
    "turn_rows",
]


def snapshot_rows(digest: str, files: Mapping[str, bytes], *, now: str) -> Rows:
    """A configuration snapshot."""
    return ((ADD_SNAPSHOT, {"digest": digest, "created_at": now, "files": pack_files(files)}),)


def activation_rows(entry: HistoryEntry, files: Mapping[str, bytes], *, now: str) -> Rows:
    """An activation, and its snapshot if that is new."""
    row = {
        "id": entry.id,
        "digest": entry.digest,
        "previous": entry.previous,
        "at": encode_time(entry.at),
        "trigger": entry.trigger,
        "who": _optional(entry.who),
        "why": _optional(entry.why),
    }
    return (*snapshot_rows(entry.digest, files, now=now), (RECORD_ACTIVATION, row))


def switch_rows(switch_id: str, switch: Switch) -> Rows:
    """Something that is switched off."""
    row = {
        "id": switch_id,
        **_target(switch.kind, switch.name, switch.agent),
        "disabled_at": encode_time(switch.since),
        "who": _optional(switch.who),
        "why": clean_text(switch.why),
    }
    return ((SET_SWITCH, row),)


def lift_rows(kind: SwitchKind, name: str, *, agent: str | None, who: str | None, now: str) -> Rows:
    """Something that is switched on again."""
    row = {**_target(kind, name, agent), "who": _optional(who), "now": now}
    return ((LIFT_SWITCH, row),)


def key_use_rows(use: tuple[str, datetime]) -> Rows:
    """When an API key, by its id, was used."""
    key_id, at = use
    return ((USE_KEY, {"of": key_id, "now": encode_time(at)}),)


def breaker_rows(name: str, status: JsonObject, *, now: str) -> Rows:
    """What is kept of a breaker."""
    kept = {"status": encode_json(status), "changed_at": now}
    return ((ADD_BREAKER, {"name": name, **kept}), (UPDATE_BREAKER, {"of": name, **kept}))


def conversation_rows(
    conversation_id: str,
    *,
    agent: str,
    customer_id: str | None,
    session: JsonObject,
    now: str,
    api_key: str | None = None,
) -> Rows:
    """A new conversation."""
    row = {
        "id": conversation_id,
        "agent": clean_text(agent),
        "customer_id": _optional(customer_id),
        "session": encode_json(session),
        "created_at": now,
        "updated_at": now,
        "spent_tokens": 0,
        "spent_cost_nano": 0,
        "unpriced_calls": 0,
        "api_key": _optional(api_key),
    }
    return ((CREATE_CONVERSATION, row),)


def turn_rows(request: TurnRequest, snapshot: str, *, now: str) -> Rows:
    """A running turn and its customer's message."""
    text = clean_text(request.text)
    turn = {
        "id": request.turn_id,
        "conversation_id": request.conversation_id,
        "text": text,
        "snapshot": snapshot,
        "started_at": now,
    }
    return (
        (BEGIN_TURN, turn),
        _message(request.turn_id, request.conversation_id, role=request.role, text=text, now=now),
        _change(request.conversation_id, touched=now),
    )


def end_rows(turn_id: str, conversation_id: str, *, result: TurnResult, now: str) -> Rows:
    """The end of a turn, the agent's message, and the customer's if it was redacted."""
    reply = clean_text(result.reply)
    turn = {
        "of": turn_id,
        "of_conversation": conversation_id,
        "outcome": result.outcome,
        "reply": reply,
        "reason": clean_text(result.reason),
        "iterations": result.iterations,
        "model_calls": result.model_calls,
        "tool_calls": result.tool_calls,
        "tokens": result.tokens,
        "cost_nano": result.cost_nano,
        "unpriced_calls": result.unpriced_calls,
        "escalation": None if result.escalation is None else encode_json(result.escalation),
        "ended_at": now,
    }
    kept = {"of": turn_id, "kept": clean_text(result.message or "")}
    redacted = (
        () if result.message is None else ((REPLACE_TURN_TEXT, kept), (REPLACE_MESSAGE, kept))
    )
    return (
        *redacted,
        (END_TURN, turn),
        _message(turn_id, conversation_id, role="agent", text=reply, now=now),
        _change(conversation_id, touched=now),
    )


def message_rows(turn_id: str, conversation_id: str, message: Message, *, now: str) -> Rows:
    """A message that no turn wrote; `turn_id` is the turn that it belongs to."""
    text = clean_text(message.text)
    return (
        _message(
            turn_id, conversation_id, role=message.role, text=text, now=now, author=message.author
        ),
        _change(conversation_id, touched=now),
    )


def event_rows(event: TraceEvent) -> Rows:
    """A trace event."""
    row = {
        "turn_id": event.turn_id,
        "sequence": event.sequence,
        "type": event.type,
        "time": encode_time(event.time),
        "conversation_id": event.conversation_id,
        "customer_id": _optional(event.customer_id),
        "agent": clean_text(event.agent),
        "snapshot": event.snapshot,
        "iteration": event.iteration,
        "latency_ms": event.latency_ms,
        "model": _optional(event.model),
        "tokens": event.tokens,
        "cost_nano": event.cost_nano,
        "data": encode_json(event.data),
    }
    return ((RECORD_EVENT, row),)


def cost_rows(entry: LedgerEntry) -> Rows:
    """A ledger entry, and its sum for the conversation."""
    usage = entry.usage
    row = {
        "turn_id": entry.turn_id,
        "conversation_id": entry.conversation_id,
        "customer_id": _optional(entry.customer_id),
        "agent": clean_text(entry.agent),
        "route": clean_text(entry.route),
        "provider": clean_text(entry.provider),
        "model": clean_text(entry.model),
        "input_tokens": usage.input,
        "cache_write_5m_tokens": usage.cache_write_5m,
        "cache_write_1h_tokens": usage.cache_write_1h,
        "cache_read_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "cost_nano": entry.cost_nano,
        "estimated": entry.estimated,
        "time": encode_time(entry.time),
    }
    change = _change(
        entry.conversation_id,
        tokens=usage.total,
        cost_nano=entry.cost_nano or 0,
        unpriced_calls=1 if entry.cost_nano is None else 0,
    )
    return ((CHARGE, row), change)


def _target(kind: SwitchKind, name: str, agent: str | None) -> Row:
    return {"kind": kind, "name": clean_text(name), "agent": _optional(agent)}


def _optional(text: str | None) -> str | None:
    return None if text is None else clean_text(text)


def _message(
    turn_id: str,
    conversation_id: str,
    *,
    role: Role,
    text: str,
    now: str,
    author: str | None = None,
) -> tuple[Statement, Row]:
    row = {
        "conversation_id": conversation_id,
        "turn_id": turn_id,
        "role": role,
        "text": text,
        "created_at": now,
        "author": _optional(author),
    }
    return ADD_MESSAGE, row


def _change(
    conversation_id: str,
    *,
    touched: str | None = None,
    tokens: int = 0,
    cost_nano: int = 0,
    unpriced_calls: int = 0,
) -> tuple[Statement, Row]:
    row = {
        "of": conversation_id,
        "touched": touched,
        "add_spent_tokens": tokens,
        "add_spent_cost_nano": cost_nano,
        "add_unpriced_calls": unpriced_calls,
    }
    return UPDATE_CONVERSATION, row
