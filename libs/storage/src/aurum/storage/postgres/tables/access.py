"""Tables of tenants, their keys and plans, and of the audit log."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, NUMBER, metadata

plan = Table(
    "plan",
    metadata,
    Column("name", Text, primary_key=True),
    Column("per_minute", Integer, nullable=False),
    Column("per_hour", Integer, nullable=False),
    Column("per_day", Integer, nullable=False),
    Column("burst", NUMBER, nullable=False),
    Column("at_once", Integer, nullable=False),
    Column("listeners", Integer, nullable=False, server_default=text("20")),
    CheckConstraint("per_minute > 0 AND per_hour > 0 AND per_day > 0 AND burst >= 1 AND at_once > 0", name="positive"),
)

tenant = Table(
    "tenant",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("plan", Text, ForeignKey("plan.name"), nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("disabled_at", INSTANT),
)

api_key = Table(
    "api_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("tenant_id", Text, ForeignKey("tenant.tenant_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("created_by", Text, nullable=False),
    Column("expires_at", INSTANT),
    Column("revoked_at", INSTANT),
    Column("last_used_at", INSTANT),
    Column("replaces", Text),
    Column("owner", Text),
    Index("ix_api_key_tenant_id", "tenant_id"),
    comment="Of a key's secret only the SHA-256 is kept: it is 256 random bits, which no dictionary holds.",
)

link = Table(
    "link",
    metadata,
    Column("link_id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("read", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("revoked_at", INSTANT),
    Index("ix_link_tenant_id_created_at", "tenant_id", "created_at"),
    Index("ix_link_expires_at", "expires_at"),
    comment="Addresses that answer one read without a key. Their signatures are stored nowhere.",
)

service_secret = Table(
    "service_secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
    comment="Secrets that all processes share where no setting names them. No role of tenants may read them.",
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Column("tenant_id", Text),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    comment="Who did what to whom. Nothing updates or deletes here.",
)
