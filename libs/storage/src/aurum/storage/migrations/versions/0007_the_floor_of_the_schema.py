"""the floor of the schema: the oldest code that may use it

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    # In the row of the revision, so that one query reads both. Null: every release may use the schema.
    op.add_column("alembic_version", sa.Column("floor", sa.Text()))
    op.add_column("alembic_version", sa.Column("floor_release", sa.Text()))


def downgrade() -> None:
    op.drop_column("alembic_version", "floor_release")
    op.drop_column("alembic_version", "floor")
