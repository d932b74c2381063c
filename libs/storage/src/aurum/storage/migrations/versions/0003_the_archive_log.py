"""the archive log: the archived months of each series and their ids in history

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
kind = "historical"


def upgrade() -> None:
    op.create_table(
        "archive_run",
        sa.Column("archive_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unnamed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("archive_id", name="pk_archive_run"),
        comment="Every id under which rows were ever written to history; unnamed_at: when a part last lost its name.",
    )
    op.create_table(
        "archived_part",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("archive_id", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["archive_id"], ["archive_run.archive_id"], name="fk_archived_part_archive_id_archive_run"),
        sa.PrimaryKeyConstraint("series_id", "month", name="pk_archived_part"),
        comment="Where the rows of a series and month (UTC) stand in history. What is not named here does not exist there.",
    )
    op.create_index("ix_archived_part_archive_id", "archived_part", ["archive_id"])


def downgrade() -> None:
    # Without the log no reader would find the rows in history.
    op.execute(
        """DO $$ BEGIN
            IF EXISTS (SELECT FROM archived_part) THEN
                RAISE EXCEPTION 'months are archived: bring them back before the log of them goes';
            END IF;
        END $$"""
    )
    op.drop_table("archived_part")
    op.drop_table("archive_run")
