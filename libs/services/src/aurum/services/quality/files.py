"""Records of one content, and what of it is in quarantine."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.catalog.entries import FileEntry
from aurum.core.errors import NotFound
from aurum.storage.ports.files import FileLog
from aurum.storage.ports.quality import QualityLog, QuarantineFilter


class NoSuchContent(NotFound):
    """No file of that content was offered. Facts: ``digest``."""


class NothingHeld(NotFound):
    """No row of a file is in quarantine. Facts: ``digest``."""


async def records_of(files: FileLog, digest: str) -> Sequence[FileEntry]:
    """Return every record of a content, oldest first. Raises ``NoSuchContent``."""
    found = await files.files_of(digest)
    if not found:
        raise NoSuchContent(f"no file of the content {digest} was offered", digest=digest)
    return found


async def check_held(quality: QualityLog, digest: str) -> None:
    """Return when rows of a content are in quarantine. Raises ``NothingHeld``."""
    if not await quality.quarantine_page(QuarantineFilter(digest=digest), limit=1):
        raise NothingHeld(f"no row of the content {digest} is in quarantine", digest=digest)
