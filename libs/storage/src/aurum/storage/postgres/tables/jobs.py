"""Tables of the log of jobs."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from aurum.storage.postgres.tables.metadata import INSTANT, metadata

_EMPTY = text("'{}'")
_NONE = text("''")
_IS_DUE = text("state = 'queued' AND is_due")

job = Table(
    "job",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("name", Text(collation="C"), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("queue", Text(collation="C"), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("state", Text(collation="C"), nullable=False, server_default=text("'queued'")),
    Column("tenant_id", Text(collation="C")),
    Column("share", Text(collation="C"), Computed("COALESCE(tenant_id, ''::text)", persisted=True), nullable=False),
    Column("subject", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("deaths", SmallInteger, nullable=False, server_default=text("0")),
    Column("losses", SmallInteger, nullable=False, server_default=text("0")),
    Column("is_due", Boolean, nullable=False),
    Column("is_alone", Boolean, nullable=False, server_default=text("false")),
    Column("submitted_at", INSTANT, nullable=False),
    Column("run_after", INSTANT, nullable=False),
    Column("announced_at", INSTANT),
    Column("started_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("cancel_requested_at", INSTANT),
    Column("worker", Text),
    Column("done", BigInteger),
    Column("total", BigInteger),
    Column("note", Text, nullable=False, server_default=_NONE),
    Column("result", JSON),
    Column("reason", Text, nullable=False, server_default=_NONE),
    Column("evidence", JSON, nullable=False, server_default=_EMPTY),
    Column("key", Text(collation="C")),
    Column("exclusive", Text(collation="C"), nullable=False, server_default=_NONE),
    Column("parent", Uuid),
    Column("carried", JSON, nullable=False, server_default=_EMPTY),
    CheckConstraint("state IN ('queued', 'running', 'succeeded', 'parked', 'cancelled')", name="state"),
    CheckConstraint("priority BETWEEN 0 AND 9", name="priority"),
    Index("uq_job_share_key", "share", "key", unique=True, postgresql_where=text("key IS NOT NULL")),
    Index(
        "ix_job_due",
        "queue",
        "priority",
        "name",
        "share",
        "exclusive",
        "run_after",
        "job_id",
        postgresql_include=["losses"],
        postgresql_where=_IS_DUE,
    ),
    Index("ix_job_lost", "queue", "priority", "run_after", "job_id", postgresql_where=text(f"{_IS_DUE} AND losses > 0")),
    Index("ix_job_delayed", "run_after", postgresql_where=text("state = 'queued' AND NOT is_due")),
    Index("ix_job_unannounced", "run_after", "job_id", postgresql_where=text(f"{_IS_DUE} AND announced_at IS NULL")),
    Index("ix_job_announced", "queue", "announced_at", postgresql_where=text(f"{_IS_DUE} AND announced_at IS NOT NULL")),
    Index("ix_job_running", "worker", postgresql_where=text("state = 'running'")),
    Index(
        "uq_job_exclusive",
        "exclusive",
        unique=True,
        postgresql_where=text("state = 'running' AND exclusive <> ''"),
    ),
    Index("ix_job_parked", "submitted_at", "job_id", postgresql_where=text("state = 'parked'")),
    Index("ix_job_ended", "ended_at", postgresql_where=text("state IN ('succeeded', 'cancelled')")),
    Index("ix_job_parent", "parent", "submitted_at", "job_id", postgresql_where=text("parent IS NOT NULL")),
    Index("ix_job_submitted_at", "submitted_at", "job_id"),
    Index("ix_job_tenant_id", "tenant_id", "submitted_at", "job_id", postgresql_where=text("tenant_id IS NOT NULL")),
    postgresql_with={"fillfactor": "60", "autovacuum_vacuum_scale_factor": "0.02", "autovacuum_analyze_scale_factor": "0.05"},
    comment="The log of jobs: one row each, from its submission until it is deleted some time after its end.",
)

job_worker = Table(
    "job_worker",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("facts", JSON, nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("heartbeat_at", INSTANT, nullable=False),
    comment="Workers that run jobs. The jobs of one without a recent heartbeat are queued again.",
)
