"""jobs: the log of jobs, and the workers that run them

Revision: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)
_NAME = sa.Text(collation="C")
_IS_DUE = "state = 'queued' AND is_due"
_INDEXES = (
    ("ix_job_lost", ["queue", "priority", "run_after", "job_id"], f"{_IS_DUE} AND losses > 0"),
    ("ix_job_delayed", ["run_after"], "state = 'queued' AND NOT is_due"),
    ("ix_job_unannounced", ["run_after", "job_id"], f"{_IS_DUE} AND announced_at IS NULL"),
    ("ix_job_announced", ["queue", "announced_at"], f"{_IS_DUE} AND announced_at IS NOT NULL"),
    ("ix_job_running", ["worker"], "state = 'running'"),
    ("ix_job_parked", ["submitted_at", "job_id"], "state = 'parked'"),
    ("ix_job_ended", ["ended_at"], "state IN ('succeeded', 'cancelled')"),
    ("ix_job_parent", ["parent", "submitted_at", "job_id"], "parent IS NOT NULL"),
    ("ix_job_tenant_id", ["tenant_id", "submitted_at", "job_id"], "tenant_id IS NOT NULL"),
)
"""Name, columns and condition. Each holds only the jobs that its query reads, so that ended ones cost the queues nothing."""


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        # The C collation, in which the groups of waiting jobs are walked through.
        sa.Column("name", _NAME, nullable=False),
        sa.Column("payload", JSON(), nullable=False),
        sa.Column("queue", _NAME, nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("state", _NAME, server_default=sa.text("'queued'"), nullable=False),
        sa.Column("tenant_id", _NAME, nullable=True),
        # The tenant between which places are shared out; empty for jobs of the platform.
        sa.Column("share", _NAME, sa.Computed("COALESCE(tenant_id, ''::text)", persisted=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        # ``attempt`` is never set back and fences off earlier attempts; ``attempts`` is compared with the limit.
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("deaths", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("losses", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_due", sa.Boolean(), nullable=False),
        sa.Column("is_alone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("submitted_at", _INSTANT, nullable=False),
        sa.Column("run_after", _INSTANT, nullable=False),
        sa.Column("announced_at", _INSTANT, nullable=True),
        sa.Column("started_at", _INSTANT, nullable=True),
        sa.Column("ended_at", _INSTANT, nullable=True),
        sa.Column("cancel_requested_at", _INSTANT, nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("result", JSON(), nullable=True),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("evidence", JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("key", _NAME, nullable=True),
        sa.Column("exclusive", _NAME, server_default=sa.text("''"), nullable=False),
        sa.Column("parent", sa.Uuid(), nullable=True),
        sa.Column("carried", JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_job"),
        sa.CheckConstraint("state IN ('queued', 'running', 'succeeded', 'parked', 'cancelled')", name="ck_job_state"),
        sa.CheckConstraint("priority BETWEEN 0 AND 9", name="ck_job_priority"),
        comment="The log of jobs: one row each, from its submission until it is deleted some time after its end.",
        # A job is updated three times; with room on its page each new row stays on it, which halves the pages written.
        postgresql_with={
            "fillfactor": "60",
            "autovacuum_vacuum_scale_factor": "0.02",
            "autovacuum_analyze_scale_factor": "0.05",
        },
    )
    for name, columns, condition in _INDEXES:
        op.create_index(name, "job", columns, postgresql_where=sa.text(condition))
    op.create_index(
        "ix_job_due",
        "job",
        ["queue", "priority", "name", "share", "exclusive", "run_after", "job_id"],
        postgresql_include=["losses"],
        postgresql_where=sa.text(_IS_DUE),
    )
    op.create_index("ix_job_submitted_at", "job", ["submitted_at", "job_id"])
    op.create_index("uq_job_share_key", "job", ["share", "key"], unique=True, postgresql_where=sa.text("key IS NOT NULL"))
    op.create_index(
        "uq_job_exclusive",
        "job",
        ["exclusive"],
        unique=True,
        postgresql_where=sa.text("state = 'running' AND exclusive <> ''"),
    )
    op.create_table(
        "job_worker",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("facts", JSON(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("heartbeat_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_job_worker"),
        comment="Workers that run jobs. The jobs of one without a recent heartbeat are queued again.",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON job TO aurum_tenant")
    op.execute("ALTER TABLE job ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY own ON job TO aurum_tenant USING (tenant_id = current_setting('aurum.tenant', true))")


def downgrade() -> None:
    op.drop_table("job_worker")
    op.drop_table("job")
