"""archived_quotes: the log of publications of quotes that moved to history

Revision: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"


def upgrade() -> None:
    op.create_table(
        "archived_quotes",
        sa.Column("curve_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("archive_id", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["archive_id"], ["archive_run.archive_id"], name="fk_archived_quotes_archive_id_archive_run"),
        sa.PrimaryKeyConstraint("curve_id", "month", name="pk_archived_quotes"),
        comment="Where publications of a product and month of trade dates stand in history. Its rows in force stay in quote.",
    )
    op.create_index("ix_archived_quotes_archive_id", "archived_quotes", ["archive_id"])


def downgrade() -> None:
    # SQL cannot bring the publications back.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM archived_quotes) THEN
                RAISE EXCEPTION 'quotes are archived: they would be lost';
            END IF;
        END $$
        """
    )
    op.drop_table("archived_quotes")
