"""curve sets: curves that a desk marks together; api_key.owner: the person who uses a key

Revision: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)
_TABLES = ("curve_set", "curve_set_override", "curve_set_mark")
_PRICES = ("quoted", "quoted_bid", "quoted_ask", "override", "value", "bid", "ask")
_SET = "curve_set.set_id"


def upgrade() -> None:
    op.add_column("api_key", sa.Column("owner", sa.Text()))
    op.create_table(
        "curve_set",
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trade_date", sa.Date(), nullable=False),
        sa.Column("curves", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("as_of", _INSTANT),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("steps", JSONB(), nullable=False),
        sa.Column("pin", sa.BigInteger()),
        sa.Column("pinned_at", _INSTANT),
        sa.Column("supersedes", sa.Text()),
        sa.Column("superseded_by", sa.Text()),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name="fk_curve_set_tenant_id_tenant"),
        sa.PrimaryKeyConstraint("set_id", name="pk_curve_set"),
        comment="Curves that a desk marks together, from draft to official.",
    )
    op.create_index("ix_curve_set_tenant_id_created_at_set_id", "curve_set", ["tenant_id", "created_at", "set_id"])
    op.create_table(
        "curve_set_override",
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        *_identity(),
        sa.Column("settle", sa.Double[float](), nullable=False),
        sa.Column("bid", sa.Double[float]()),
        sa.Column("ask", sa.Double[float]()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date()),
        sa.Column("expires_at", _INSTANT),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("person", sa.Text()),
        sa.ForeignKeyConstraint(["set_id"], [_SET], name="fk_curve_set_override_set_id_curve_set"),
        sa.PrimaryKeyConstraint("set_id", "curve", "delivery_start", "delivery_end", name="pk_curve_set_override"),
        comment="Prices of a set that replace quotes, with their reason.",
    )
    op.create_table(
        "curve_set_mark",
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.Column("pin", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        *_identity(),
        *(sa.Column(name, sa.Double[float]()) for name in _PRICES),
        sa.Column("source", sa.Text()),
        sa.Column("known_at", _INSTANT),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("hours", sa.Double[float](), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text()),
        sa.ForeignKeyConstraint(["set_id"], [_SET], name="fk_curve_set_mark_set_id_curve_set"),
        sa.PrimaryKeyConstraint("set_id", "pin", "curve", "delivery_start", "delivery_end", name="pk_curve_set_mark"),
        comment="Marks as they were submitted. The role of tenants may neither change nor delete them.",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON curve_set TO aurum_tenant")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON curve_set_override TO aurum_tenant")
    op.execute("GRANT SELECT, INSERT ON curve_set_mark TO aurum_tenant")
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO aurum_tenant USING (tenant_id = current_setting('aurum.tenant', true))")


def _identity() -> list[sa.Column[object]]:
    return [
        sa.Column("curve", sa.Text(collation="C"), nullable=False),
        sa.Column("delivery_start", sa.Date(), nullable=False),
        sa.Column("delivery_end", sa.Date(), nullable=False),
    ]


def downgrade() -> None:
    # SQL cannot bring marks back that valuations refer to.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM curve_set WHERE state = 'official') THEN
                RAISE EXCEPTION 'there are official curve sets: they would be lost';
            END IF;
        END $$
        """
    )
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_column("api_key", "owner")
