"""alerts of datasets, webhooks of tenants, and the log of their deliveries

Revision: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)
_OWN = "CREATE POLICY own ON {} TO aurum_tenant USING (tenant_id = current_setting('aurum.tenant', true))"


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.Column("clear_checks", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", _INSTANT),
        sa.Column("acknowledged_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("resolved_at", _INSTANT),
        sa.Column("resolved_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name="pk_alert"),
        sa.UniqueConstraint("source", "dataset", "kind", "day", name="uq_alert_source_dataset_kind_day"),
        comment="Faults of datasets that a check has seen, at most one of a kind for a dataset and local day.",
    )
    op.create_index("ix_alert_opened_at_alert_id", "alert", ["opened_at", "alert_id"])
    op.create_index("ix_alert_unresolved", "alert", ["source", "dataset"], postgresql_where=sa.text("state <> 'resolved'"))
    op.create_table(
        "webhook",
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("off_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("earlier_secret", sa.Text()),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name="fk_webhook_tenant_id_tenant"),
        sa.PrimaryKeyConstraint("webhook_id", name="pk_webhook"),
        comment="Addresses that events are sent to. Its secrets sign what is sent, so they are stored as they are.",
    )
    op.create_index("ix_webhook_tenant_id_created_at", "webhook", ["tenant_id", "created_at"])
    op.create_table(
        "webhook_delivery",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("last_at", _INSTANT),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.webhook_id"], name="fk_webhook_delivery_webhook_id_webhook", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_webhook_delivery"),
        comment="Events for webhooks. Id and body are the same in every attempt.",
    )
    op.create_index(
        "ix_webhook_delivery_webhook_id_created_at_delivery_id",
        "webhook_delivery",
        ["webhook_id", "created_at", "delivery_id"],
    )
    op.create_index("ix_webhook_delivery_created_at", "webhook_delivery", ["created_at"])
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("milliseconds", sa.Double[float]()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_delivery.delivery_id"],
            name="fk_webhook_attempt_delivery_id_webhook_delivery",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_webhook_attempt"),
        comment="Attempts of deliveries.",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON webhook, webhook_delivery TO aurum_tenant")
    op.execute("GRANT SELECT ON webhook_attempt TO aurum_tenant")
    for table in ("webhook", "webhook_delivery", "webhook_attempt"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(_OWN.format(table))


def downgrade() -> None:
    op.drop_table("webhook_attempt")
    op.drop_table("webhook_delivery")
    op.drop_table("webhook")
    op.drop_table("alert")
