"""The tables of what people have to do with: escalations, approvals, feedback."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, text

from interlock.store.tables import JsonText, UtcTime, metadata

__all__ = ["approvals", "escalations", "feedback"]

_ACTIVE = text("state IN ('open', 'claimed')")

escalations = Table(
    "escalations",
    metadata,
    Column("id", String, primary_key=True),
    Column("conversation_id", String, ForeignKey("conversations.id"), nullable=False),
    Column("turn_id", String, ForeignKey("turns.id"), nullable=False),
    Column("agent", String, nullable=False),
    Column("customer_id", String),
    Column("queue", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("detail", Text),
    Column("summary", Text, nullable=False),
    Column("last_tool_call", JsonText),
    Column("state", String, nullable=False),  # open | claimed | closed
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime),
    Column("overdue_at", UtcTime),  # when it was noticed that nobody had answered in time
    Column("claimed_by", String),
    Column("claimed_at", UtcTime),
    Column("answered_at", UtcTime),
    Column("closed_by", String),
    Column("closed_at", UtcTime),
    Column("resolution", Text),
    Column("handed_back", Integer, nullable=False),
    Index("ix_escalations_state", "state", "id"),
    # A conversation is with one person at most.
    Index(
        "uq_escalations_active",
        "conversation_id",
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    ),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String, primary_key=True),
    Column("conversation_id", String, ForeignKey("conversations.id"), nullable=False),
    Column("turn_id", String, ForeignKey("turns.id"), nullable=False),
    Column("agent", String, nullable=False),
    Column("customer_id", String),
    Column("snapshot", String, ForeignKey("snapshots.digest"), nullable=False),
    Column("tool", String, nullable=False),
    Column("input", JsonText, nullable=False),  # as the model wrote it, or a person changed it
    Column("arguments", JsonText, nullable=False),  # with the bound values: the exact call
    Column("action_key", String, nullable=False),
    Column("asked_key", String, nullable=False),  # of the call as the model asked for it
    Column("why", Text),
    Column("state", String, nullable=False),  # pending, a verdict, or done
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("verdict", String),
    Column("decided_by", String),
    Column("decided_at", UtcTime),
    Column("reason", Text),
    Column("attempted_at", UtcTime),  # committed before the call is made
    Column("result", JsonText),
    Index("ix_approvals_state", "state", "id"),
    Index("ix_approvals_asked_key", "conversation_id", "asked_key"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("turn_id", String, ForeignKey("turns.id"), primary_key=True),
    Column("conversation_id", String, ForeignKey("conversations.id"), nullable=False),
    Column("rating", Integer, nullable=False),
    Column("text", Text),
    Column("at", UtcTime, nullable=False),
    Index("ix_feedback_conversation", "conversation_id"),
)
