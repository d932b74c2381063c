"""Files with something in quarantine, kept as they came so that they can be loaded again once the cause is mended."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from aurum.core.errors import NotFound
from aurum.pipelines.source import SourceFile


class FileNotKept(NotFound):
    """The content of a quarantined file is not on this machine. Facts: ``digest``."""


class RawFiles:
    """A folder of gzip files named by digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, digest: str, content: bytes) -> None:
        """Keep a content; a second time changes nothing. The file appears whole or not at all."""
        path = self._path(digest)
        if path.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.part")
        partial.write_bytes(gzip.compress(content, mtime=0))
        partial.replace(path)

    def get(self, digest: str, *, name: str) -> SourceFile:
        """The content under the name it came with. Raises ``FileNotKept``."""
        path = self._path(digest)
        if not path.exists():
            raise FileNotKept(f"{name} is not kept in {self._folder}: give its path", digest=digest)
        return SourceFile(name, gzip.decompress(path.read_bytes()))

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.gz"
