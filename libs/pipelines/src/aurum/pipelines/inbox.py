"""The inbox: a folder whose files are loaded, each once when it is whole.

A file is whole when two looks, one scan apart, saw the same size and time of change, or when its marker is there. It is loaded,
then moved; a scan that ends in between loads it again, which changes nothing, because a file is known by its digest.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from aurum.core.errors import Invalid
from aurum.pipelines.fetch.atomic_write import FolderUnusable, atomic_write
from aurum.pipelines.loading.load import FileOutcome, FileReport

LOADED, REFUSED = "loaded", "refused"
MARKER, REASON = ".done", ".reason.txt"
_PARTIAL = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
_MOST_REASONS = 100
_LONGEST_NAME = 200

_log = structlog.get_logger(__name__)

Look = tuple[int, int]
"""Size in bytes and time of change in nanoseconds."""


class NoInbox(Invalid):
    """``AURUM_INBOX__FOLDER`` is not set, or is not a folder that can be read. Facts: ``folder``."""


@dataclass(slots=True)
class InboxReport:
    """The result of a scan: numbers of files by what happened to them, and the names of those that are left for good."""

    files: Counter[str] = field(default_factory=Counter[str])
    left: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Memory:
    """Looks of earlier scans, in a file: the last at each file, and those at files that were loaded and left."""

    path: Path
    looks: dict[str, Look]
    loaded: dict[str, Look]

    @classmethod
    def read(cls, path: Path) -> _Memory:
        try:
            known = json.loads(path.read_bytes())
            looks, loaded = (
                {str(name): (int(a), int(b)) for name, (a, b) in known[key].items()} for key in ("looks", "loaded")
            )
        except FileNotFoundError:
            return cls(path, {}, {})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            # Without it every file waits for one more scan, and is known by its digest.
            _log.warning("inbox memory not read", path=str(path), reason=str(error))
            return cls(path, {}, {})
        return cls(path, looks, loaded)

    def write(self, looks: dict[str, Look], loaded: dict[str, Look]) -> None:
        with atomic_write(self.path) as file:
            file.write(json.dumps({"looks": looks, "loaded": loaded}).encode())


@dataclass(frozen=True, slots=True)
class Inbox:
    """A folder. ``memory``: file in which looks are remembered from one scan to the next. ``load``: loads one file.

    ``moves``: whether loaded files are moved. ``needs_marker``: load a file only when its marker is there.
    """

    folder: Path
    memory: Path
    load: Callable[[Path], AsyncIterator[FileReport]]
    moves: bool = True
    needs_marker: bool = False

    async def scan(self) -> InboxReport:
        """Load the files that are whole. Raises ``NoInbox``, ``FolderUnusable``, and ``Unavailable`` of the store."""
        memory = _Memory.read(self.memory)
        report = InboxReport()
        looks: dict[str, Look] = {}
        loaded = dict[str, Look]()
        names = self._names()
        for name in sorted(names):
            path = self.folder / name
            reason, look = _look(path)
            if look is None:
                if reason:
                    report.left[ascii(name)] = reason
                continue
            looks[name] = look
            if memory.loaded.get(name) == look:
                loaded[name] = look
                continue
            if not self._is_whole(name, names, memory.looks.get(name) == look):
                report.files["waiting"] += 1
                continue
            outcome = await self._load(path, look)
            report.files[outcome] += 1
            if outcome == "changed":
                continue
            if not path.exists():
                looks.pop(name)
                memory.looks.pop(name, None)
            else:
                loaded[name] = look
            # A scan that ends early loads nothing twice. What it did not come to stays as the last scan saw it.
            memory.write(memory.looks | looks, memory.loaded | loaded)
        memory.write(looks, loaded)
        for name, reason in report.left.items():
            _log.info("file of the inbox left", name=name, reason=reason)
        return report

    def _names(self) -> set[str]:
        try:
            return set(os.listdir(self.folder))
        except OSError as error:
            text = str(self.folder)
            raise NoInbox(f"AURUM_INBOX__FOLDER {text!r} cannot be read: {error.strerror}", folder=text) from error

    def _is_whole(self, name: str, names: set[str], is_stable: bool) -> bool:
        return name + MARKER in names or (is_stable and not self.needs_marker)

    async def _load(self, path: Path, look: Look) -> str:
        """Load a file and move it, and return what happened to it."""
        reports = [report async for report in self.load(path)]
        if _look(path)[1] != look:
            return "changed"  # while it was read: the next scan loads it anew
        reasons = [f"{report.name}: {report.reason}" for report in reports if report.outcome is FileOutcome.REFUSED]
        if not reports or all(report.outcome is FileOutcome.SKIPPED for report in reports):
            reasons = [f"{path.name}: its name says that it holds no data"]
        if reasons:
            self._move(path, REFUSED, reasons)
            return REFUSED
        if self.moves:
            self._move(path, LOADED)
        return LOADED

    def _move(self, path: Path, to: str, reasons: list[str] | None = None) -> None:
        """Move a file, with its reason beside it, under a name that is free. The reason is there first."""
        folder = self.folder / to
        try:
            folder.mkdir(exist_ok=True)
            target = _free(folder, path.name)
            if reasons is not None:
                more = [f"and {len(reasons) - _MOST_REASONS} more"] if len(reasons) > _MOST_REASONS else []
                with atomic_write(target.with_name(_cut(target.name) + REASON)) as file:
                    file.write("\n".join([*reasons[:_MOST_REASONS], *more, ""]).encode())
            path.rename(target)
            path.with_name(path.name + MARKER).unlink(missing_ok=True)
        except OSError as error:
            text = str(folder)
            raise FolderUnusable(f"{text} cannot be written: {error.strerror}", folder=text) from error


def _look(path: Path) -> tuple[str, Look | None]:
    """Return why a file is left, empty where that needs no mention, and its size and time; None for one that is left."""
    name = path.name
    if name.startswith(".") or name.endswith((*_PARTIAL, MARKER)) or name in (LOADED, REFUSED):
        return "", None
    if not name.isprintable():
        return "its name has characters that cannot be printed", None
    try:
        seen = path.lstat()
    except FileNotFoundError:
        return "", None
    if not stat.S_ISREG(seen.st_mode):
        return "a link" if stat.S_ISLNK(seen.st_mode) else "no file", None
    return "", (seen.st_size, seen.st_mtime_ns)


def _cut(name: str) -> str:
    """Return a name that another suffix can be added to: file systems take at most 255 bytes."""
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore")


def _free(folder: Path, name: str) -> Path:
    """Return a path of a folder that does not exist: that of the name, or one with a number before its suffix."""
    path, count = folder / name, 1
    while path.exists():
        path = folder / f"{_cut(Path(name).stem)}.{count}{Path(name).suffix}"
        count += 1
    return path
