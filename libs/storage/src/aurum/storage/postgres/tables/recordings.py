"""Tables of what each transaction recorded: recordings, changes by dataset, issues of forecasts, and what to take back."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from aurum.storage.postgres.tables.metadata import INSTANT, NUMBER, metadata

recording = Table(
    "recording",
    metadata,
    Column("recording_id", BigInteger, Identity(), primary_key=True),
    Column("recorded_at", INSTANT, nullable=False),
    Column("action", Text, nullable=False),
    Column("file_id", BigInteger),
    UniqueConstraint("file_id"),
    Index("ix_recording_recorded_at", "recorded_at"),
    comment="Every transaction that added or restated observations, with the instant of its commit. Never deleted.",
)

change = Table(
    "change",
    metadata,
    Column("position", BigInteger, Identity(), primary_key=True),
    Column("recording_id", BigInteger, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("action", Text, nullable=False),
    Column("file_id", BigInteger),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("known_at", INSTANT),
    Column("known_at_basis", Text, nullable=False),
    Column("series", Integer, nullable=False),
    Column("new", BigInteger, nullable=False),
    Column("revised", BigInteger, nullable=False),
    Column("first_ts", INSTANT),
    Column("last_ts", INSTANT),
    Index("ix_change_source_dataset_position", "source", "dataset", "position"),
    Index("ix_change_recording_id", "recording_id"),
    Index("ix_change_recorded_at", "recorded_at"),
    comment="One entry a recording and dataset, in the order of commits: no position appears below one that was given out.",
)

issue = Table(
    "issue",
    metadata,
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("known_at", INSTANT, nullable=False),
    Column("file_id", BigInteger, nullable=False),
    Column("known_at_basis", Text, nullable=False),
    Column("scheduled_at", INSTANT),
    Column("first_ts", INSTANT, nullable=False),
    Column("last_ts", INSTANT, nullable=False),
    Column("series", Integer, nullable=False),
    PrimaryKeyConstraint("source", "dataset", "known_at", "file_id"),
    Index("ix_issue_file_id", "file_id"),
    comment="Issues of forecasts. scheduled_at: the usual publication time that identifies an issue of several days.",
)

observation_undo = Table(
    "observation_undo",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("recording_id", BigInteger, nullable=False),
    Column("is_added", Boolean, nullable=False),
    Column("ts", ARRAY(INSTANT), nullable=False),
    Column("known_at", ARRAY(INSTANT), nullable=False),
    Column("value", ARRAY(NUMBER)),
    Column("quality", ARRAY(SmallInteger)),
    PrimaryKeyConstraint("series_id", "recording_id", "is_added"),
    comment="Publications that a recording added, where file_series does not tell, and those it took away, with content.",
)
