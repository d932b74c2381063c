"""Tables of feature flags."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

flag = Table(
    "flag",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("updated_by", Text, nullable=False),
)

flag_usage = Table(
    "flag_usage",
    metadata,
    Column("name", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("evaluations", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "variant", "day"),
)
