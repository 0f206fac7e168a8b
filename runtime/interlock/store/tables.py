"""The tables, as every database that we support can hold them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from interlock.model.base import Json
from interlock.store.encoding import decode_json, encode_time

__all__ = [
    "SCHEMA",
    "JsonText",
    "UtcTime",
    "activations",
    "api_keys",
    "breakers",
    "conversations",
    "ledger",
    "messages",
    "metadata",
    "snapshots",
    "switches",
    "trace_events",
    "turns",
]

SCHEMA = "0005"
"""The newest migration, which brings a database to exactly these tables."""


class UtcTime(TypeDecorator[datetime]):
    """A timezone-aware time, kept as text from `encode_time`."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """The time as text."""
        return None if value is None else encode_time(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """The time, in UTC."""
        return None if value is None else datetime.fromisoformat(value)


class JsonText(TypeDecorator[Json]):
    """JSON as text. Written as text from `encode_json`, read as the value.

    Encoded by the writer's caller, since a value may change between recording and commit.
    """

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Json:
        """The value."""
        return None if value is None else decode_json(value)


metadata = MetaData()

snapshots = Table(
    "snapshots",
    metadata,
    Column("digest", String, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Column("files", LargeBinary, nullable=False),  # from `pack_files`
)

activations = Table(
    "activations",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, ForeignKey("snapshots.digest"), nullable=False),
    Column("previous", String),
    Column("at", UtcTime, nullable=False),
    Column("trigger", String, nullable=False),
    Column("who", String),
    Column("why", Text),
)

# What was switched off stays on record after it was lifted.
switches = Table(
    "switches",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # agent | tool
    Column("name", String, nullable=False),
    Column("agent", String),  # the only agent for which a tool is off
    Column("disabled_at", UtcTime, nullable=False),
    Column("who", String),
    Column("why", Text, nullable=False),
    Column("lifted_at", UtcTime),
    Column("lifted_by", String),
    Index(
        "ix_switches_active",
        "id",
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
)

# Revoked keys stay on record, and their names can be used again.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),  # chat | operator | admin
    Column("sha256", String, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("last_used_at", UtcTime),
    Index(
        "ix_api_keys_name",
        "name",
        unique=True,
        sqlite_where=text("revoked_at IS NULL"),
        postgresql_where=text("revoked_at IS NULL"),
    ),
)

# One row a breaker that has ever changed; `status` is what its state machine keeps.
breakers = Table(
    "breakers",
    metadata,
    Column("name", String, primary_key=True),
    Column("status", JsonText, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String, primary_key=True),
    Column("agent", String, nullable=False),
    Column("customer_id", String),
    Column("session", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    # Sums of the ledger, written in the transaction that writes the ledger's entries.
    Column("spent_tokens", BigInteger, nullable=False),
    Column("spent_cost_nano", BigInteger, nullable=False),
    Column("unpriced_calls", BigInteger, nullable=False),
    Column("api_key", String),  # the name of the key that it was opened with
    Index("ix_conversations_customer", "customer_id", "id"),
    Index("ix_conversations_updated_at", "updated_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("conversation_id", String, ForeignKey("conversations.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("turn_id", String, nullable=False),
    Column("role", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("author", String),  # the colleague, of a person's message or note
)

turns = Table(
    "turns",
    metadata,
    Column("id", String, primary_key=True),
    Column("conversation_id", String, ForeignKey("conversations.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("state", String, nullable=False),  # running | ended
    Column("text", Text, nullable=False),
    Column("snapshot", String, ForeignKey("snapshots.digest"), nullable=False),
    Column("outcome", String),
    Column("reply", Text),
    Column("reason", String),
    Column("iterations", Integer, nullable=False),
    Column("model_calls", Integer, nullable=False),
    Column("tool_calls", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    Column("unpriced_calls", Integer, nullable=False),
    Column("escalation", JsonText),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    UniqueConstraint("conversation_id", "sequence", name="uq_turns_conversation_sequence"),
    Index(
        "ix_turns_running",
        "id",
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)

# No foreign keys below: what was spent and seen is kept even if its turn could not be written.

# A conversation's events are found by way of its turns.
trace_events = Table(
    "trace_events",
    metadata,
    Column("turn_id", String, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("type", String, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("conversation_id", String, nullable=False),
    Column("customer_id", String),
    Column("agent", String, nullable=False),
    Column("snapshot", String, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("latency_ms", Float),
    Column("model", String),
    Column("tokens", BigInteger),
    Column("cost_nano", BigInteger),
    Column("data", JsonText, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    # SQLite numbers rows by itself only if the column is exactly INTEGER, which has 64 bits there.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("turn_id", String, nullable=False),
    Column("conversation_id", String, nullable=False),
    Column("customer_id", String),
    Column("agent", String, nullable=False),
    Column("route", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("model", String, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cache_write_5m_tokens", BigInteger, nullable=False),
    Column("cache_write_1h_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost_nano", BigInteger),
    Column("estimated", Boolean, nullable=False),
    Column("time", UtcTime, nullable=False),
    Index("ix_ledger_conversation", "conversation_id"),
    Index("ix_ledger_customer_time", "customer_id", "time"),
    Index("ix_ledger_time", "time"),
)
