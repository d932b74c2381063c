"""models of curves: delivery periods for engines that read the store, and what the role that builds models may read

Revision: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_READ = "product, quote, delivery_period, strip_part"
"""Tables of shared curves that models may read. Those of tenants are in the schema private, which they may not use."""


def upgrade() -> None:
    op.create_table(
        "delivery_period",
        sa.Column("curve_id", sa.Integer(), nullable=False),
        sa.Column("delivery_start", sa.Date(), nullable=False),
        sa.Column("delivery_end", sa.Date(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Double[float](), nullable=False),
        sa.Column("weight", sa.Double[float](), nullable=True),
        sa.Column("rest_label", sa.Text(), nullable=True),
        sa.Column("rest_after", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("curve_id", "delivery_start", "delivery_end", name="pk_delivery_period"),
        comment="Delivery periods of shared products as aurum.core has them, for engines that read the store.",
    )
    op.create_table(
        "strip_part",
        sa.Column("curve_id", sa.Integer(), nullable=False),
        sa.Column("strip_start", sa.Date(), nullable=False),
        sa.Column("strip_end", sa.Date(), nullable=False),
        sa.Column("tiling", sa.SmallInteger(), nullable=False),
        sa.Column("part_start", sa.Date(), nullable=False),
        sa.Column("part_end", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "curve_id", "strip_start", "strip_end", "tiling", "part_start", "part_end", name="pk_strip_part"
        ),
        comment="Quoted periods inside each quarter, half, season and year of a shared product, likewise.",
    )
    op.execute(f"GRANT SELECT ON {_READ} TO aurum_marts")


def downgrade() -> None:
    op.execute("REVOKE SELECT ON product, quote FROM aurum_marts")
    op.drop_table("strip_part")
    op.drop_table("delivery_period")
