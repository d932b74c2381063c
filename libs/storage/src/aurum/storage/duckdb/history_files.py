"""The protocol for the files of history, and their storage in a folder; ``bucket`` has the storage in a bucket."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Generator, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol

from aurum.storage.duckdb.errors import HistoryUnavailable

_LOCK = ".lock"
_POLL_S = 0.02


class HistoryFiles(Protocol):
    """Files by name; names may contain slashes. Every method may block: call it off the event loop. Raises ``OSError``."""

    @property
    def location(self) -> str:
        """The path or URL, for error texts."""
        ...

    def stamp(self, name: str) -> Hashable:
        """Return a value that changes whenever the file does; None while the file does not exist."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None if it does not exist."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file, durable on return.

        An earlier file of that name is replaced atomically: readers see either the old or the new content.
        """
        ...

    def writing(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Yield a stream into a file, which is durable, and visible under its name, once the block has ended.

        After an exception in the block, the file is missing, or is a stray one that a later clean-up finds.
        """
        ...

    def delete(self, name: str) -> None:
        """Delete a file, or do nothing if it does not exist."""
        ...

    def names(self, suffix: str = ".parquet") -> Iterator[tuple[str, datetime]]:
        """Yield the name of every data file with a suffix and the time of its last change, UTC."""
        ...

    @contextmanager
    def locked(self, *, patience_s: float) -> Generator[None]:
        """Hold the lock of the only writer, where there is one.

        Raises ``HistoryUnavailable`` when another process still holds it after ``patience_s`` seconds.
        """
        ...

    def scan_source(self, names: list[str]) -> object:
        """Return a source from which DuckDB reads those files: a list of paths, or an Arrow data set."""
        ...


class Folder:
    """``HistoryFiles`` in a local or mounted folder.

    Writers exclude each other by a lock on a file in it, which the system releases when their process ends.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.location = str(path)

    def stamp(self, name: str) -> Hashable:
        try:
            status = (self._path / name).stat()
        except FileNotFoundError:
            return None
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        with self.writing(name) as file:
            file.write(content)

    @contextmanager
    def writing(self, name: str) -> Generator[IO[bytes]]:
        target = self._path / name
        self._make_folder(target.parent)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(target.parent)

    def delete(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)

    def names(self, suffix: str = ".parquet") -> Iterator[tuple[str, datetime]]:
        for path in sorted(self._path.rglob(f"*{suffix}*")):
            try:
                since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except FileNotFoundError:
                continue
            yield path.relative_to(self._path).as_posix(), since

    @contextmanager
    def locked(self, *, patience_s: float) -> Generator[None]:
        self._make_folder(self._path)
        with (self._path / _LOCK).open("wb") as file:
            deadline = time.monotonic() + patience_s
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= deadline:
                        text = f"another process is writing history ({self.location})"
                        raise HistoryUnavailable(text, retry_after=5.0) from error
                    time.sleep(_POLL_S)
            yield

    def scan_source(self, names: list[str]) -> object:
        return [str(self._path / name) for name in names]

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        # The entry of a new folder is durable only once the folder above it is synced.
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
