"""Tables of the schedule and of watermarks."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Integer, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

schedule = Table(
    "schedule",
    metadata,
    Column("name", Text, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("cron", Text),
    Column("zone", Text, nullable=False),
    Column("every_s", Integer),
    Column("jitter_s", Integer, nullable=False),
    Column("misfire", Text, nullable=False),
    Column("is_on", Boolean, nullable=False),
    Column("since", INSTANT, nullable=False, server_default=text("now()")),
    Column("last_due", INSTANT),
    Column("last_job", Text),
    Column("is_edited", Boolean, nullable=False),
    Column("updated_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("updated_by", Text, nullable=False),
    CheckConstraint("num_nonnulls(cron, every_s) = 1", name="times"),
    comment="Jobs that are submitted at certain times. Times that cannot be read are shown, and stop no other schedule.",
)

watermark = Table(
    "watermark",
    metadata,
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("fetched_to", Date),
    Column("last_attempt", INSTANT),
    Column("last_success", INSTANT),
    Column("next_due", INSTANT),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("source", "dataset"),
    comment="How far each dataset was fetched from its publisher.",
)

fetched_day = Table(
    "fetched_day",
    metadata,
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("source", "dataset", "day"),
    comment="Local days of datasets that fetches and backfills have tried, and what became of them.",
)
