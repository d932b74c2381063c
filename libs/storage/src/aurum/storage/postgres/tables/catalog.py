"""Tables of the declared catalog and of series."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, NUMBER, metadata

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
    Column("freshness_hours", NUMBER),
    PrimaryKeyConstraint("source", "name"),
)

block = Table(
    "block",
    metadata,
    Column("calendar", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    # False once a user has changed the block: declarations then do not replace it.
    Column("shipped", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("calendar", "name"),
)

series = Table(
    "series",
    metadata,
    Column("series_id", Integer, Identity(always=True), primary_key=True),
    # With the C collation keys sort by code point, the same on every machine, and a prefix is an index range.
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
    Column("first_ts", INSTANT),
    Column("last_ts", INSTANT),
    Column("updated_at", INSTANT),
    Column("business_days", Text),
    UniqueConstraint("key"),
    Index("ix_series_source_dataset_key", "source", "dataset", "key"),
    Index("ix_series_location_key", "location", "key"),
    # Every load updates counters in the rows of its series. Free room on the page saves those updates the indexes.
    postgresql_with={"fillfactor": "70"},
)
