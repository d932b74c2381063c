"""Tables of quarantined rows and of validations."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

quarantine = Table(
    "quarantine",
    metadata,
    Column("row_id", BigInteger, Identity(always=True), primary_key=True),
    Column("file_id", BigInteger, ForeignKey("ingest_file.file_id"), nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("column", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("replayed_at", INSTANT),
    Index("ix_quarantine_file_id", "file_id"),
)

validation = Table(
    "validation",
    metadata,
    Column("validation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("suite", Text, nullable=False),
    Column("source", Text),
    Column("dataset", Text),
    Column("mart", Text),
    Column("file_id", BigInteger, ForeignKey("ingest_file.file_id")),
    Column("file_name", Text),
    Column("run_id", Text),
    Column("rows", BigInteger, nullable=False),
    Column("expectations", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("warned", Integer, nullable=False),
    Column("success", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("validated_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    CheckConstraint("(mart IS NULL) = (dataset IS NOT NULL)", name="of_one"),
    Index("ix_validation_suite_success_validation_id", "suite", "success", "validation_id"),
    Index("ix_validation_source_dataset", "source", "dataset", "validation_id"),
    Index("ix_validation_failed", "validation_id", postgresql_where=text("NOT success")),
    comment="One frame checked against one suite: a dataset's rows of one file, or a mart.",
)

expectation_outcome = Table(
    "expectation_outcome",
    metadata,
    Column("validation_id", BigInteger, ForeignKey("validation.validation_id", ondelete="CASCADE"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("expectation", Text, nullable=False),
    Column("column", Text),
    Column("kwargs", JSONB, nullable=False),
    Column("severity", Text, nullable=False),
    Column("success", Boolean, nullable=False),
    Column("evaluated", BigInteger, nullable=False),
    Column("unexpected", BigInteger),
    Column("observed", Text),
    # JSON and not JSONB, because it preserves the order of the columns of a row.
    Column("sample", JSON, nullable=False),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("validation_id", "place"),
    comment="How each expectation of a validation fared, in the order of the suite.",
)
