"""usage_day and usage_writer: requests, observations and bytes of each caller by UTC day

Revision: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    op.create_table(
        "usage_day",
        # The C collation, in which the list of all tenants is sorted and continued.
        sa.Column("tenant_id", sa.Text(collation="C"), nullable=False),
        sa.Column("subject", sa.Text(collation="C"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "subject", "day", name="pk_usage_day"),
        comment="Usage of the service by caller and UTC day. Processes add what they counted about every minute.",
    )
    op.create_index("ix_usage_day_day", "usage_day", ["day", "tenant_id", "subject"])
    op.create_table(
        "usage_writer",
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("writer", name="pk_usage_writer"),
        comment="The last batch of usage that each process added, so that one that is sent twice counts once.",
    )
    op.execute("GRANT SELECT ON usage_day TO aurum_tenant")
    op.execute("ALTER TABLE usage_day ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY own ON usage_day TO aurum_tenant USING (tenant_id = current_setting('aurum.tenant', true))")


def downgrade() -> None:
    op.drop_table("usage_writer")
    op.drop_table("usage_day")
