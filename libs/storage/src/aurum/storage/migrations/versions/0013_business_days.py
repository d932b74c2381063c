"""the calendar of business days on which a daily series is published

Revision: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    op.add_column("series", sa.Column("business_days", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("series", "business_days")
