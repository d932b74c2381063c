"""Loading files of quarantined rows again, with the known time they had: rows that now pass are stored."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from aurum.core.catalog.entries import FileEntry, KnownAtBasis
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileReport, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.source import SourceFile
from aurum.storage.ports.files import FileLog
from aurum.storage.ports.quality import QualityLog, QuarantineFilter

_PAGE = 1000


async def replay(
    quality: QualityLog,
    files: FileLog,
    kept: RawFiles,
    ingestion: Ingestion,
    *,
    digest: str | None = None,
    source: str | None = None,
    given: SourceFile | None = None,
) -> AsyncGenerator[FileReport]:
    """Load each file again that has rows in quarantine: all of them, or those of a digest or source.

    ``given``: the file itself, where it was not kept on this machine. Raises ``FileNotKept``, ``Unavailable``.
    """
    pending: dict[str, str] = {}
    after: int | None = None
    while page := await quality.quarantine_page(QuarantineFilter(source=source, digest=digest), after=after, limit=_PAGE):
        pending |= {row.digest: row.file_name for row in page}
        after = page[-1].row_id
    for wanted, name in pending.items():
        document = given or kept.get(wanted, name=name)
        first = (await files.files_of(wanted))[0]
        yield await ingestion.ingest(document, known_at=_as_before(first), force=True)


def _as_before(file: FileEntry) -> KnownAtPolicy:
    match file.known_at_basis:
        case KnownAtBasis.ARGUMENT | KnownAtBasis.AVAILABLE:
            return KnownAtPolicy(file.known_at_basis, file.known_at)
        case KnownAtBasis.SCHEDULE:
            return KnownAtPolicy(KnownAtBasis.SCHEDULE)
        case _:
            return KnownAtPolicy()
