"""Tables of models over the store, and of the calendars that models read."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, NUMBER, metadata

market_day = Table(
    "market_day",
    metadata,
    Column("zone", Text, nullable=False),
    Column("market_day", Date, nullable=False),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
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
    Column("ts", INSTANT, nullable=False),
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
    Column("started_at", INSTANT, nullable=False),
    Column("seconds", NUMBER, nullable=False),
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
    Column("seconds", NUMBER, nullable=False),
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
    Column("newest", INSTANT),
    Column("age_s", NUMBER),
    PrimaryKeyConstraint("run_id", "table_name"),
)
