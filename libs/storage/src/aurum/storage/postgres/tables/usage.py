"""Tables of the usage of the service."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, PrimaryKeyConstraint, Table, Text

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

usage_day = Table(
    "usage_day",
    metadata,
    Column("tenant_id", Text(collation="C"), nullable=False),
    Column("subject", Text(collation="C"), nullable=False),
    Column("day", Date, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "subject", "day"),
    Index("ix_usage_day_day", "day", "tenant_id", "subject"),
    comment="Usage of the service by caller and UTC day. Processes add what they counted about every minute.",
)

usage_writer = Table(
    "usage_writer",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("written_at", INSTANT, nullable=False),
    comment="The last batch of usage that each process added, so that one that is sent twice counts once.",
)
