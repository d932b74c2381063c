"""Where the files of history lie; and a folder, of this machine or one that it mounts. ``bucket`` has the other."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Generator, Hashable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from aurum.storage.duckdb.errors import HistoryUnavailable

_LOCK = ".lock"
_POLL_S = 0.02


class HistoryFiles(Protocol):
    """Files by name, names with slashes. Every method may wait: call it off the event loop. Raises ``OSError``."""

    @property
    def where(self) -> str:
        """What a person would call it."""
        ...

    def stamp(self, name: str) -> Hashable:
        """Changes whenever the file does; None while there is no such file."""
        ...

    def read(self, name: str) -> bytes | None: ...

    def keep(self, name: str, content: bytes) -> None:
        """Durable on return. A file of that name is replaced whole, so that readers see the one or the other."""
        ...

    def drop(self, name: str) -> None:
        """Gone on return, also if it was gone before."""
        ...

    def names(self) -> Iterator[tuple[str, datetime]]:
        """Every data file, and since when it has been there."""
        ...

    @contextmanager
    def locked(self, *, patience_s: float) -> Generator[None]:
        """Be the only writer, as far as the place can promise it. Raises ``HistoryUnavailable``."""
        ...

    def scanned(self, names: list[str]) -> object:
        """What DuckDB reads those files from: paths, or a data set of Arrow's."""
        ...


class Folder:
    """A folder. Writers exclude each other by a lock on a file in it, which ends with their process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.where = str(path)

    def stamp(self, name: str) -> Hashable:
        try:
            found = (self._path / name).stat()
        except FileNotFoundError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, name: str, content: bytes) -> None:
        target = self._path / name
        self._made(target.parent)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync(target.parent)

    def drop(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)

    def names(self) -> Iterator[tuple[str, datetime]]:
        for path in sorted(self._path.rglob("*.parquet*")):
            try:
                since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except FileNotFoundError:
                continue
            yield path.relative_to(self._path).as_posix(), since

    @contextmanager
    def locked(self, *, patience_s: float) -> Generator[None]:
        self._made(self._path)
        with (self._path / _LOCK).open("wb") as file:
            until = time.monotonic() + patience_s
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= until:
                        raise HistoryUnavailable(f"another process writes history ({self.where})", retry_after=5.0) from error
                    time.sleep(_POLL_S)
            yield

    def scanned(self, names: list[str]) -> object:
        return [str(self._path / name) for name in names]

    def _made(self, folder: Path) -> None:
        if folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        # A new folder lasts only when the one that holds it says so.
        for parent in (folder, *folder.parents):
            _sync(parent)
            if parent == self._path.parent:
                break


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
