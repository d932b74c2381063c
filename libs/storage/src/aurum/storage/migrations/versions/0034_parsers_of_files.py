"""parsers of files: which format read each file, in which version and release, from which archive, or who sent it

Revision: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_COLUMNS = ("format", "parser_version", "release", "archive", "sent_by")


def upgrade() -> None:
    for schema in ("public", "private"):
        for name in _COLUMNS:
            op.add_column("ingest_file", sa.Column(name, sa.Text()), schema=schema)


def downgrade() -> None:
    for schema in ("private", "public"):
        for name in reversed(_COLUMNS):
            op.drop_column("ingest_file", name, schema=schema)
