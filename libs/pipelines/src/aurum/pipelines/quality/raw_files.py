"""Stores the original content of loaded files: to load those with rows in quarantine again, and to find a number in its file.

A content is a gzip file named by its SHA-256 digest. Those with rows in quarantine are in a folder of their own, from which
nothing is deleted: they are needed until the cause is fixed. The folder of the others can be bounded by size and by age.
"""

from __future__ import annotations

import errno
import gzip
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Literal, TypeAlias

import structlog

from aurum.common.clock import SystemClock
from aurum.core.errors import NotFound
from aurum.pipelines.source import SourceFile
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.files import FileLoad

_log = structlog.get_logger(__name__)

Choice: TypeAlias = Literal["curves", "all", "quarantined", "none"]
"""The files whose content is stored, as ``AURUM_FILES__RAW_FILES`` names them. ``curves``: those with quotes or with rows in
quarantine."""

_ROOM = 0.9
"""Share of the most bytes that is left after older files were deleted, so that not every load deletes some."""
_LEVEL = 1
"""Level of compression: settlements take a tenth of their size, and a load waits a tenth of the time of the highest level."""
_LOOK_S = 3600.0
"""Seconds after which a process that stores files looks for old ones again."""
_PARTIAL_S = 86_400.0
"""Age in seconds of a partial file that no process is writing any more."""


class RawFileMissing(NotFound):
    """This machine has no copy of a file. Facts: ``digest``, and ``is_damaged``: there is one that cannot be read."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of the stored files that no row in quarantine needs. ``most_bytes``: of all; None: any. ``most_days``: of age."""

    most_bytes: int | None = None
    most_days: int | None = None


class RawFiles:
    """Two folders of gzip files, named by the SHA-256 of their content. Safe for many threads and processes at once.

    ``quarantine``: of files with rows in quarantine. ``others``: of the other ones; None: beside it, ``raw``. ``choice``: the
    files that are stored. ``bounds``: of ``others``.
    """

    def __init__(
        self, quarantine: Path, others: Path | None = None, *, choice: Choice = "quarantined", bounds: Bounds | None = None
    ) -> None:
        self.choice = choice
        self._quarantine = quarantine
        self._others = others or quarantine.parent / "raw"
        self._bounds = bounds or Bounds()
        self._lock = Lock()
        self._size = 0
        """Bytes of the other files, as far as this process knows."""
        self._looked_at = -_LOOK_S

    def store(self, load: FileLoad, content: bytes) -> str:
        """Store the content of a file that is loaded if the setting wants it. Return why it could not be stored; else empty.

        A full disk does not fail a load: its numbers are worth more than the copy of their file.
        """
        if not self._wants(load):
            return ""
        record = load.record
        try:
            self.put(record.digest, content, is_quarantined=not load.quarantine.is_empty())
        except OSError as error:
            reason = f"its raw file was not stored: {error.strerror or error}"
            _log.error("raw file not stored", file=record.name, digest=record.digest, size=len(content), reason=reason)
            return reason
        return ""

    def put(self, digest: str, content: bytes, *, is_quarantined: bool = True) -> None:
        """Store a content; storing it again changes nothing. The file appears complete or not at all. Raises ``OSError``."""
        held, other = self._held(digest), self._other(digest)
        if held.exists():
            return
        if other.exists():
            if is_quarantined:
                _move(other, held)
            return
        packed = gzip.compress(content, _LEVEL, mtime=0)
        if is_quarantined:
            _write(held, packed)
            return
        with self._lock:
            self._make_room(len(packed))
            _write(other, packed)
            self._size += len(packed)

    def get(self, digest: str, *, name: str, archive: str = "") -> SourceFile:
        """Return the stored content as a file of that name. Raises ``RawFileMissing``."""
        path = self._held(digest)
        if not path.exists():
            path = self._other(digest)
        hint = f"run `aurum quarantine replay --digest {digest} --file PATH`"
        if not path.exists():
            setting = "" if self.choice != "none" else " (AURUM_FILES__RAW_FILES is none, so none is stored)"
            raise RawFileMissing(f"{path.parent} has no copy of {name}{setting}: {hint}", digest=digest, is_damaged=False)
        try:
            return SourceFile(name, gzip.decompress(path.read_bytes()), archive)
        except (OSError, EOFError, zlib.error) as error:
            raise RawFileMissing(
                f"the copy of {name} in {path.parent} is damaged: {hint}", digest=digest, is_damaged=True
            ) from error

    def why_missing(self, *, loaded_at: datetime | None, has_quotes: bool) -> str:
        """Return why there is no copy of a file, as far as the settings and the stored files tell, and what to do.

        ``loaded_at``: UTC; None: unknown. ``has_quotes``: it has quotes of curves.
        """
        most, days = self._bounds.most_bytes, self._bounds.most_days
        if self.choice in ("none", "quarantined") or (self.choice == "curves" and not has_quotes):
            wider = "all" if not has_quotes else "curves"
            return (
                f"AURUM_FILES__RAW_FILES is {self.choice}, which does not store such a file; to store it, set it to {wider} "
                "and load the file again with --force"
            )
        again = "load the file again with --force where it should be stored"
        if loaded_at is not None and days is not None and SystemClock().now() - loaded_at > timedelta(days=days):
            return f"it was deleted after the {days} days of AURUM_FILES__RAW_FILES_DAYS; {again}"
        if loaded_at is not None and most is not None:
            oldest = min(_files_in(self._others), default=None)
            if oldest is not None and oldest.written_at > loaded_at.timestamp():
                size = f"the {most >> 20:,} MiB of AURUM_FILES__RAW_FILES_MIB"
                return f"it was deleted as one of the oldest beyond {size}; {again}"
        return f"another machine loaded it, or its copy was deleted; {again}"

    def release(self, digest: str) -> None:
        """Note that no row of a content is in quarantine any more, so that the bounds apply to its file, too."""
        if (held := self._held(digest)).exists():
            with self._lock:
                _move(held, self._other(digest))
                self._looked_at = -_LOOK_S

    def prune(self) -> int:
        """Delete what is beyond the bounds, the oldest first, and return the number of deleted files."""
        with self._lock:
            return self._prune(0)

    def _wants(self, load: FileLoad) -> bool:
        if self.choice == "none":
            return False
        is_curve_file = any(isinstance(part, CurveQuotes) for part in load.parts)
        return not load.quarantine.is_empty() or self.choice == "all" or (self.choice == "curves" and is_curve_file)

    def _make_room(self, size: int) -> None:
        most = self._bounds.most_bytes
        if most is not None and size > most:
            raise OSError(errno.EFBIG, f"larger than {most >> 20:,} MiB, the limit of AURUM_FILES__RAW_FILES_MIB")
        is_full = most is not None and self._size + size > most
        if is_full or time.perf_counter() - self._looked_at >= _LOOK_S:
            self._prune(size)

    def _prune(self, size: int) -> int:
        """Delete what is beyond the bounds once a file of that size is stored. Other processes store files, too."""
        self._looked_at = time.perf_counter()
        now, most, days = SystemClock().now().timestamp(), self._bounds.most_bytes, self._bounds.most_days
        stored = sorted(_files_in(self._others))
        total = sum(entry.size for entry in stored)
        target = int(most * _ROOM) if most is not None and total + size > most else None
        deleted = freed = 0
        for entry in stored:
            is_partial = entry.path.suffix == ".part"
            is_old = days is not None and now - entry.written_at > days * 86_400
            is_over = target is not None and total + size > max(target, size) and not is_partial
            if is_old or is_over or (is_partial and now - entry.written_at > _PARTIAL_S):
                with suppress(FileNotFoundError):  # another process deletes old files, too
                    entry.path.unlink()
                deleted, freed, total = deleted + 1, freed + entry.size, total - entry.size
        self._size = total
        if deleted:
            _log.info("raw files deleted", files=deleted, bytes=freed, left_bytes=total)
        return deleted

    def _held(self, digest: str) -> Path:
        return self._quarantine / f"{digest}.gz"

    def _other(self, digest: str) -> Path:
        # A folder with a file for every load would be slow to list.
        return self._others / digest[:2] / f"{digest}.gz"


@dataclass(frozen=True, slots=True, order=True)
class _Stored:
    """A stored file. ``written_at``: in seconds since 1970."""

    written_at: float
    path: Path
    size: int


def _files_in(folder: Path) -> Iterator[_Stored]:
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):
            stat = path.stat()
            yield _Stored(stat.st_mtime, path, stat.st_size)


def _write(path: Path, packed: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        partial.write_bytes(packed)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise


def _move(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):  # another process has moved it
        path.replace(to)
