"""Tables of products, their reference documents and their quotes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
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

_FIELDS = ("settle", "open", "high", "low", "close", "last", "bid", "ask", "volume_mwh", "open_interest")


def _quote_columns() -> list[Column[object]]:
    """Return the identity and the published fields of a quote, its known time and the recording that brought it."""
    return [
        Column("curve_id", Integer, nullable=False),
        Column("trade_date", Date, nullable=False),
        Column("delivery_start", Date, nullable=False),
        Column("delivery_end", Date, nullable=False),
        *(Column(name, NUMBER) for name in _FIELDS),
        Column("known_at", INSTANT, nullable=False),
        Column("recording_id", BigInteger, nullable=False),
    ]


product = Table(
    "product",
    metadata,
    Column("curve_id", Integer, Identity(), primary_key=True),
    # The C collation, in which lists are sorted.
    Column("key", Text(collation="C"), nullable=False),
    Column("title", Text, nullable=False),
    Column("commodity", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("block", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("first_trade_date", Date),
    Column("last_trade_date", Date),
    Column("is_edited", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("key"),
    comment="One row for each product, with the version counter that ETags come from.",
)

curve_reference = Table(
    "curve_reference",
    metadata,
    Column("kind", Text, nullable=False),
    Column("name", Text(collation="C"), nullable=False),
    Column("document", JSONB, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("updated_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("updated_by", Text, nullable=False),
    PrimaryKeyConstraint("kind", "name"),
    comment="Reference documents of curves that users stored: each replaces the shipped one of its name.",
)

quote = Table(
    "quote",
    metadata,
    *_quote_columns(),
    PrimaryKeyConstraint("curve_id", "trade_date", "delivery_start", "delivery_end"),
    comment="The row in force of each quote, with the recording that brought it. No foreign key, so that COPY stays fast.",
)

quote_publication = Table(
    "quote_publication",
    metadata,
    *_quote_columns(),
    Index("ix_quote_publication_curve_id_trade_date", "curve_id", "trade_date"),
    comment="Distinct publications of quotes, save rows in force that never were replaced. Nothing updates rows here.",
)

file_curve = Table(
    "file_curve",
    metadata,
    Column("file_id", BigInteger, nullable=False),
    Column("curve_id", Integer, nullable=False),
    Column("first_trade_date", Date, nullable=False),
    Column("last_trade_date", Date, nullable=False),
    Column("known_at", INSTANT, nullable=False),
    Column("new", Integer, nullable=False),
    Column("revised", Integer, nullable=False),
    # Every known time is from the venue's publication rule.
    Column("is_scheduled", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("file_id", "curve_id"),
    Index("ix_file_curve_curve_id_known_at", "curve_id", "known_at"),
    comment="What each file said of each product: its trade dates, how many quotes it added and revised.",
)
