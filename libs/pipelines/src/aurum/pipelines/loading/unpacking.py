"""Unpacks archives within bounds: .zip and .gz files, and archives in them.

A member is expanded twice: first to know its size, chunk by chunk, and then, if it is within bounds, into memory.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from aurum.common.settings.files import limit_of
from aurum.pipelines.source import SourceFile

_CHUNK = 1 << 20
_RATIO_FREE_BYTES = 64 << 20
"""Unpacked bytes up to which the ratio is not limited: repetitive text packs well."""


@dataclass(frozen=True, slots=True)
class ArchiveBounds:
    """Bounds of one archive, all archives in it included.

    ``member_bytes``: of one member. ``ratio``: unpacked size in multiples of the packed size. ``levels``: archives within each
    other.
    """

    member_bytes: int = 1 << 30
    total_bytes: int = 4 << 30
    members: int = 20_000
    levels: int = 3
    ratio: int = 200


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be opened or unpacked, and why. It is reported like a refused file; the other files are loaded.

    ``failure``: for the log, what is known of an unexpected cause.
    """

    name: str
    reason: str
    content: bytes = b""
    failure: str = ""


def is_archive(name: str) -> bool:
    """Return whether a file is an archive by its name."""
    return name.lower().endswith((".zip", ".gz"))


def unpack(name: str, content: bytes, bounds: ArchiveBounds | None = None) -> Iterator[SourceFile | Unreadable]:
    """Yield a file, or each member when it is an archive; nested archives are unpacked too.

    A damaged or too large member is reported, and the others follow. Beyond the bounds of the whole archive nothing follows.
    """
    if not is_archive(name):
        yield SourceFile(name, content)
        return
    budget = _Budget(bounds or ArchiveBounds(), len(content), name)
    try:
        yield from _members(name, content, budget, level=1)
    except _ArchiveTooLarge as error:
        yield Unreadable(name, str(error), content)


class _ArchiveTooLarge(Exception):
    """The archive as a whole exceeds a bound: unpacking ends."""


class _MemberTooLarge(Exception):
    """One member exceeds a bound: the next one follows."""


class _Budget:
    """Counts what an archive unpacks to against its bounds. ``packed``, ``archive``: size and name of the outermost archive."""

    def __init__(self, bounds: ArchiveBounds, packed: int, archive: str) -> None:
        self.bounds = bounds
        self.archive = archive
        self._packed = packed
        self._expanded = 0
        self._members = 0

    def open_member(self) -> None:
        """Count a member. Raises ``_ArchiveTooLarge``."""
        self._members += 1
        if self._members > self.bounds.members:
            raise _ArchiveTooLarge(f"the archive has more than {self.bounds.members:,} members, {limit_of('archive_members')}")

    def expand(self, count: int, member_size: int) -> None:
        """Count ``count`` more bytes of a member that has ``member_size`` with them. Raises both errors of size."""
        self._expanded += count
        if self._expanded > self.bounds.total_bytes:
            raise _ArchiveTooLarge(
                f"the archive unpacks to more than {self.bounds.total_bytes >> 20:,} MiB, {limit_of('archive_mib')}"
            )
        if self._expanded > max(_RATIO_FREE_BYTES, self.bounds.ratio * self._packed):
            raise _ArchiveTooLarge(
                f"the archive unpacks to more than {self.bounds.ratio:,} times its size, {limit_of('archive_ratio')}"
            )
        if member_size > self.bounds.member_bytes:
            raise _MemberTooLarge(f"unpacks to more than {self.bounds.member_bytes >> 20:,} MiB, {limit_of('member_mib')}")


def _members(name: str, content: bytes, budget: _Budget, *, level: int) -> Iterator[SourceFile | Unreadable]:
    if level > budget.bounds.levels:
        yield Unreadable(name, f"more than {budget.bounds.levels} archives within each other, {limit_of('archive_levels')}")
        return
    if name.lower().endswith(".gz"):
        budget.open_member()
        member = name[: -len(".gz")]
        yield from _member(name, member, lambda: gzip.GzipFile(fileobj=io.BytesIO(content)), budget, level, content)
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception as error:  # noqa: BLE001 - a damaged directory raises errors of many kinds
        yield Unreadable(name, f"damaged archive: {error}", content)
        return
    with archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            budget.open_member()
            member = Path(info.filename).name
            yield from _member(f"{name}/{member}", member, partial(_opened, archive, info), budget, level)


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> io.BufferedIOBase:
    return cast("zipfile.ZipExtFile", archive.open(info))


def _member(
    label: str, name: str, opened: Callable[[], io.BufferedIOBase], budget: _Budget, level: int, content: bytes = b""
) -> Iterator[SourceFile | Unreadable]:
    """Yield a member, or its members. ``label``: its name in reports. ``content``: of the archive, if it is the only member."""
    try:
        inner = _expanded(opened, budget)
    except _ArchiveTooLarge:
        raise
    except _MemberTooLarge as error:
        yield Unreadable(label, str(error), content)
    except MemoryError:
        yield Unreadable(label, "unpacking it needs more memory than it may use", content)
    except Exception as error:  # noqa: BLE001 - the decompressors raise errors of many kinds for damaged data
        yield Unreadable(label, f"damaged archive: {str(error) or type(error).__name__}", content)
    else:
        if is_archive(name):
            yield from _members(name, inner, budget, level=level + 1)
        else:
            yield SourceFile(name, inner, budget.archive)


def _expanded(opened: Callable[[], io.BufferedIOBase], budget: _Budget) -> bytes:
    size = 0
    with closing(opened()) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            budget.expand(len(chunk), size)
    with closing(opened()) as stream:
        if size <= _CHUNK:
            return stream.read()
        content = io.BytesIO()
        content.seek(size - 1)
        content.write(b"\0")  # allocated at once, because a buffer that grows is copied
        content.seek(0)
        while chunk := stream.read(_CHUNK):
            content.write(chunk)
    return content.getvalue()
