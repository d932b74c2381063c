"""Tables of curve sets: the sets of tenants, their overrides, and the marks that were pinned."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Date, ForeignKey, Index, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, NUMBER, metadata

curve_set = Table(
    "curve_set",
    metadata,
    Column("set_id", Text, primary_key=True),
    Column("tenant_id", Text, ForeignKey("tenant.tenant_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("trade_date", Date, nullable=False),
    Column("curves", ARRAY(Text), nullable=False),
    Column("as_of", INSTANT),
    Column("state", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("pin", BigInteger),
    Column("pinned_at", INSTANT),
    Column("supersedes", Text),
    Column("superseded_by", Text),
    Index("ix_curve_set_tenant_id_created_at_set_id", "tenant_id", "created_at", "set_id"),
    comment="Curves that a desk marks together, from draft to official.",
)

curve_set_override = Table(
    "curve_set_override",
    metadata,
    Column("set_id", Text, ForeignKey("curve_set.set_id"), nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("curve", Text(collation="C"), nullable=False),
    Column("delivery_start", Date, nullable=False),
    Column("delivery_end", Date, nullable=False),
    Column("settle", NUMBER, nullable=False),
    Column("bid", NUMBER),
    Column("ask", NUMBER),
    Column("reason", Text, nullable=False),
    Column("expires_on", Date),
    Column("expires_at", INSTANT),
    Column("made_at", INSTANT, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("person", Text),
    PrimaryKeyConstraint("set_id", "curve", "delivery_start", "delivery_end"),
    comment="Prices of a set that replace quotes, with their reason.",
)

curve_set_mark = Table(
    "curve_set_mark",
    metadata,
    Column("set_id", Text, ForeignKey("curve_set.set_id"), nullable=False),
    Column("pin", BigInteger, nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("curve", Text(collation="C"), nullable=False),
    Column("delivery_start", Date, nullable=False),
    Column("delivery_end", Date, nullable=False),
    *(Column(name, NUMBER) for name in ("quoted", "quoted_bid", "quoted_ask", "override", "value", "bid", "ask")),
    Column("source", Text),
    Column("known_at", INSTANT),
    Column("flags", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    Column("hours", NUMBER, nullable=False),
    Column("unit", Text, nullable=False),
    Column("currency", Text),
    PrimaryKeyConstraint("set_id", "pin", "curve", "delivery_start", "delivery_end"),
    comment="Marks as they were submitted. The role of tenants may neither change nor delete them.",
)
