"""The files of history in a bucket, through Arrow's file systems (``s3://``, ``gs://``, ``abfss://``)."""

# pyarrow ships no types.
# pyright: basic
from __future__ import annotations

from collections.abc import Generator, Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from aurum.storage.duckdb.history_files import Folder, HistoryFiles

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


class Bucket:
    """``HistoryFiles`` in a bucket, or in anything else Arrow has a file system for.

    A bucket has no lock: the archive log of the hot store lets one run write at a time.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._opened: tuple[FileSystem, str] | None = None
        self.location = self._url

    def stamp(self, name: str) -> Hashable:
        from pyarrow.fs import FileType

        system, root = self._system()
        info = system.get_file_info(f"{root}/{name}")
        return None if info.type == FileType.NotFound else (info.mtime_ns, info.size)

    def read(self, name: str) -> bytes | None:
        system, root = self._system()
        try:
            with system.open_input_file(f"{root}/{name}") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        with self.writing(name) as file:
            file.write(content)

    @contextmanager
    def writing(self, name: str) -> Generator[IO[bytes]]:
        system, root = self._system()
        target = f"{root}/{name}"
        system.create_dir(target.rpartition("/")[0], recursive=True)
        # Readers see an object of a bucket only once its upload has ended, so never in part.
        with system.open_output_stream(target) as file:
            yield file

    def delete(self, name: str) -> None:
        system, root = self._system()
        try:
            system.delete_file(f"{root}/{name}")
        except FileNotFoundError:
            return

    def names(self, suffix: str = ".parquet") -> Iterator[tuple[str, datetime]]:
        from pyarrow.fs import FileSelector

        system, root = self._system()
        for info in system.get_file_info(FileSelector(root, allow_not_found=True, recursive=True)):
            if info.path.endswith(suffix):
                yield info.path.removeprefix(f"{root}/"), info.mtime

    @contextmanager
    def locked(self, *, patience_s: float) -> Generator[None]:  # noqa: ARG002 - a bucket has no lock
        yield

    def scan_source(self, names: list[str]) -> object:
        from pyarrow import dataset

        system, root = self._system()
        return dataset.dataset([f"{root}/{name}" for name in names], filesystem=system, format="parquet")

    def _system(self) -> tuple[FileSystem, str]:
        if self._opened is None:
            from pyarrow.fs import FileSystem

            system, root = FileSystem.from_uri(self._url)
            self._opened = (system, root.rstrip("/"))
        return self._opened


def history_files_at(url: str) -> HistoryFiles:
    """Return a bucket for a URL with a scheme (``s3://``, ``gs://``, ``abfss://``), and a folder for a path."""
    return Bucket(url) if "://" in url else Folder(Path(url))
