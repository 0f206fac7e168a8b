"""Escalations, approvals, feedback, and who wrote a message."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("author", sa.String))
    op.create_table(
        "escalations",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("conversation_id", sa.String, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("turn_id", sa.String, sa.ForeignKey("turns.id"), nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("customer_id", sa.String),
        sa.Column("queue", sa.String, nullable=False),
        sa.Column("priority", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("last_tool_call", sa.Text),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("due_at", sa.String),
        sa.Column("overdue_at", sa.String),
        sa.Column("claimed_by", sa.String),
        sa.Column("claimed_at", sa.String),
        sa.Column("answered_at", sa.String),
        sa.Column("closed_by", sa.String),
        sa.Column("closed_at", sa.String),
        sa.Column("resolution", sa.Text),
        sa.Column("handed_back", sa.Integer, nullable=False),
    )
    op.create_index("ix_escalations_state", "escalations", ["state", "id"])
    active = sa.text("state IN ('open', 'claimed')")
    op.create_index(
        "uq_escalations_active",
        "escalations",
        ["conversation_id"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("conversation_id", sa.String, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("turn_id", sa.String, sa.ForeignKey("turns.id"), nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("customer_id", sa.String),
        sa.Column("snapshot", sa.String, sa.ForeignKey("snapshots.digest"), nullable=False),
        sa.Column("tool", sa.String, nullable=False),
        sa.Column("input", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("action_key", sa.String, nullable=False),
        sa.Column("asked_key", sa.String, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("expires_at", sa.String, nullable=False),
        sa.Column("verdict", sa.String),
        sa.Column("decided_by", sa.String),
        sa.Column("decided_at", sa.String),
        sa.Column("reason", sa.Text),
        sa.Column("attempted_at", sa.String),
        sa.Column("result", sa.Text),
    )
    op.create_index("ix_approvals_state", "approvals", ["state", "id"])
    op.create_index("ix_approvals_asked_key", "approvals", ["conversation_id", "asked_key"])
    op.create_table(
        "feedback",
        sa.Column("turn_id", sa.String, sa.ForeignKey("turns.id"), primary_key=True),
        sa.Column("conversation_id", sa.String, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("rating", sa.Integer, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("at", sa.String, nullable=False),
    )
    op.create_index("ix_feedback_conversation", "feedback", ["conversation_id"])


def downgrade() -> None:
    op.drop_table("feedback")
    op.drop_table("approvals")
    op.drop_table("escalations")
    # A reader of the tables before this does not know what to make of these.
    op.execute("DELETE FROM messages WHERE role NOT IN ('customer', 'agent')")
    op.drop_column("messages", "author")
