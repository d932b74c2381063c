"""flags of quotes: what the checks against the session before found in the quotes of a file

Revision: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    for schema in ("public", "private"):
        op.add_column(
            "ingest_file",
            sa.Column("flagged_curves", sa.Integer(), server_default=sa.text("0"), nullable=False),
            schema=schema,
        )
        op.add_column(
            "ingest_file",
            sa.Column("quote_flags", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
            schema=schema,
        )


def downgrade() -> None:
    for schema in ("private", "public"):
        for name in ("quote_flags", "flagged_curves"):
            op.drop_column("ingest_file", name, schema=schema)
