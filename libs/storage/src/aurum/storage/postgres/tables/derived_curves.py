"""Tables of derived curves."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

_NONE = text("''")

derived_curve = Table(
    "derived_curve",
    metadata,
    Column("derived_id", Text, primary_key=True),
    Column("key", Text(collation="C"), nullable=False),
    Column("tenant_id", Text, ForeignKey("tenant.tenant_id")),
    Column("curve_id", Integer, nullable=False),
    Column("expression", JSONB, nullable=False),
    Column("first_trade_date", Date),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("created_by", Text, nullable=False),
    Column("builds", BigInteger, nullable=False, server_default=text("0")),
    Column("built_at", INSTANT),
    Column("report", JSONB),
    Column("error", Text, nullable=False, server_default=_NONE),
    Column("failed_at", INSTANT),
    UniqueConstraint("curve_id"),
    Index("ix_derived_curve_tenant_id_key", "tenant_id", "key"),
    comment="Products whose quotes are computed from those of other curves. Without tenant_id: shared ones.",
)

derived_curve_input = Table(
    "derived_curve_input",
    metadata,
    Column("derived_id", Text, ForeignKey("derived_curve.derived_id", ondelete="CASCADE"), primary_key=True),
    Column("curve_id", Integer, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("tenant_id", Text),
    Column("version", BigInteger),
    Index("ix_derived_curve_input_curve_id", "curve_id"),
    comment="The curves that a derived curve reads, with the versions that its last build has read.",
)

derived_curve_change = Table(
    "derived_curve_change",
    metadata,
    Column("change_id", BigInteger, Identity(), primary_key=True),
    Column("derived_id", Text, ForeignKey("derived_curve.derived_id", ondelete="CASCADE"), nullable=False),
    Column("curve_id", Integer, nullable=False),
    Column("tenant_id", Text),
    Column("trade_dates", ARRAY(Date), nullable=False),
    Column("recorded_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Index("ix_derived_curve_change_derived_id", "derived_id", "change_id"),
    comment="Loads that changed inputs of derived curves, until a build has read them.",
)
