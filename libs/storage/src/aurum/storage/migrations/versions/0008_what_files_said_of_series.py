"""the series that each file touched, for changes, lineage and issues of forecasts

Revision: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    op.create_table(
        "file_series",
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("first_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("revised", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["ingest_file.file_id"], name="fk_file_series_file_id_ingest_file", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "series_id", name="pk_file_series"),
        comment="What each file said of each series: from which to which interval start, how many points it added and revised.",
    )
    op.create_index("ix_file_series_series_id_known_at", "file_series", ["series_id", "known_at"])


def downgrade() -> None:
    op.drop_table("file_series")
