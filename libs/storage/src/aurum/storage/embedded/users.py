"""The users of an embedded server: each process holds a shared file lock, so the last to leave knows that it is the last."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from aurum.core.errors import Unavailable


class EmbeddedServerFailed(Unavailable):
    """An embedded server cannot be started. Facts: ``folder``."""


class Users:
    """The lock file of the users of one server. The system releases the lock of a process that ends or is killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def enter(self) -> None:
        """Become a user, after waiting for a last user that is stopping the server. Raises ``EmbeddedServerFailed``."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            folder = str(self._path.parent)
            raise EmbeddedServerFailed(f"AURUM_DATA_DIR: {folder} cannot be used: {error.strerror}", folder=folder) from error
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Return whether no other process uses the server; if so, none can become a user before ``leave``."""
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
