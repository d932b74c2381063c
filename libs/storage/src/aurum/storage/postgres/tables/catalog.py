"""Tables of the declared catalog and of series."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

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
    Column("publication", JSONB, nullable=False, server_default=text("'[]'")),
    Column("is_forecast", Boolean, nullable=False, server_default=text("false")),
    Column("details", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("search_order", SmallInteger, nullable=False, server_default=text("0")),
    Column("public_files", JSONB),
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
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("updated_at", INSTANT),
    Column("updated_by", Text),
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
    Column("kind", Text, nullable=False, server_default=text("'other'")),
    Column("market_run", Text),
    Column("fuel", Text),
    Column("fuel_detail", Text),
    UniqueConstraint("key"),
    Index("ix_series_source_dataset_key", "source", "dataset", "key"),
    Index("ix_series_location_key", "location", "key"),
    # Every load updates counters in the rows of its series. Free room on the page saves those updates the indexes.
    postgresql_with={"fillfactor": "70"},
)

_GROUPED_BY = (
    "source",
    "dataset",
    "market",
    "kind",
    "measure",
    "fuel",
    "location_type",
    "market_run",
    "fuel_detail",
    "frequency",
)

search_group = Table(
    "search_group",
    metadata,
    Column("group_id", Integer, Identity(always=True), primary_key=True),
    *(Column(name, Text, nullable=False) for name in _GROUPED_BY),
    Column("words", ARRAY(Text), nullable=False),
    Column("rank", SmallInteger, nullable=False),
    UniqueConstraint(*_GROUPED_BY, name="uq_search_group_attributes"),
    comment="Series that share all attributes a search compares. Attributes without a value are empty.",
)

series_search = Table(
    "series_search",
    metadata,
    Column("series_id", Integer, ForeignKey("series.series_id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("group_id", Integer, nullable=False),
    Column("key", Text(collation="C"), nullable=False),
    Column("name", Text, nullable=False),
    Column("words", TSVECTOR, nullable=False),
    Column("edition", Text, nullable=False),
    Index("ix_series_search_group_id_key", "group_id", "key"),
    Index("ix_series_search_words", "words", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": "256"}),
    comment="The words of the names of each series' place. Beside series, whose rows every load updates.",
)

search_word = Table(
    "search_word",
    metadata,
    Column("word", Text(collation="C"), primary_key=True),
    # On servers that have pg_trgm.
    Index(
        "ix_search_word_trigrams",
        "word",
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
        postgresql_where=text("word !~ '[=0-9]'"),
    ),
    comment="The distinct words of series_search.",
)

search_state = Table(
    "search_state",
    metadata,
    Column("is_only", Boolean, primary_key=True),
    Column("declared", Text, nullable=False),
    CheckConstraint("is_only", name="is_only"),
    comment="One row: the digest of the declarations that the words of groups come from.",
)
