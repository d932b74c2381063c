"""Who uses an embedded server: a shared file lock each, so that the last to leave knows it is the last."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from aurum.core.errors import Unavailable


class EmbeddedServerFailed(Unavailable):
    """An embedded server cannot be started. Facts: ``folder``."""


class Users:
    """The lock file of one server's users. Locks end with their process, a killed one's too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def enter(self) -> None:
        """Become a user; waits while the last one is stopping the server. Raises ``EmbeddedServerFailed``."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            folder = str(self._path.parent)
            raise EmbeddedServerFailed(f"AURUM_DATA_DIR: {folder} cannot be used: {error.strerror}", folder=folder) from error
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Whether nobody else uses the server; if so, nobody can begin to until ``leave``."""
        if self._descriptor is None:
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def leave(self) -> None:
        """Stop being a user."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
