"""What is read from the store; every function runs in a thread and takes one connection."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    String,
    bindparam,
    func,
    literal_column,
    null,
    select,
    type_coerce,
)

from interlock.errors import ConversationNotFound
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.turn import Message, Spent, TurnResult
from interlock.model.usage import Usage
from interlock.store.encoding import unpack_files
from interlock.store.people_records import StoredMessage
from interlock.store.records import (
    Conversation,
    HistoryEntry,
    Spending,
    StoredKey,
    Switch,
    Turn,
    TurnNotFound,
)
from interlock.store.tables import (
    activations,
    api_keys,
    breakers,
    conversations,
    ledger,
    messages,
    snapshots,
    switches,
    trace_events,
    turns,
)
from interlock.turn.ports import LedgerEntry

__all__ = [
    "read_activations",
    "read_api_keys",
    "read_breakers",
    "read_conversation",
    "read_conversations",
    "read_events",
    "read_history",
    "read_ledger",
    "read_messages",
    "read_running_turns",
    "read_snapshot",
    "read_snapshot_digests",
    "read_spending",
    "read_switches",
    "read_transcript",
    "read_turn",
    "read_turns",
    "sum_turn",
]

_CONVERSATION = select(conversations).where(conversations.c.id == bindparam("id"))
_TRANSCRIPT = (
    select(messages.c.role, messages.c.text, messages.c.author)
    .where(messages.c.conversation_id == bindparam("id"))
    .order_by(messages.c.sequence)
)
_TURN = select(turns).where(turns.c.id == bindparam("id"))
_TURNS = select(turns).where(turns.c.conversation_id == bindparam("id")).order_by(turns.c.sequence)
# The literal is spelled out so that the partial index serves the query.
_RUNNING = select(turns).where(turns.c.state == literal_column("'running'")).order_by(turns.c.id)
_EVENTS = (
    select(trace_events)
    .where(trace_events.c.turn_id == bindparam("id"))
    .order_by(trace_events.c.sequence)
)
_SWITCHES = select(switches).where(switches.c.lifted_at.is_(None)).order_by(switches.c.id)
_API_KEYS = select(api_keys).order_by(api_keys.c.id)
_LEDGER = select(ledger).where(ledger.c.conversation_id == bindparam("id")).order_by(ledger.c.id)


def read_snapshot(connection: Connection, digest: str) -> dict[str, bytes] | None:
    """A snapshot's files by path, or None."""
    query = select(snapshots.c.files).where(snapshots.c.digest == digest)
    packed = connection.scalar(query)
    return None if packed is None else unpack_files(packed)


def read_snapshot_digests(connection: Connection, prefix: str, limit: int) -> tuple[str, ...]:
    """Up to `limit` known digests that begin with `prefix`, in order."""
    digest = snapshots.c.digest
    query = select(digest).where(digest.startswith(prefix, autoescape=True))
    return tuple(connection.scalars(query.order_by(digest).limit(limit)))


def read_activations(
    connection: Connection, *, limit: int, before: str | None
) -> tuple[HistoryEntry, ...]:
    """Up to `limit` activations, newest first, recorded before the one with id `before`."""
    query = select(activations).order_by(activations.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(activations.c.id < before)
    return tuple(HistoryEntry(**row._mapping) for row in connection.execute(query))


def read_switches(connection: Connection) -> tuple[Switch, ...]:
    """All that is switched off, oldest first."""
    return tuple(
        Switch(
            kind=row.kind,
            name=row.name,
            agent=row.agent,
            since=row.disabled_at,
            who=row.who,
            why=row.why,
        )
        for row in connection.execute(_SWITCHES)
    )


def read_api_keys(connection: Connection) -> tuple[StoredKey, ...]:
    """All API keys that were ever made, oldest first."""
    return tuple(StoredKey(**row._mapping) for row in connection.execute(_API_KEYS))


def read_breakers(connection: Connection) -> dict[str, JsonObject]:
    """What is kept of every breaker, by name."""
    rows = connection.execute(select(breakers))
    return {row.name: row.status for row in rows}


def read_spending(
    connection: Connection, *, since: datetime, by_customer: bool
) -> tuple[Spending, ...]:
    """What was spent from a time on, a row for each minute or each of its customers."""
    # ISO 8601 as text: the first 16 characters are the minute, in every database.
    minute = func.substr(type_coerce(ledger.c.time, String), 1, 16).label("minute")
    customer = ledger.c.customer_id if by_customer else null().label("customer_id")
    query = (
        select(minute, customer, func.sum(ledger.c.cost_nano))
        .where(ledger.c.time >= since, ledger.c.cost_nano.is_not(None))
        .group_by("minute", *([ledger.c.customer_id] if by_customer else []))
        .order_by("minute")
    )
    return tuple(
        Spending(datetime.fromisoformat(f"{at}+00:00"), customer, int(nano))
        for at, customer, nano in connection.execute(query)
    )


def read_conversation(connection: Connection, conversation_id: str) -> Conversation:
    """One conversation; `ConversationNotFound` if there is none."""
    row = connection.execute(_CONVERSATION, {"id": conversation_id}).one_or_none()
    if row is None:
        raise ConversationNotFound(conversation_id)
    return _conversation(row)


def read_conversations(
    connection: Connection,
    *,
    customer_id: str | None,
    limit: int,
    before: str | None,
    api_key: str | None = None,
    unclaimed: bool = False,
) -> tuple[Conversation, ...]:
    """Up to `limit` conversations, newest first, which began before the one with id `before`.

    `api_key` leaves those that were opened with it, `unclaimed` those of no customer.
    """
    query = select(conversations).order_by(conversations.c.id.desc()).limit(limit)
    if customer_id is not None:
        query = query.where(conversations.c.customer_id == customer_id)
    if api_key is not None:
        query = query.where(conversations.c.api_key == api_key)
    if unclaimed:
        query = query.where(conversations.c.customer_id.is_(None))
    if before is not None:
        query = query.where(conversations.c.id < before)
    return tuple(_conversation(row) for row in connection.execute(query))


def read_transcript(connection: Connection, conversation_id: str) -> tuple[Message, ...]:
    """A conversation's messages, oldest first."""
    rows = connection.execute(_TRANSCRIPT, {"id": conversation_id})
    return tuple(Message(role, text, author) for role, text, author in rows)


def read_messages(connection: Connection, conversation_id: str) -> tuple[StoredMessage, ...]:
    """A conversation's messages with all that is kept of them, oldest first."""
    query = select(
        *(messages.c[name] for name in ("role", "text", "author", "turn_id", "created_at"))
    ).where(messages.c.conversation_id == conversation_id)
    rows = connection.execute(query.order_by(messages.c.sequence))
    return tuple(StoredMessage(**row._mapping) for row in rows)


def read_history(
    connection: Connection, conversation_id: str
) -> tuple[Conversation, tuple[Message, ...]]:
    """One conversation and its messages; `ConversationNotFound` if there is none."""
    conversation = read_conversation(connection, conversation_id)
    return conversation, read_transcript(connection, conversation_id)


def read_turn(connection: Connection, turn_id: str) -> Turn:
    """One turn; `TurnNotFound` if there is none."""
    row = connection.execute(_TURN, {"id": turn_id}).one_or_none()
    if row is None:
        raise TurnNotFound(turn_id)
    return _turn(row)


def read_turns(connection: Connection, conversation_id: str) -> tuple[Turn, ...]:
    """A conversation's turns, oldest first."""
    return tuple(_turn(row) for row in connection.execute(_TURNS, {"id": conversation_id}))


def read_running_turns(connection: Connection) -> tuple[Turn, ...]:
    """All turns that have not ended."""
    return tuple(_turn(row) for row in connection.execute(_RUNNING))


def read_events(connection: Connection, turn_id: str) -> tuple[TraceEvent, ...]:
    """A turn's trace, in order."""
    return tuple(TraceEvent(**row._mapping) for row in connection.execute(_EVENTS, {"id": turn_id}))


def read_ledger(connection: Connection, conversation_id: str) -> tuple[LedgerEntry, ...]:
    """What a conversation's model calls cost, in the order in which they were charged."""
    rows = connection.execute(_LEDGER, {"id": conversation_id})
    return tuple(_entry(row) for row in rows)


def sum_turn(connection: Connection, turn: Turn, *, reply: str, reason: str) -> TurnResult:
    """What an interrupted turn did and cost, as far as it was recorded."""
    kind = trace_events.c.type
    query = select(
        func.coalesce(func.max(trace_events.c.iteration), 0),
        func.count().filter(kind == "model_call"),
        func.count().filter(kind == "tool_call"),
    ).where(trace_events.c.turn_id == turn.id)
    iterations, model_calls, tool_calls = connection.execute(query).one()
    entries = [
        entry for entry in read_ledger(connection, turn.conversation_id) if entry.turn_id == turn.id
    ]
    return TurnResult(
        outcome="failed",
        reply=reply,
        reason=reason,
        iterations=iterations,
        model_calls=model_calls,
        tool_calls=tool_calls,
        tokens=sum(entry.usage.total for entry in entries),
        cost_nano=sum(entry.cost_nano or 0 for entry in entries),
        unpriced_calls=sum(entry.cost_nano is None for entry in entries),
    )


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        id=row.id,
        agent=row.agent,
        customer_id=row.customer_id,
        session=row.session,
        created_at=row.created_at,
        updated_at=row.updated_at,
        spent=Spent(row.spent_tokens, row.spent_cost_nano),
        unpriced_calls=row.unpriced_calls,
        api_key=row.api_key,
    )


def _turn(row: Row[Any]) -> Turn:
    return Turn(**row._mapping)


def _entry(row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(
        turn_id=row.turn_id,
        conversation_id=row.conversation_id,
        customer_id=row.customer_id,
        agent=row.agent,
        route=row.route,
        provider=row.provider,
        model=row.model,
        usage=Usage(
            input=row.input_tokens,
            cache_write_5m=row.cache_write_5m_tokens,
            cache_write_1h=row.cache_write_1h_tokens,
            cache_read=row.cache_read_tokens,
            output=row.output_tokens,
        ),
        cost_nano=row.cost_nano,
        estimated=row.estimated,
        time=row.time,
    )
