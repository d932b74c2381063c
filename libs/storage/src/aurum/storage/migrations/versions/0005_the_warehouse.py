"""the warehouse: calendars for engines that read the store, the catalog of models, and the role that builds them

Revision: 0005
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from aurum.storage.migrations.operations import create_role

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None
kind = "historical"

_READ = "series, observation, observation_version, archived_part, dataset, completeness, ingest_file, market_day, block_hour"
"""Tables of the store that models may read."""


def upgrade() -> None:
    op.create_table(
        "market_day",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("market_day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("nerc_holiday", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("zone", "market_day", name="pk_market_day"),
        comment="Local days as aurum.core has them, for engines that read the store. Written before models are built.",
    )
    op.create_table(
        "block_hour",
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("market_day", sa.Date(), nullable=False),
        sa.Column("hour_ending", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "ts", "block", name="pk_block_hour"),
        comment="Hours of blocks, likewise.",
    )
    op.create_table(
        "model",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("materialized", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("depends_on", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("tables", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_model"),
    )
    op.create_table(
        "model_dataset",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["model.name"], name="fk_model_dataset_model_model", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", "source", "dataset", name="pk_model_dataset"),
        comment="Whose series reach which model.",
    )
    op.create_index("ix_model_dataset_source_dataset", "model_dataset", ["source", "dataset"])
    op.create_table(
        "model_run",
        sa.Column("run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("invocation", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double[float](), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_model_run"),
        sa.UniqueConstraint("invocation", name="uq_model_run_invocation"),
    )
    op.create_table(
        "model_result",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double[float](), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["model_run.run_id"], name="fk_model_result_run_id_model_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "node", name="pk_model_result"),
    )
    op.create_index("ix_model_result_model_node_run_id", "model_result", ["model", "node", "run_id"])
    op.create_table(
        "model_freshness",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("newest", sa.DateTime(timezone=True), nullable=True),
        sa.Column("age_s", sa.Double[float](), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["model_run.run_id"], name="fk_model_freshness_run_id_model_run", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "table_name", name="pk_model_freshness"),
    )
    create_role("aurum_marts")
    op.execute("GRANT USAGE ON SCHEMA public TO aurum_marts")
    op.execute(f"GRANT SELECT ON {_READ} TO aurum_marts")
    op.execute(
        "CREATE TRIGGER told_of_models AFTER INSERT ON model_run FOR EACH STATEMENT EXECUTE FUNCTION aurum_changed('models')"
    )


def downgrade() -> None:
    op.execute(f"REVOKE SELECT ON {_READ} FROM aurum_marts")  # noqa: S608 - a constant
    op.execute("REVOKE USAGE ON SCHEMA public FROM aurum_marts")
    for table in ("model_freshness", "model_result", "model_run", "model_dataset", "model", "block_hour", "market_day"):
        op.drop_table(table)
    # The role is not dropped, because another database of the server may use it, and it may own schemas.
