"""The states of breakers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "breakers",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("changed_at", sa.String, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("breakers")
