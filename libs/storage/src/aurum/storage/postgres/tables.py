"""The tables, as SQLAlchemy Core sees them. Migrations make them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_instant = DateTime(timezone=True)
_number = Double[float]()

source = Table(
    "source",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("homepage", Text, nullable=False),
    Column("terms", Text, nullable=False),
)

dataset = Table(
    "dataset",
    metadata,
    Column("source", Text, ForeignKey("source.name", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("frequency", Text, nullable=False),
    Column("measures", JSONB, nullable=False),
    Column("market", Text),
    Column("reference", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("freshness_hours", _number),
    PrimaryKeyConstraint("source", "name"),
)

block = Table(
    "block",
    metadata,
    Column("calendar", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    # False once a user has changed it: declarations then leave it alone.
    Column("shipped", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("calendar", "name"),
)

series = Table(
    "series",
    metadata,
    Column("series_id", Integer, Identity(always=True), primary_key=True),
    # The C collation: keys sort by code point, the same on every machine, and a prefix is an index range.
    Column("key", Text(collation="C"), nullable=False),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("location", Text(collation="C"), nullable=False),
    Column("measure", Text, nullable=False),
    Column("market", Text),
    Column("unit", Text, nullable=False),
    Column("currency", Text),
    Column("frequency", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("location_name", Text, nullable=False),
    Column("location_type", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("first_ts", _instant),
    Column("last_ts", _instant),
    Column("updated_at", _instant),
    UniqueConstraint("key"),
    Index("ix_series_source_dataset_key", "source", "dataset", "key"),
    Index("ix_series_location_key", "location", "key"),
    # Every load rewrites counters on the rows of its series: room on the page keeps those updates off the indexes.
    postgresql_with={"fillfactor": "70"},
)

observation = Table(
    "observation",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("ts", _instant, nullable=False),
    Column("value", _number, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    Column("known_at", _instant, nullable=False),
    PrimaryKeyConstraint("series_id", "ts"),
    comment="The value now known of each point. No foreign key: the loader holds the series row, and COPY stays fast.",
)

observation_version = Table(
    "observation_version",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("ts", _instant, nullable=False),
    Column("known_at", _instant, nullable=False),
    Column("superseded_at", _instant, nullable=False),
    Column("value", _number, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "ts", "known_at"),
    CheckConstraint("known_at < superseded_at", name="lasts"),
    comment="Values that are no longer current, each with the half-open time in which it was.",
)

observation_confirmation = Table(
    "observation_confirmation",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("known_at", _instant, nullable=False),
    Column("ts", ARRAY(_instant), nullable=False),
    PrimaryKeyConstraint("series_id", "known_at"),
    comment="Points a publication repeated unchanged. Read by the loader only, when an older publication arrives late.",
)

archive_run = Table(
    "archive_run",
    metadata,
    Column("archive_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("begun_at", _instant, nullable=False, server_default=text("now()")),
    # Null until rows under this id are named: what a crash leaves behind stays so, and is dropped from history.
    Column("named_at", _instant),
    Column("unnamed_at", _instant),
    comment="Every id under which rows were ever written to history; unnamed_at: when a part last lost its name.",
)

archived_part = Table(
    "archived_part",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("archive_id", BigInteger, ForeignKey("archive_run.archive_id"), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    PrimaryKeyConstraint("series_id", "month"),
    Index("ix_archived_part_archive_id", "archive_id"),
    comment="Where the rows of a series and month (UTC) stand in history. What is not named here does not exist there.",
)

ingest_file = Table(
    "ingest_file",
    metadata,
    Column("file_id", BigInteger, Identity(always=True), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("known_at", _instant),
    Column("known_at_basis", Text, nullable=False),
    Column("rows_read", BigInteger, nullable=False, server_default=text("0")),
    Column("new", BigInteger, nullable=False, server_default=text("0")),
    Column("revised", BigInteger, nullable=False, server_default=text("0")),
    Column("unchanged", BigInteger, nullable=False, server_default=text("0")),
    Column("quarantined", BigInteger, nullable=False, server_default=text("0")),
    Column("seconds", _number, nullable=False, server_default=text("0")),
    Column("loaded_at", _instant, nullable=False, server_default=text("now()")),
    CheckConstraint("status IN ('applied', 'refused')", name="status"),
    Index("ix_ingest_file_digest", "digest"),
    Index("ix_ingest_file_source_dataset", "source", "dataset"),
)

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
    Column("created_at", _instant, nullable=False, server_default=text("now()")),
    Column("replayed_at", _instant),
    Index("ix_quarantine_file_id", "file_id"),
)

completeness = Table(
    "completeness",
    metadata,
    Column("series_id", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("present", Integer, nullable=False),
    PrimaryKeyConstraint("series_id", "day"),
    Index("ix_completeness_incomplete", "series_id", "day", postgresql_where=text("present < expected")),
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
    Column("validated_at", _instant, nullable=False, server_default=text("clock_timestamp()")),
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
    # Not JSONB: the columns of a row stay in their order.
    Column("sample", JSON, nullable=False),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("validation_id", "place"),
    comment="How each expectation of a validation fared, in the order of the suite.",
)

plan = Table(
    "plan",
    metadata,
    Column("name", Text, primary_key=True),
    Column("per_minute", Integer, nullable=False),
    Column("per_hour", Integer, nullable=False),
    Column("per_day", Integer, nullable=False),
    Column("burst", _number, nullable=False),
    Column("at_once", Integer, nullable=False),
    CheckConstraint("per_minute > 0 AND per_hour > 0 AND per_day > 0 AND burst >= 1 AND at_once > 0", name="positive"),
)

tenant = Table(
    "tenant",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("plan", Text, ForeignKey("plan.name"), nullable=False),
    Column("created_at", _instant, nullable=False, server_default=text("now()")),
    Column("disabled_at", _instant),
)

api_key = Table(
    "api_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("tenant_id", Text, ForeignKey("tenant.tenant_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", _instant, nullable=False, server_default=text("now()")),
    Column("created_by", Text, nullable=False),
    Column("expires_at", _instant),
    Column("revoked_at", _instant),
    Column("last_used_at", _instant),
    Column("replaces", Text),
    Index("ix_api_key_tenant_id", "tenant_id"),
    comment="Of a key's secret only the SHA-256 is kept: it is 256 random bits, which no dictionary holds.",
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _instant, nullable=False, server_default=text("clock_timestamp()")),
    Column("tenant_id", Text),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    comment="Who did what to whom. Nothing updates or deletes here.",
)

flag = Table(
    "flag",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", _instant, nullable=False, server_default=text("now()")),
    Column("updated_by", Text, nullable=False),
)

flag_usage = Table(
    "flag_usage",
    metadata,
    Column("name", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("evaluations", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "variant", "day"),
)

cache_entry = Table(
    "cache_entry",
    metadata,
    Column("key", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("expires_at", _instant, nullable=False),
    Index("ix_cache_entry_expires_at", "expires_at"),
    Index("ix_cache_entry_tags", "tags", postgresql_using="gin"),
    prefixes=["UNLOGGED"],
    comment="What was expensive to work out. Unlogged: empty after a crash, which costs time and no data.",
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", SmallInteger),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    Column("expires_at", _instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "key"),
    Index("ix_idempotency_expires_at", "expires_at"),
    comment="Answers to requests with an Idempotency-Key. A row without a status is a request under way.",
)

market_day = Table(
    "market_day",
    metadata,
    Column("zone", Text, nullable=False),
    Column("market_day", Date, nullable=False),
    Column("starts_at", _instant, nullable=False),
    Column("ends_at", _instant, nullable=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("nerc_holiday", Boolean, nullable=False),
    PrimaryKeyConstraint("zone", "market_day"),
    comment="Local days as aurum.core has them, for engines that read the store. Written before models are built.",
)

block_hour = Table(
    "block_hour",
    metadata,
    Column("calendar", Text, nullable=False),
    Column("block", Text, nullable=False),
    Column("ts", _instant, nullable=False),
    Column("market_day", Date, nullable=False),
    Column("hour_ending", SmallInteger, nullable=False),
    PrimaryKeyConstraint("calendar", "ts", "block"),
    comment="Hours of blocks, likewise.",
)

model = Table(
    "model",
    metadata,
    Column("name", Text, primary_key=True),
    Column("layer", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("materialized", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("depends_on", ARRAY(Text), nullable=False),
    Column("tables", ARRAY(Text), nullable=False),
    Column("columns", JSONB, nullable=False),
)

model_dataset = Table(
    "model_dataset",
    metadata,
    Column("model", Text, ForeignKey("model.name", ondelete="CASCADE"), nullable=False),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    PrimaryKeyConstraint("model", "source", "dataset"),
    Index("ix_model_dataset_source_dataset", "source", "dataset"),
    comment="Whose series reach which model.",
)

model_run = Table(
    "model_run",
    metadata,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True),
    Column("invocation", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("started_at", _instant, nullable=False),
    Column("seconds", _number, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("invocation"),
)

model_result = Table(
    "model_result",
    metadata,
    Column("run_id", BigInteger, ForeignKey("model_run.run_id", ondelete="CASCADE"), nullable=False),
    Column("node", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("seconds", _number, nullable=False),
    Column("failures", BigInteger),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "node"),
    Index("ix_model_result_model_node_run_id", "model", "node", "run_id"),
)

model_freshness = Table(
    "model_freshness",
    metadata,
    Column("run_id", BigInteger, ForeignKey("model_run.run_id", ondelete="CASCADE"), nullable=False),
    Column("table_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("newest", _instant),
    Column("age_s", _number),
    PrimaryKeyConstraint("run_id", "table_name"),
)
