"""derived curves: their expressions, inputs, and the changes of inputs that no build has read

Revision: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)
_TABLES = ("derived_curve", "derived_curve_input", "derived_curve_change")
_TENANT = "nullif(current_setting('aurum.tenant', true), '')"


def upgrade() -> None:
    op.create_table(
        "derived_curve",
        sa.Column("derived_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("curve_id", sa.Integer(), nullable=False),
        sa.Column("expression", JSONB(), nullable=False),
        sa.Column("first_trade_date", sa.Date(), nullable=True),
        sa.Column("created_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("builds", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("built_at", _INSTANT, nullable=True),
        sa.Column("report", JSONB(), nullable=True),
        sa.Column("error", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("failed_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name="fk_derived_curve_tenant_id_tenant"),
        sa.PrimaryKeyConstraint("derived_id", name="pk_derived_curve"),
        sa.UniqueConstraint("curve_id", name="uq_derived_curve_curve_id"),
        comment="Products whose quotes are computed from those of other curves. Without tenant_id: shared ones.",
    )
    op.create_index("ix_derived_curve_tenant_id_key", "derived_curve", ["tenant_id", "key"])
    op.create_table(
        "derived_curve_input",
        sa.Column("derived_id", sa.Text(), nullable=False),
        sa.Column("curve_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["derived_id"],
            ["derived_curve.derived_id"],
            name="fk_derived_curve_input_derived_id_derived_curve",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("derived_id", "curve_id", name="pk_derived_curve_input"),
        comment="The curves that a derived curve reads, with the versions that its last build has read.",
    )
    op.create_index("ix_derived_curve_input_curve_id", "derived_curve_input", ["curve_id"])
    op.create_table(
        "derived_curve_change",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("derived_id", sa.Text(), nullable=False),
        sa.Column("curve_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("trade_dates", sa.ARRAY(sa.Date()), nullable=False),
        sa.Column("recorded_at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["derived_id"],
            ["derived_curve.derived_id"],
            name="fk_derived_curve_change_derived_id_derived_curve",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("change_id", name="pk_derived_curve_change"),
        comment="Loads that changed inputs of derived curves, until a build has read them.",
    )
    op.create_index("ix_derived_curve_change_derived_id", "derived_curve_change", ["derived_id", "change_id"])
    _wall_tenants_off()


def _wall_tenants_off() -> None:
    """Show each tenant its own rows, and shared ones for reading only.

    ``aurum_private`` is the role of a load of a tenant's quotes: it records changes of inputs, submits the job that rebuilds,
    and ends the build whose quotes it stores.
    """
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO aurum_tenant, aurum_private USING (tenant_id = {_TENANT})")
        op.execute(f"CREATE POLICY shared ON {table} FOR SELECT TO aurum_tenant USING (tenant_id IS NULL)")
        op.execute(f"GRANT SELECT ON {table} TO aurum_tenant")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO aurum_private")
    op.execute("GRANT SELECT, INSERT ON job TO aurum_private")
    op.execute(f"CREATE POLICY submit_own ON job TO aurum_private USING (tenant_id = {_TENANT})")


def downgrade() -> None:
    op.execute("DROP POLICY submit_own ON job")
    op.execute("REVOKE SELECT, INSERT ON job FROM aurum_private")
    for table in reversed(_TABLES):
        op.drop_table(table)
