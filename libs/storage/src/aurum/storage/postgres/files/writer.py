"""Writes of file records, in the transaction that loads the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime

from aurum.core.catalog.entries import FileEntry, FileStatus, KnownAtBasis, QuoteFlag
from aurum.storage.ports.files import FileRecord, LoadOutcome
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.files.log import APPLIED, READ_BY, file_entry
from aurum.storage.postgres.observations.watermark import announce_load

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_RECORD_APPLIED = """
INSERT INTO ingest_file (digest, name, size, source, dataset, status, known_at, known_at_basis, rows_read, new, revised,
                         unchanged, quarantined, seconds, suspect_series, unit_jumps, flagged_curves, quote_flags, format,
                         parser_version, release, archive, sent_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
RETURNING file_id
"""
_RECORD_REFUSED = """
INSERT INTO ingest_file (digest, name, size, source, dataset, status, reason, known_at_basis, format, parser_version, release,
                         archive, sent_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING file_id
"""


class PostgresFileWriter:
    """``FileWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, digest: str) -> None:
        await self._connection.execute(_LOCK, digest)

    async def applied(self, digest: str) -> Sequence[FileEntry]:
        return [file_entry(row) for row in await self._connection.fetch(APPLIED, digest)]

    async def known_now(self) -> datetime:
        return await announce_load(self._connection)

    async def record_applied(self, file: FileRecord, counts: LoadOutcome, *, known_at: datetime | None, seconds: float) -> int:
        return await self._connection.fetchval(
            _RECORD_APPLIED,
            file.digest,
            file.name,
            file.size,
            file.source,
            file.dataset,
            FileStatus.APPLIED,
            known_at,
            file.known_at_basis,
            file.rows_read,
            counts.new,
            counts.revised,
            counts.unchanged,
            counts.quarantined,
            seconds,
            file.suspect_series,
            [asdict(jump) for jump in file.unit_jumps],
            file.flagged_curves,
            [_flag_document(flag) for flag in file.quote_flags],
            *_read_by(file),
        )

    async def record_refused(self, file: FileRecord, reason: str) -> int:
        return await self._connection.fetchval(
            _RECORD_REFUSED,
            file.digest,
            file.name,
            file.size,
            file.source,
            file.dataset,
            FileStatus.REFUSED,
            reason,
            KnownAtBasis.INGESTED,
            *_read_by(file),
        )


def _flag_document(flag: QuoteFlag) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(flag).items()}


def _read_by(file: FileRecord) -> list[str | None]:
    return [getattr(file, name) or None for name in READ_BY]
