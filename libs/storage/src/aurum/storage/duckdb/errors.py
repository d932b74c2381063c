"""Errors of DuckDB, of files and of buckets, translated to those of ``aurum.core.errors``: one line for the operator."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager

from aurum.core.errors import AurumError, Unavailable


class HistoryUnavailable(Unavailable):
    """The folder or bucket of history cannot be read or written, or did not answer in time."""


_OS_ERRORS = {
    errno.ENOSPC: ("the disk of history is full", 60.0),
    errno.EDQUOT: ("the disk quota of history is used up", 60.0),
    errno.EACCES: ("this process is not permitted to read or write history", 30.0),
    errno.EPERM: ("this process is not permitted to read or write history", 30.0),
    errno.EROFS: ("history is on a read-only file system", 30.0),
    errno.ENOENT: ("a file of history was deleted", 1.0),
}


@contextmanager
def driver_errors(location: str) -> Generator[None]:
    """Raise errors of DuckDB, of Arrow's file systems and of files as ``HistoryUnavailable``; bugs pass through."""
    try:
        yield
    except AurumError:
        raise
    except OSError as error:
        text, retry_after = _OS_ERRORS.get(error.errno or 0, ("history cannot be read or written", 5.0))
        raise HistoryUnavailable(
            f"{text} ({location}): check AURUM_HISTORY__URL", retry_after=retry_after, cause=type(error).__name__
        ) from error
    except Exception as error:
        raise _translated(error, location) from error


def _translated(error: Exception, location: str) -> Exception:
    import duckdb

    kinds: tuple[tuple[type[Exception], str, float], ...] = (
        (duckdb.InterruptException, "history did not answer in time", 5.0),
        (duckdb.OutOfMemoryException, "history needs more memory than AURUM_HISTORY__MEMORY permits", 5.0),
        (duckdb.IOException, "a file of history cannot be read", 5.0),
        (duckdb.HTTPException, "the bucket of history does not answer", 5.0),
    )
    for kind, text, retry_after in kinds:
        if isinstance(error, kind):
            return HistoryUnavailable(f"{text} ({location})", retry_after=retry_after, cause=type(error).__name__)
    return error
