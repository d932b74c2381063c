"""fetch_state: the last successful fetch of each dataset; dataset.public_files: how its public files are fetched

Revision: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    op.create_table(
        "fetch_state",
        # The C collation, in which the list is sorted.
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("dataset", sa.Text(collation="C"), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("modified", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "dataset", name="pk_fetch_state"),
        comment="The last fetch of each dataset whose files were loaded. Addresses are without keys.",
    )
    op.add_column("dataset", sa.Column("public_files", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("dataset", "public_files")
    op.drop_table("fetch_state")
