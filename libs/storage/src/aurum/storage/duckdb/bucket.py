"""Where the files of history lie when that is a bucket: through Arrow's file systems (``s3://``, ``gs://``, ``abfss://``)."""

# Arrow comes without types.
# pyright: basic
from __future__ import annotations

from collections.abc import Generator, Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aurum.storage.duckdb.history_files import Folder, HistoryFiles

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


class Bucket:
    """A bucket, or whatever Arrow has a file system for. It has no lock: the hot store's log lets one run write at a time."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._opened: tuple[FileSystem, str] | None = None
        self.where = self._url

    def stamp(self, name: str) -> Hashable:
        from pyarrow.fs import FileType

        system, root = self._system()
        found = system.get_file_info(f"{root}/{name}")
        return None if found.type == FileType.NotFound else (found.mtime_ns, found.size)

    def read(self, name: str) -> bytes | None:
        system, root = self._system()
        try:
            with system.open_input_file(f"{root}/{name}") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def keep(self, name: str, content: bytes) -> None:
        system, root = self._system()
        target = f"{root}/{name}"
        system.create_dir(target.rpartition("/")[0], recursive=True)
        # An object of a bucket appears whole, when its upload ends.
        with system.open_output_stream(target) as file:
            file.write(content)

    def drop(self, name: str) -> None:
        system, root = self._system()
        try:
            system.delete_file(f"{root}/{name}")
        except FileNotFoundError:
            return

    def names(self) -> Iterator[tuple[str, datetime]]:
        from pyarrow.fs import FileSelector

        system, root = self._system()
        for found in system.get_file_info(FileSelector(root, allow_not_found=True, recursive=True)):
            if found.path.endswith(".parquet"):
                yield found.path.removeprefix(f"{root}/"), found.mtime

    @contextmanager
    def locked(self, *, patience_s: float) -> Generator[None]:  # noqa: ARG002 - nothing to wait for
        yield

    def scanned(self, names: list[str]) -> object:
        from pyarrow import dataset

        system, root = self._system()
        return dataset.dataset([f"{root}/{name}" for name in names], filesystem=system, format="parquet")

    def _system(self) -> tuple[FileSystem, str]:
        if self._opened is None:
            from pyarrow.fs import FileSystem

            system, root = FileSystem.from_uri(self._url)
            self._opened = (system, root.rstrip("/"))
        return self._opened


def shelf_of(url: str) -> HistoryFiles:
    """A folder for a path, a bucket for what has a scheme (``s3://``, ``gs://``, ``abfss://``)."""
    return Bucket(url) if "://" in url else Folder(Path(url))
