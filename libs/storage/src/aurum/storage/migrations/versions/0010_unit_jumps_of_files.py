"""the series of a file that were loaded as suspect, because their values jumped as after a change of unit

Revision: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    op.add_column("ingest_file", sa.Column("suspect_series", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("ingest_file", sa.Column("unit_jumps", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False))


def downgrade() -> None:
    op.drop_column("ingest_file", "unit_jumps")
    op.drop_column("ingest_file", "suspect_series")
