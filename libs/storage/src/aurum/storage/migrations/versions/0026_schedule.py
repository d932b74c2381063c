"""schedule, watermark and fetched_day: which jobs are submitted when, and how far each dataset was fetched

Revision: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)
_NOW = sa.text("now()")


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("every_s", sa.Integer(), nullable=True),
        sa.Column("jitter_s", sa.Integer(), nullable=False),
        sa.Column("misfire", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("since", _INSTANT, server_default=_NOW, nullable=False),
        sa.Column("last_due", _INSTANT, nullable=True),
        sa.Column("last_job", sa.Text(), nullable=True),
        sa.Column("is_edited", sa.Boolean(), nullable=False),
        sa.Column("updated_at", _INSTANT, server_default=_NOW, nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schedule"),
        sa.CheckConstraint("num_nonnulls(cron, every_s) = 1", name="ck_schedule_times"),
        comment="Jobs that are submitted at certain times. Times that cannot be read are shown, and stop no other schedule.",
    )
    op.create_table(
        "watermark",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("fetched_to", sa.Date(), nullable=True),
        sa.Column("last_attempt", _INSTANT, nullable=True),
        sa.Column("last_success", _INSTANT, nullable=True),
        sa.Column("next_due", _INSTANT, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "dataset", name="pk_watermark"),
        comment="How far each dataset was fetched from its publisher.",
    )
    op.create_table(
        "fetched_day",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "dataset", "day", name="pk_fetched_day"),
        comment="Local days of datasets that fetches and backfills have tried, and what became of them.",
    )


def downgrade() -> None:
    op.drop_table("fetched_day")
    op.drop_table("watermark")
    op.drop_table("schedule")
