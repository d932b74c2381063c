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
    Integer,
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

delivery_period = Table(
    "delivery_period",
    metadata,
    Column("curve_id", Integer, nullable=False),
    Column("delivery_start", Date, nullable=False),
    Column("delivery_end", Date, nullable=False),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    Column("days", Integer, nullable=False),
    Column("hours", NUMBER, nullable=False),
    Column("weight", NUMBER),
    Column("rest_label", Text),
    Column("rest_after", Date),
    PrimaryKeyConstraint("curve_id", "delivery_start", "delivery_end"),
    comment="Delivery periods of shared products as aurum.core has them, for engines that read the store.",
)

strip_part = Table(
    "strip_part",
    metadata,
    Column("curve_id", Integer, nullable=False),
    Column("strip_start", Date, nullable=False),
    Column("strip_end", Date, nullable=False),
    Column("tiling", SmallInteger, nullable=False),
    Column("part_start", Date, nullable=False),
    Column("part_end", Date, nullable=False),
    PrimaryKeyConstraint("curve_id", "strip_start", "strip_end", "tiling", "part_start", "part_end"),
    comment="Quoted periods inside each quarter, half, season and year of a shared product, likewise.",
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
