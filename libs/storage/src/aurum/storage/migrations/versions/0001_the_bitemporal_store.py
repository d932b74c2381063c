"""the bitemporal store

Revision: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
kind = "historical"


def upgrade() -> None:
    op.create_table(
        "block",
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shipped", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "name", name=op.f("pk_block")),
    )
    op.create_table(
        "completeness",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("present", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "day", name=op.f("pk_completeness")),
    )
    op.create_index(
        "ix_completeness_incomplete",
        "completeness",
        ["series_id", "day"],
        unique=False,
        postgresql_where=sa.text("present < expected"),
    )
    op.create_table(
        "ingest_file",
        sa.Column("file_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known_at_basis", sa.Text(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("new", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("revised", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("seconds", sa.Double[float](), server_default=sa.text("0"), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('applied', 'refused')", name=op.f("ck_ingest_file_status")),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_ingest_file")),
    )
    op.create_index("ix_ingest_file_digest", "ingest_file", ["digest"], unique=False)
    op.create_index("ix_ingest_file_source_dataset", "ingest_file", ["source", "dataset"], unique=False)
    op.create_table(
        "observation",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Double[float](), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "ts", name=op.f("pk_observation")),
        comment="The value now known of each point. No foreign key: the loader holds the series row, and COPY stays fast.",
    )
    op.create_table(
        "observation_confirmation",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ts", sa.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "known_at", name=op.f("pk_observation_confirmation")),
        comment="Points a publication repeated unchanged. Read by the loader only, when an older publication arrives late.",
    )
    op.create_table(
        "observation_version",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Double[float](), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("known_at < superseded_at", name=op.f("ck_observation_version_lasts")),
        sa.PrimaryKeyConstraint("series_id", "ts", "known_at", name=op.f("pk_observation_version")),
        comment="Values that are no longer current, each with the half-open time in which it was.",
    )
    op.create_table(
        "series",
        sa.Column("series_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(collation="C"), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("location_name", sa.Text(), nullable=False),
        sa.Column("location_type", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_ts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_ts", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_series")),
        sa.UniqueConstraint("key", name=op.f("uq_series_key")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index("ix_series_location_key", "series", ["location", "key"], unique=False)
    op.create_index("ix_series_source_dataset_key", "series", ["source", "dataset", "key"], unique=False)
    op.create_table(
        "source",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("homepage", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source")),
    )
    op.create_table(
        "dataset",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("measures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("market", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("freshness_hours", sa.Double[float](), nullable=True),
        sa.ForeignKeyConstraint(["source"], ["source.name"], name=op.f("fk_dataset_source_source"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source", "name", name=op.f("pk_dataset")),
    )
    op.create_table(
        "quarantine",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["ingest_file.file_id"], name=op.f("fk_quarantine_file_id_ingest_file")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_quarantine")),
    )
    op.create_index("ix_quarantine_file_id", "quarantine", ["file_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_quarantine_file_id", table_name="quarantine")
    op.drop_table("quarantine")
    op.drop_table("dataset")
    op.drop_table("source")
    op.drop_index("ix_series_source_dataset_key", table_name="series")
    op.drop_index("ix_series_location_key", table_name="series")
    op.drop_table("series")
    op.drop_table("observation_version")
    op.drop_table("observation_confirmation")
    op.drop_table("observation")
    op.drop_index("ix_ingest_file_source_dataset", table_name="ingest_file")
    op.drop_index("ix_ingest_file_digest", table_name="ingest_file")
    op.drop_table("ingest_file")
    op.drop_index("ix_completeness_incomplete", table_name="completeness", postgresql_where=sa.text("present < expected"))
    op.drop_table("completeness")
    op.drop_table("block")
