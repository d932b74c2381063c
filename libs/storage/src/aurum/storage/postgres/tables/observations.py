"""Tables of observations and of the completeness of their days."""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, Index, Integer, PrimaryKeyConstraint, SmallInteger, Table, text

from aurum.storage.postgres.tables.metadata import INSTANT, NUMBER, metadata

observation = Table(
    "observation",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("ts", INSTANT, nullable=False),
    Column("value", NUMBER, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    Column("known_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("series_id", "ts"),
    comment="The value now known of each point. No foreign key: the loader holds the series row, and COPY stays fast.",
)

observation_version = Table(
    "observation_version",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("ts", INSTANT, nullable=False),
    Column("known_at", INSTANT, nullable=False),
    Column("superseded_at", INSTANT, nullable=False),
    Column("value", NUMBER, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "ts", "known_at"),
    CheckConstraint("known_at < superseded_at", name="lasts"),
    comment="Values that are no longer current, each with the half-open time in which it was.",
)

observation_confirmation = Table(
    "observation_confirmation",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("known_at", INSTANT, nullable=False),
    Column("ts", ARRAY(INSTANT), nullable=False),
    PrimaryKeyConstraint("series_id", "known_at"),
    comment="Points a publication repeated unchanged. Read by the loader only, when an older publication arrives late.",
)

completeness = Table(
    "completeness",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("present", Integer, nullable=False),
    PrimaryKeyConstraint("series_id", "day"),
    Index("ix_completeness_incomplete", "series_id", "day", postgresql_where=text("present < expected")),
)
