"""Stores the original content of files with rows in quarantine, so that they can be loaded again once the cause is fixed."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

from aurum.core.errors import NotFound
from aurum.pipelines.source import SourceFile


class RawFileMissing(NotFound):
    """This machine has no copy of a file with rows in quarantine. Facts: ``digest``."""


class RawFiles:
    """A folder of gzip files, named by the SHA-256 of their content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, digest: str, content: bytes) -> None:
        """Store a content; storing it again changes nothing. The file appears complete or not at all."""
        path = self._path(digest)
        if path.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.part")
        partial.write_bytes(gzip.compress(content, mtime=0))
        partial.replace(path)

    def get(self, digest: str, *, name: str) -> SourceFile:
        """Return the stored content as a file of that name. Raises ``RawFileMissing``."""
        path = self._path(digest)
        if not path.exists():
            raise RawFileMissing(
                f"{self._folder} has no copy of {name}: run `aurum quarantine replay --digest {digest} --file PATH`",
                digest=digest,
            )
        try:
            return SourceFile(name, gzip.decompress(path.read_bytes()))
        except (OSError, EOFError, zlib.error) as error:
            raise RawFileMissing(
                f"the copy of {name} in {self._folder} is damaged: run `aurum quarantine replay --digest {digest} --file PATH`",
                digest=digest,
            ) from error

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.gz"
