"""The table of mappings."""

from __future__ import annotations

from sqlalchemy import Column, Identity, Integer, Table, Text, UniqueConstraint, text

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

mapping = Table(
    "mapping",
    metadata,
    Column("mapping_id", Integer, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("scope", Text(collation="C"), nullable=False),
    Column("spelling", Text, nullable=False),
    Column("folded", Text(collation="C"), nullable=False),
    Column("target", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("updated_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("updated_by", Text, nullable=False),
    UniqueConstraint("kind", "scope", "folded"),
    comment="Spellings of labels and units, and units of broker prices, that administrators stored over the shipped ones.",
)
