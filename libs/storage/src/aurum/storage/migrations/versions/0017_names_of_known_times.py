"""the bases of known times get the names that the API shows

Revision: 0017
Revises: 0016
"""

from aurum.storage.migrations.operations import raise_floor, rewrite_rows

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
kind = "contract"
lock_timeout = "2s"

# A process that knows only the old names could not read the new ones.
_RENAME = """
UPDATE ingest_file SET known_at_basis = CASE known_at_basis
    WHEN 'argument' THEN 'stated' WHEN 'schedule' THEN 'scheduled' WHEN 'ingestion' THEN 'ingested' ELSE 'published' END
WHERE file_id IN (
    SELECT file_id FROM ingest_file
    WHERE known_at_basis IN ('argument', 'file', 'available', 'schedule', 'ingestion') LIMIT 5000
)
"""


def upgrade() -> None:
    raise_floor("0017", release="0.2")
    rewrite_rows(_RENAME)


def downgrade() -> None:
    pass  # the old names were read nowhere but in listings
