"""state of derived curves: loads and reads of a tenant's products see the shared curves that its own are derived from

Revision: 0037
Revises: 0036
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_TABLES = ("derived_curve", "derived_curve_input", "derived_curve_change")


def upgrade() -> None:
    for table in _TABLES:
        op.execute(f"CREATE POLICY read_shared ON {table} FOR SELECT TO aurum_private USING (tenant_id IS NULL)")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"DROP POLICY read_shared ON {table}")
