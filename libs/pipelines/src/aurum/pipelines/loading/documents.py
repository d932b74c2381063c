"""Finds the files that paths, folders and globs name, and reads them, including the members of .zip and .gz archives."""

from __future__ import annotations

import glob
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aurum.core.errors import NotFound
from aurum.pipelines.source import SourceFile

MEMBER_BYTES = 2 << 30
"""Largest size of one unpacked archive member."""


class NoSuchPath(NotFound):
    """A path or pattern that matches no file. Facts: ``path``."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be opened or unpacked, and why. It is reported like a refused file; the other files are loaded."""

    name: str
    reason: str
    content: bytes = b""


def find_files(patterns: Sequence[str]) -> list[Path]:
    """Return the files that paths, folders (recursively, without hidden files) and globs name, each once, in order.

    Raises ``NoSuchPath``.
    """
    files: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            matches = sorted(member for member in path.rglob("*") if member.is_file() and not _is_hidden(member, path))
        elif path.exists():
            matches = [path]
        else:
            matches = [Path(match) for match in sorted(glob.glob(pattern, recursive=True)) if Path(match).is_file()]
            if not matches:
                raise NoSuchPath(f"no file matches {pattern!r}", path=pattern)
        files.update(dict.fromkeys(matches))
    return list(files)


def read_source_files(path: Path) -> Iterator[SourceFile | Unreadable]:
    """Yield the file at a path, or each member when it is an archive."""
    try:
        content = path.read_bytes()
    except OSError as error:
        yield Unreadable(path.name, f"cannot be read: {error.strerror or error}")
        return
    yield from unpack(path.name, content)


def unpack(name: str, content: bytes) -> Iterator[SourceFile | Unreadable]:
    """Yield a file, or each member when it is an archive; nested archives are unpacked too."""
    lower = name.lower()
    try:
        if lower.endswith(".zip"):
            yield from _zip_members(name, content)
        elif lower.endswith(".gz"):
            with gzip.open(io.BytesIO(content)) as stream:
                inner = stream.read(MEMBER_BYTES + 1)
            yield from _bounded(name, name[: -len(".gz")], inner)
        else:
            yield SourceFile(name, content)
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        yield Unreadable(name, f"damaged archive: {error}", content)


def _zip_members(name: str, content: bytes) -> Iterator[SourceFile | Unreadable]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            with archive.open(member) as stream:
                inner = stream.read(MEMBER_BYTES + 1)
            yield from _bounded(name, Path(member.filename).name, inner)


def _bounded(archive: str, name: str, content: bytes) -> Iterator[SourceFile | Unreadable]:
    if len(content) > MEMBER_BYTES:
        yield Unreadable(f"{archive}/{name}", f"unpacks to more than the limit of {MEMBER_BYTES >> 20} MiB")
    else:
        yield from unpack(name, content)


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
