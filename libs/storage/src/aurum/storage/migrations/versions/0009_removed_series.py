"""series that were removed, until their rows are erased from history

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    op.create_table(
        "removed_series",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("series_id", name="pk_removed_series"),
        comment="Series that an operator removed; erased_at: when history held none of their rows any more.",
    )


def downgrade() -> None:
    op.drop_table("removed_series")
