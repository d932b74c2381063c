"""recordings, changes and issues: what each transaction added to the store, so that it can be read as it stood

Loads of older code would leave no recording, so answers as loaded by some instant would be wrong: the floor rises.

Revision: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.migrations.operations import raise_floor

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
kind = "contract"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    raise_floor("0016", release="0.2")
    op.create_table(
        "recording",
        sa.Column("recording_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("file_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("recording_id", name="pk_recording"),
        sa.UniqueConstraint("file_id", name="uq_recording_file_id"),
        comment="Every transaction that added or restated observations, with the instant of its commit. Never deleted.",
    )
    op.create_index("ix_recording_recorded_at", "recording", ["recorded_at"])
    op.execute("INSERT INTO recording (recorded_at, action) VALUES (clock_timestamp(), 'begin')")
    op.create_table(
        "change",
        sa.Column("position", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("recording_id", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("file_id", sa.BigInteger()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("known_at", _INSTANT),
        sa.Column("known_at_basis", sa.Text(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("new", sa.BigInteger(), nullable=False),
        sa.Column("revised", sa.BigInteger(), nullable=False),
        sa.Column("first_ts", _INSTANT),
        sa.Column("last_ts", _INSTANT),
        sa.PrimaryKeyConstraint("position", name="pk_change"),
        comment="One entry a recording and dataset, in the order of commits: no position appears below one that was given out.",
    )
    op.create_index("ix_change_source_dataset_position", "change", ["source", "dataset", "position"])
    op.create_index("ix_change_recording_id", "change", ["recording_id"])
    op.create_index("ix_change_recorded_at", "change", ["recorded_at"])
    op.create_table(
        "issue",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("known_at", _INSTANT, nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("known_at_basis", sa.Text(), nullable=False),
        sa.Column("scheduled_at", _INSTANT),
        sa.Column("first_ts", _INSTANT, nullable=False),
        sa.Column("last_ts", _INSTANT, nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "dataset", "known_at", "file_id", name="pk_issue"),
        comment="Issues of forecasts. scheduled_at: the usual publication time that identifies an issue of several days.",
    )
    op.create_index("ix_issue_file_id", "issue", ["file_id"])
    op.create_table(
        "observation_undo",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("recording_id", sa.BigInteger(), nullable=False),
        sa.Column("is_added", sa.Boolean(), nullable=False),
        sa.Column("ts", sa.ARRAY(_INSTANT), nullable=False),
        sa.Column("known_at", sa.ARRAY(_INSTANT), nullable=False),
        sa.Column("value", sa.ARRAY(sa.Double[float]())),
        sa.Column("quality", sa.ARRAY(sa.SmallInteger())),
        sa.PrimaryKeyConstraint("series_id", "recording_id", "is_added", name="pk_observation_undo"),
        comment="Publications that a recording added, where file_series does not tell, and those it took away, with content.",
    )
    op.add_column("file_series", sa.Column("new_first_ts", _INSTANT))
    op.add_column("file_series", sa.Column("new_last_ts", _INSTANT))
    for column in ("is_sole", "is_scheduled"):
        op.add_column("file_series", sa.Column(column, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("dataset", sa.Column("publication", JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("dataset", sa.Column("is_forecast", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.drop_column("dataset", "is_forecast")
    op.drop_column("dataset", "publication")
    for column in ("is_scheduled", "is_sole", "new_last_ts", "new_first_ts"):
        op.drop_column("file_series", column)
    for table in ("observation_undo", "issue", "change", "recording"):
        op.drop_table(table)
