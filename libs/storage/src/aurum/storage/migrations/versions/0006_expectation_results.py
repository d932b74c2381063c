"""validations: the results of the checks of files and marts

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
kind = "historical"


def upgrade() -> None:
    op.create_table(
        "validation",
        sa.Column("validation_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("dataset", sa.Text(), nullable=True),
        sa.Column("mart", sa.Text(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("expectations", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("validated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("(mart IS NULL) = (dataset IS NOT NULL)", name="ck_validation_of_one"),
        sa.ForeignKeyConstraint(["file_id"], ["ingest_file.file_id"], name="fk_validation_file_id_ingest_file"),
        sa.PrimaryKeyConstraint("validation_id", name="pk_validation"),
        comment="One frame checked against one suite: a dataset's rows of one file, or a mart.",
    )
    op.create_index("ix_validation_suite_success_validation_id", "validation", ["suite", "success", "validation_id"])
    op.create_index("ix_validation_source_dataset", "validation", ["source", "dataset", "validation_id"])
    op.create_index("ix_validation_failed", "validation", ["validation_id"], postgresql_where=sa.text("NOT success"))
    op.create_table(
        "expectation_outcome",
        sa.Column("validation_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("expectation", sa.Text(), nullable=False),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("kwargs", postgresql.JSONB(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("evaluated", sa.BigInteger(), nullable=False),
        sa.Column("unexpected", sa.BigInteger(), nullable=True),
        sa.Column("observed", sa.Text(), nullable=True),
        sa.Column("sample", postgresql.JSON(), nullable=False),  # preserves the order of its columns
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["validation_id"],
            ["validation.validation_id"],
            name="fk_expectation_outcome_validation_id_validation",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("validation_id", "place", name="pk_expectation_outcome"),
        comment="How each expectation of a validation fared, in the order of the suite.",
    )
    # The trigger of ingest_file sends the same notification; PostgreSQL sends equal notifications of a transaction once.
    op.execute(
        "CREATE TRIGGER told_of_files AFTER INSERT ON validation FOR EACH STATEMENT EXECUTE FUNCTION aurum_changed('files')"
    )


def downgrade() -> None:
    op.drop_table("expectation_outcome")
    op.drop_table("validation")
