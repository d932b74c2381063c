"""the series of a file without a check of its file row by row: the file is written by the same transaction

Revision: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_NAME = "fk_file_series_file_id_ingest_file"


def upgrade() -> None:
    # The check took a third of the time of recording thousands of series. Files are never deleted.
    op.drop_constraint(_NAME, "file_series", type_="foreignkey", if_exists=True)


def downgrade() -> None:
    op.execute(
        f"ALTER TABLE file_series ADD CONSTRAINT {_NAME} FOREIGN KEY (file_id) REFERENCES ingest_file (file_id) "
        "ON DELETE CASCADE NOT VALID"
    )
