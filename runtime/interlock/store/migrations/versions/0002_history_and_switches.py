"""Which configurations were activated, and what is switched off."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activations",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("digest", sa.String, sa.ForeignKey("snapshots.digest"), nullable=False),
        sa.Column("previous", sa.String),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("trigger", sa.String, nullable=False),
        sa.Column("who", sa.String),
        sa.Column("why", sa.Text),
    )
    op.create_table(
        "switches",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("agent", sa.String),
        sa.Column("disabled_at", sa.String, nullable=False),
        sa.Column("who", sa.String),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("lifted_at", sa.String),
        sa.Column("lifted_by", sa.String),
    )
    active = sa.text("lifted_at IS NULL")
    op.create_index(
        "ix_switches_active", "switches", ["id"], sqlite_where=active, postgresql_where=active
    )


def downgrade() -> None:
    op.drop_table("switches")
    op.drop_table("activations")
