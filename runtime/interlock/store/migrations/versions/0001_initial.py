"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snapshots",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("files", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("customer_id", sa.String),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
        sa.Column("spent_tokens", sa.BigInteger, nullable=False),
        sa.Column("spent_cost_nano", sa.BigInteger, nullable=False),
        sa.Column("unpriced_calls", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_conversations_customer", "conversations", ["customer_id", "id"])
    op.create_index("ix_conversations_updated_at", "conversations", ["updated_at"])
    op.create_table(
        "messages",
        sa.Column(
            "conversation_id", sa.String, sa.ForeignKey("conversations.id"), primary_key=True
        ),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("turn_id", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("conversation_id", sa.String, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("snapshot", sa.String, sa.ForeignKey("snapshots.digest"), nullable=False),
        sa.Column("outcome", sa.String),
        sa.Column("reply", sa.Text),
        sa.Column("reason", sa.String),
        sa.Column("iterations", sa.Integer, nullable=False),
        sa.Column("model_calls", sa.Integer, nullable=False),
        sa.Column("tool_calls", sa.Integer, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("cost_nano", sa.BigInteger, nullable=False),
        sa.Column("unpriced_calls", sa.Integer, nullable=False),
        sa.Column("escalation", sa.Text),
        sa.Column("started_at", sa.String, nullable=False),
        sa.Column("ended_at", sa.String),
        sa.UniqueConstraint("conversation_id", "sequence", name="uq_turns_conversation_sequence"),
    )
    running = sa.text("state = 'running'")
    op.create_index(
        "ix_turns_running", "turns", ["id"], sqlite_where=running, postgresql_where=running
    )
    op.create_table(
        "trace_events",
        sa.Column("turn_id", sa.String, primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("time", sa.String, nullable=False),
        sa.Column("conversation_id", sa.String, nullable=False),
        sa.Column("customer_id", sa.String),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("snapshot", sa.String, nullable=False),
        sa.Column("iteration", sa.Integer, nullable=False),
        sa.Column("latency_ms", sa.Float),
        sa.Column("model", sa.String),
        sa.Column("tokens", sa.BigInteger),
        sa.Column("cost_nano", sa.BigInteger),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("turn_id", sa.String, nullable=False),
        sa.Column("conversation_id", sa.String, nullable=False),
        sa.Column("customer_id", sa.String),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("route", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_write_5m_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_write_1h_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("cost_nano", sa.BigInteger),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("time", sa.String, nullable=False),
    )
    op.create_index("ix_ledger_conversation", "ledger", ["conversation_id"])
    op.create_index("ix_ledger_customer_time", "ledger", ["customer_id", "time"])
    op.create_index("ix_ledger_time", "ledger", ["time"])


def downgrade() -> None:
    for name in ("ledger", "trace_events", "turns", "messages", "conversations", "snapshots"):
        op.drop_table(name)
