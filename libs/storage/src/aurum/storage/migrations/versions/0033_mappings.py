"""mappings: spellings and units that administrators map, and versions of blocks

Revision: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)
_OF_BLOCKS = ("version", "updated_at", "updated_by")


def upgrade() -> None:
    op.create_table(
        "mapping",
        sa.Column("mapping_id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(collation="C"), nullable=False),
        sa.Column("spelling", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(collation="C"), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mapping_id", name="pk_mapping"),
        sa.UniqueConstraint("kind", "scope", "folded", name="uq_mapping_kind_scope_folded"),
        comment="Spellings of labels and units, and units of broker prices, that administrators stored over the shipped ones.",
    )
    # Lists of units show mappings, and are cached until the catalog changes.
    op.execute(
        "CREATE TRIGGER told_of_catalog AFTER INSERT OR UPDATE OR DELETE ON mapping "
        "FOR EACH STATEMENT EXECUTE FUNCTION aurum_changed('catalog')"
    )
    op.add_column("block", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("block", sa.Column("updated_at", _INSTANT, nullable=True))
    op.add_column("block", sa.Column("updated_by", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in _OF_BLOCKS:
        op.drop_column("block", column)
    op.drop_table("mapping")
