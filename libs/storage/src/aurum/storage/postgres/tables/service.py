"""Tables of the HTTP service: cached answers and idempotency keys."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, Index, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

cache_entry = Table(
    "cache_entry",
    metadata,
    Column("key", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Index("ix_cache_entry_expires_at", "expires_at"),
    Index("ix_cache_entry_tags", "tags", postgresql_using="gin"),
    prefixes=["UNLOGGED"],
    comment="What was expensive to work out. Unlogged: empty after a crash, which costs time and no data.",
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", SmallInteger),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    Column("expires_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("tenant_id", "key"),
    Index("ix_idempotency_expires_at", "expires_at"),
    comment="Answers to requests with an Idempotency-Key. A row without a status is a request under way.",
)
