"""Loads files with quarantined rows again, with the known time they had; rows that now pass the checks are stored."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from aurum.core.catalog.entries import FileEntry, KnownAtBasis
from aurum.pipelines.loading.known_time import KnownAtChoice, KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, FileReport, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.source import SourceFile
from aurum.storage.ports.files import FileLog
from aurum.storage.ports.quality import QualityLog, QuarantineFilter

_PAGE = 1000


async def replay(
    quality: QualityLog,
    files: FileLog,
    raw_files: RawFiles,
    ingestion: Ingestion,
    *,
    digest: str | None = None,
    source: str | None = None,
    file: SourceFile | None = None,
) -> AsyncGenerator[FileReport]:
    """Load each file with rows in quarantine again: all of them, or those of a digest or source.

    ``file``: the content to load instead of the stored copy; only with ``digest``. Raises ``RawFileMissing``, ``Unavailable``.
    """
    if file is not None and digest is None:
        raise ValueError("file is the content of one file: name it with digest")
    pending: dict[str, str] = {}
    after: int | None = None
    while page := await quality.quarantine_page(QuarantineFilter(source=source, digest=digest), after=after, limit=_PAGE):
        pending |= {row.digest: row.file_name for row in page}
        after = page[-1].row_id
    for pending_digest, name in pending.items():
        first = (await files.files_of(pending_digest))[0]
        document = file or raw_files.get(pending_digest, name=name, archive=first.archive)
        report = await ingestion.ingest(document, known_at=_earlier_policy(first), force=True)
        if report.outcome is FileOutcome.APPLIED and not report.quarantined:
            raw_files.release(pending_digest)
        yield report


def _earlier_policy(entry: FileEntry) -> KnownAtPolicy:
    match entry.known_at_basis:
        case KnownAtBasis.STATED:
            return KnownAtPolicy(KnownAtChoice.TIME, entry.known_at)
        case KnownAtBasis.PUBLISHED:
            return KnownAtPolicy(available_at=entry.known_at)
        case KnownAtBasis.INGESTED:
            # The loader gives it the moment of its first load again, which corrections in it may have.
            return KnownAtPolicy(is_fetched=True)
        case KnownAtBasis.SCHEDULED:
            return KnownAtPolicy()
