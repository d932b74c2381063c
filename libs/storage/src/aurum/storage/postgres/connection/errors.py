"""Translation of driver errors into errors of Aurum: one table, the most specific first."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from asyncpg.exceptions import AdminShutdownError, CrashShutdownError

from aurum.common.resilience.unreachable import cause_of, server_of
from aurum.core.errors import AurumError, Unavailable
from aurum.storage.ports.errors import LostRace


class DatabaseUnavailable(Unavailable):
    """The database does not answer, or not in time. The text names the cause and never contains a password."""


_PORT = 5432
_LOST_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.InvalidCachedStatementError)

_TABLE: tuple[tuple[type[BaseException], str, float], ...] = (
    (asyncpg.InvalidPasswordError, "the database refuses the user or the password", 30.0),
    (asyncpg.InvalidAuthorizationSpecificationError, "the database refuses the user", 30.0),
    (asyncpg.InvalidCatalogNameError, "the database does not exist", 30.0),
    (asyncpg.UndefinedTableError, "the database is not migrated (run `aurum db migrate`)", 30.0),
    (asyncpg.DiskFullError, "the database's disk is full", 60.0),
    (asyncpg.TooManyConnectionsError, "the database has no free connection", 1.0),
    (asyncpg.CannotConnectNowError, "the database is starting or stopping", 1.0),
    (asyncpg.QueryCanceledError, "the database took too long", 5.0),
    (asyncpg.IdleInTransactionSessionTimeoutError, "the transaction took too long", 5.0),
    (asyncpg.DeadlockDetectedError, "the database ended the transaction to resolve a deadlock", 1.0),
    (asyncpg.SerializationError, "a concurrent transaction changed the same rows first", 1.0),
    (asyncpg.InvalidCachedStatementError, "the schema was changed while the transaction ran", 1.0),
    (asyncpg.TransactionTimeoutError, "the transaction took longer than AURUM_DATABASE__LOAD_TIMEOUT_S allows", 30.0),
    (asyncpg.PostgresConnectionError, "the connection to the database was lost", 1.0),
    (asyncpg.OperatorInterventionError, "the database is being shut down", 1.0),
    (asyncpg.InsufficientResourcesError, "the database is out of resources", 5.0),
    (asyncpg.InterfaceError, "the connection to the database is closed", 1.0),
    (asyncpg.InternalClientError, "the connection to the database was lost", 1.0),
    (asyncio.TimeoutError, "the database did not answer in time", 1.0),
    (OSError, "the database cannot be reached", 1.0),
)


@contextmanager
def driver_errors() -> Generator[None]:
    """Translate errors of asyncpg and of its socket into ``DatabaseUnavailable`` or ``LostRace``; bugs pass through.

    Use it around calls of the driver only, because it attributes every ``OSError`` to the database.
    """
    with _translating(DRIVER_ERRORS):
        yield


@contextmanager
def connecting(url: str) -> Generator[None]:
    """Translate errors like ``driver_errors``, around a new connection: the error's ``where`` is the server and the cause."""
    try:
        with driver_errors():
            yield
    except DatabaseUnavailable as error:
        error.where = where(url, error.__cause__)
        raise


def where(url: str, cause: BaseException | None) -> str:
    """Return the server of a URL and why it cannot be used, without a user or a password."""
    return f"{server_of(url, port=_PORT)}: {cause_of(cause)}"


@contextmanager
def statement_errors() -> Generator[None]:
    """Translate errors of statements likewise, around a block that does more than call the driver.

    A missing file or a full disk in such a block is not an error of the database, and passes through.
    """
    with _translating(_STATEMENT_ERRORS):
        yield


@contextmanager
def _translating(kinds: tuple[type[BaseException], ...]) -> Generator[None]:
    try:
        yield
    except AurumError:
        raise
    except kinds as error:
        translation = translated(error)
        if translation is error:
            raise
        raise translation from error


BROKEN_CONNECTION_ERRORS = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    AdminShutdownError,
    CrashShutdownError,
)
"""Errors of a connection that was cut while it was idle, as all are when a server restarts."""

DRIVER_ERRORS = (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""Errors that asyncpg and its socket raise."""

_STATEMENT_ERRORS = (*DRIVER_ERRORS[:-1], ConnectionError)


def translated(error: BaseException) -> BaseException:
    """Return the error of Aurum for an error of the driver; the same error when it is a bug.

    Small reads call this in their own ``except``, because entering ``driver_errors`` takes 1.5 µs.
    """
    if isinstance(error.__cause__, asyncpg.TransactionTimeoutError):
        error = error.__cause__  # the server reported the cause before it closed the connection
    for kind, text, retry_after in _TABLE:
        if isinstance(error, kind):
            error_class = LostRace if kind in _LOST_RACES else DatabaseUnavailable
            return error_class(text, retry_after=retry_after, cause=type(error).__name__)
    return error
