"""The tables, as SQLAlchemy Core sees them. Migrations make them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_instant = DateTime(timezone=True)
_number = Double[float]()

source = Table(
    "source",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("homepage", Text, nullable=False),
    Column("terms", Text, nullable=False),
)

dataset = Table(
    "dataset",
    metadata,
    Column("source", Text, ForeignKey("source.name", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("frequency", Text, nullable=False),
    Column("measures", JSONB, nullable=False),
    Column("market", Text),
    Column("reference", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("freshness_hours", _number),
    PrimaryKeyConstraint("source", "name"),
)

block = Table(
    "block",
    metadata,
    Column("calendar", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    # False once a user has changed it: declarations then leave it alone.
    Column("shipped", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("calendar", "name"),
)

series = Table(
    "series",
    metadata,
    Column("series_id", Integer, Identity(always=True), primary_key=True),
    # The C collation: keys sort by code point, the same on every machine, and a prefix is an index range.
    Column("key", Text(collation="C"), nullable=False),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("location", Text(collation="C"), nullable=False),
    Column("measure", Text, nullable=False),
    Column("market", Text),
    Column("unit", Text, nullable=False),
    Column("currency", Text),
    Column("frequency", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("location_name", Text, nullable=False),
    Column("location_type", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("first_ts", _instant),
    Column("last_ts", _instant),
    Column("updated_at", _instant),
    UniqueConstraint("key"),
    Index("ix_series_source_dataset_key", "source", "dataset", "key"),
    Index("ix_series_location_key", "location", "key"),
    # Every load rewrites counters on the rows of its series: room on the page keeps those updates off the indexes.
    postgresql_with={"fillfactor": "70"},
)

observation = Table(
    "observation",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("ts", _instant, nullable=False),
    Column("value", _number, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    Column("known_at", _instant, nullable=False),
    PrimaryKeyConstraint("series_id", "ts"),
    comment="The value now known of each point. No foreign key: the loader holds the series row, and COPY stays fast.",
)

observation_version = Table(
    "observation_version",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("ts", _instant, nullable=False),
    Column("known_at", _instant, nullable=False),
    Column("superseded_at", _instant, nullable=False),
    Column("value", _number, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "ts", "known_at"),
    CheckConstraint("known_at < superseded_at", name="lasts"),
    comment="Values that are no longer current, each with the half-open time in which it was.",
)

observation_confirmation = Table(
    "observation_confirmation",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("known_at", _instant, nullable=False),
    Column("ts", ARRAY(_instant), nullable=False),
    PrimaryKeyConstraint("series_id", "known_at"),
    comment="Points a publication repeated unchanged. Read by the loader only, when an older publication arrives late.",
)

ingest_file = Table(
    "ingest_file",
    metadata,
    Column("file_id", BigInteger, Identity(always=True), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("known_at", _instant),
    Column("known_at_basis", Text, nullable=False),
    Column("rows_read", BigInteger, nullable=False, server_default=text("0")),
    Column("new", BigInteger, nullable=False, server_default=text("0")),
    Column("revised", BigInteger, nullable=False, server_default=text("0")),
    Column("unchanged", BigInteger, nullable=False, server_default=text("0")),
    Column("quarantined", BigInteger, nullable=False, server_default=text("0")),
    Column("seconds", _number, nullable=False, server_default=text("0")),
    Column("loaded_at", _instant, nullable=False, server_default=text("now()")),
    CheckConstraint("status IN ('applied', 'refused')", name="status"),
    Index("ix_ingest_file_digest", "digest"),
    Index("ix_ingest_file_source_dataset", "source", "dataset"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("row_id", BigInteger, Identity(always=True), primary_key=True),
    Column("file_id", BigInteger, ForeignKey("ingest_file.file_id"), nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("column", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("created_at", _instant, nullable=False, server_default=text("now()")),
    Column("replayed_at", _instant),
    Index("ix_quarantine_file_id", "file_id"),
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
