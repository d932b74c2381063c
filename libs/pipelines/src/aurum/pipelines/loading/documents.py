"""Finds the files that paths, folders and globs name, and reads them, including the members of archives."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aurum.common.settings.files import limit_of
from aurum.core.errors import NotFound
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.no_data import Skipped, is_no_data, skip_no_data
from aurum.pipelines.loading.unpacking import Unreadable, is_archive, unpack
from aurum.pipelines.source import SourceFile

FILE_BYTES = 2 << 30
"""Largest file that is read, unless the caller states another size: the default of ``AURUM_FILES__FILE_MIB``."""


class NoSuchPath(NotFound):
    """A path or pattern that matches no file. Facts: ``path``."""


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The files that paths, folders and globs name. ``skipped``: those in folders and globs that hold no data."""

    files: tuple[Path, ...]
    skipped: tuple[Path, ...] = ()


def find_files(patterns: Sequence[str]) -> FoundFiles:
    """Return the files that paths, folders (recursively, without hidden folders) and globs name, each once, in order.

    A path that names a file is never skipped. Raises ``NoSuchPath``.
    """
    files: dict[Path, None] = {}
    skipped: dict[Path, None] = {}
    for pattern in patterns:
        if not pattern.strip():
            # For the file system an empty path is the present folder: an unset variable of a shell would load all of it.
            raise NoSuchPath("an empty path names no file", path=pattern)
        path = Path(pattern)
        if path.is_dir():
            matches = sorted(member for member in path.rglob("*") if member.is_file() and not _is_hidden(member.parent, path))
        elif path.exists():
            files[path] = None
            continue
        else:
            matches = [Path(match) for match in sorted(glob.glob(pattern, recursive=True)) if Path(match).is_file()]
            if not matches:
                raise NoSuchPath(f"no file matches {pattern!r}", path=pattern)
        for match in matches:
            (skipped if _holds_no_data(match, path) else files)[match] = None
    return FoundFiles(tuple(files), tuple(match for match in skipped if match not in files))


def read_source_files(
    path: Path, isolated: IsolatedFiles | None = None, *, most_bytes: int = FILE_BYTES
) -> Iterator[SourceFile | Unreadable | Skipped]:
    """Yield the file at a path, or each member when it is an archive, with ``Skipped`` for members that hold no data.

    A file that cannot be read is reported as ``Unreadable``, not raised. ``isolated``: unpacks archives in child processes;
    with None this process does. ``most_bytes``: largest size of the file.
    """
    try:
        content = _read(path, most_bytes)
        members = isolated.unpack(path.name, content) if isolated and is_archive(path.name) else unpack(path.name, content)
        yield from skip_no_data(path.name, members)
    except OSError as error:
        yield Unreadable(path.name, f"cannot be read: {error.strerror or error}")
    except MemoryError:
        yield Unreadable(path.name, "cannot be read: it needs more memory than is available")


def _read(path: Path, most_bytes: int) -> bytes:
    with path.open("rb") as file:
        # The size of the open file: its path may name another file by now. A pipe has the size 0, and is read up to the bound.
        if os.fstat(file.fileno()).st_size <= most_bytes:
            content = file.read(most_bytes + 1)
            if len(content) <= most_bytes:
                return content
    raise OSError(errno.EFBIG, f"larger than {most_bytes >> 20:,} MiB, {limit_of('file_mib')}")


def _holds_no_data(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts if path.is_relative_to(root) else (path.name,)
    return any(is_no_data(part) for part in parts)


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
