"""Errors of DuckDB and of the folder to the taxonomy: one line for whoever runs this."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager

from aurum.core.errors import AurumError, Unavailable


class HistoryUnavailable(Unavailable):
    """The folder or bucket of history cannot be read or written, or not in time."""


_TEXTS = {
    errno.ENOSPC: ("the disk of history is full", 60.0),
    errno.EDQUOT: ("the disk quota of history is used up", 60.0),
    errno.EACCES: ("this process may not write or read history", 30.0),
    errno.EPERM: ("this process may not write or read history", 30.0),
    errno.EROFS: ("history is on a read-only file system", 30.0),
    errno.ENOENT: ("a file of history is gone", 1.0),
}


@contextmanager
def driver_errors(where: str) -> Generator[None]:
    """Errors of DuckDB, of Arrow's file systems and of files become ``HistoryUnavailable``; bugs pass through."""
    try:
        yield
    except AurumError:
        raise
    except OSError as error:
        text, retry_after = _TEXTS.get(error.errno or 0, ("history cannot be read or written", 5.0))
        raise HistoryUnavailable(
            f"{text} ({where}): check AURUM_HISTORY__URL", retry_after=retry_after, cause=type(error).__name__
        ) from error
    except Exception as error:
        raise _of_duckdb(error, where) from error


def _of_duckdb(error: Exception, where: str) -> Exception:
    import duckdb

    kinds: tuple[tuple[type[Exception], str, float], ...] = (
        (duckdb.InterruptException, "history did not answer in time", 5.0),
        (duckdb.OutOfMemoryException, "history needs more memory than it may use", 5.0),
        (duckdb.IOException, "a file of history cannot be read", 5.0),
        (duckdb.HTTPException, "the bucket of history does not answer", 5.0),
    )
    for kind, text, retry_after in kinds:
        if isinstance(error, kind):
            return HistoryUnavailable(f"{text} ({where})", retry_after=retry_after, cause=type(error).__name__)
    return error
