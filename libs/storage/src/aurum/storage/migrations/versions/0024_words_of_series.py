"""words of series: what a search by words reads

The series that are stored already are added after the migration, by ``aurum db migrate`` or at the first search.

Revision: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_GROUPED_BY = (
    "source",
    "dataset",
    "market",
    "kind",
    "measure",
    "fuel",
    "location_type",
    "market_run",
    "fuel_detail",
    "frequency",
)
# An extension that the server lacks or does not allow, or that this user may not create, is done without: misspelt words are
# then not mended. Its operators are in no other statement of the schema.
_TRIGRAMS = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX ix_search_word_trigrams ON search_word USING gin (word gin_trgm_ops) WHERE word !~ '[=0-9]';
    END IF;
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_object OR undefined_file THEN
    RAISE NOTICE 'pg_trgm cannot be created: misspelt words of a search are not mended';
END
$$
"""


def upgrade() -> None:
    op.add_column("dataset", sa.Column("details", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("dataset", sa.Column("search_order", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "search_group",
        sa.Column("group_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _GROUPED_BY),
        sa.Column("words", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", name="pk_search_group"),
        sa.UniqueConstraint(*_GROUPED_BY, name="uq_search_group_attributes"),
        comment="Series that share all attributes a search compares. Attributes without a value are empty.",
    )
    op.create_table(
        "series_search",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", name="pk_series_search"),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.series_id"], name="fk_series_search_series_id_series", ondelete="CASCADE"
        ),
        comment="The words of the names of each series' place. Beside series, whose rows every load updates.",
    )
    op.create_index("ix_series_search_group_id_key", "series_search", ["group_id", "key"])
    # Words that wait to be sorted in are read one by one at each search: few may wait.
    op.create_index(
        "ix_series_search_words",
        "series_search",
        ["words"],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": "256"},
    )
    op.create_table(
        "search_word",
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_search_word"),
        comment="The distinct words of series_search.",
    )
    op.create_table(
        "search_state",
        sa.Column("is_only", sa.Boolean(), nullable=False),
        sa.Column("declared", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("is_only", name="pk_search_state"),
        sa.CheckConstraint("is_only", name="ck_search_state_is_only"),
        comment="One row: the digest of the declarations that the words of groups come from.",
    )
    op.execute(_TRIGRAMS)


def downgrade() -> None:
    for table in ("search_state", "search_word", "series_search", "search_group"):
        op.drop_table(table)
    op.drop_column("dataset", "search_order")
    op.drop_column("dataset", "details")
