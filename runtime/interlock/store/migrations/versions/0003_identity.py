"""API keys in the store, and which key a conversation was opened with."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("created_by", sa.String),
        sa.Column("expires_at", sa.String),
        sa.Column("revoked_at", sa.String),
        sa.Column("last_used_at", sa.String),
    )
    active = sa.text("revoked_at IS NULL")
    op.create_index(
        "ix_api_keys_name",
        "api_keys",
        ["name"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )
    op.add_column("conversations", sa.Column("api_key", sa.String))


def downgrade() -> None:
    op.drop_column("conversations", "api_key")
    op.drop_table("api_keys")
