"""Load records of one file content, and its rows in quarantine. A content is named by its SHA-256 digest."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.catalog.entries import FileEntry
from aurum.core.errors import NotFound
from aurum.storage.ports.files import FileLog
from aurum.storage.ports.quality import QualityLog, QuarantineFilter


class NoSuchContent(NotFound):
    """No file with this content was ever submitted. Facts: ``digest``."""


class NothingQuarantined(NotFound):
    """No row of a file content is in quarantine. Facts: ``digest``."""


async def records_of(files: FileLog, digest: str) -> Sequence[FileEntry]:
    """Return every load record of a file content, oldest first. Raises ``NoSuchContent``."""
    records = await files.files_of(digest)
    if not records:
        raise NoSuchContent(f"no file with digest {digest} was submitted", digest=digest)
    return records


async def check_quarantined(quality: QualityLog, digest: str) -> None:
    """Raise ``NothingQuarantined`` unless rows of a file content are in quarantine."""
    if not await quality.quarantine_page(QuarantineFilter(digest=digest), limit=1):
        raise NothingQuarantined(f"no row of the file with digest {digest} is in quarantine", digest=digest)
