"""listeners: how many streams of changes the tenants of a plan may have open at once

Revision: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    op.add_column("plan", sa.Column("listeners", sa.Integer(), server_default=sa.text("20"), nullable=False))


def downgrade() -> None:
    op.drop_column("plan", "listeners")
