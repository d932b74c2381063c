"""dimensions of series: kind, market run and fuel

Revision: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_NULLABLE = ("market_run", "fuel", "fuel_detail")


def upgrade() -> None:
    # A series that older code inserts has the kind "other" until its next load.
    op.add_column("series", sa.Column("kind", sa.Text(), server_default=sa.text("'other'"), nullable=False))
    for name in _NULLABLE:
        op.add_column("series", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    for name in (*_NULLABLE, "kind"):
        op.drop_column("series", name)
