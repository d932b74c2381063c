"""Tables of alerts, and of webhooks with the log of their deliveries."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, Date, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, NUMBER, metadata

alert = Table(
    "alert",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Column("clear_checks", Integer, nullable=False),
    Column("acknowledged_at", INSTANT),
    Column("acknowledged_by", Text, nullable=False, server_default=text("''")),
    Column("resolved_at", INSTANT),
    Column("resolved_by", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("source", "dataset", "kind", "day"),
    Index("ix_alert_opened_at_alert_id", "opened_at", "alert_id"),
    Index("ix_alert_unresolved", "source", "dataset", postgresql_where=text("state <> 'resolved'")),
    comment="Faults of datasets that a check has seen, at most one of a kind for a dataset and local day.",
)

webhook = Table(
    "webhook",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("tenant_id", Text, ForeignKey("tenant.tenant_id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("off_reason", Text, nullable=False, server_default=text("''")),
    Column("secret", Text, nullable=False),
    Column("earlier_secret", Text),
    Index("ix_webhook_tenant_id_created_at", "tenant_id", "created_at"),
    comment="Addresses that events are sent to. Its secrets sign what is sent, so they are stored as they are.",
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("webhook_id", Text, ForeignKey("webhook.webhook_id", ondelete="CASCADE"), nullable=False),
    Column("tenant_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("status", Integer),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("last_at", INSTANT),
    Index("ix_webhook_delivery_webhook_id_created_at_delivery_id", "webhook_id", "created_at", "delivery_id"),
    Index("ix_webhook_delivery_created_at", "created_at"),
    comment="Events for webhooks. Id and body are the same in every attempt.",
)

webhook_attempt = Table(
    "webhook_attempt",
    metadata,
    Column("delivery_id", Text, ForeignKey("webhook_delivery.delivery_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("tenant_id", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("status", Integer),
    Column("milliseconds", NUMBER),
    Column("reason", Text, nullable=False),
    comment="Attempts of deliveries.",
)
