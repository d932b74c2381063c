"""Driver errors to the taxonomy: one table, most specific first."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from asyncpg.exceptions import AdminShutdownError, CrashShutdownError

from aurum.core.errors import AurumError, Unavailable
from aurum.storage.ports.transaction import LostRace


class DatabaseUnavailable(Unavailable):
    """The database does not answer, or not in time. The text says how; it never holds a password."""


_LOST = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

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
    (asyncpg.DeadlockDetectedError, "the database broke a deadlock", 1.0),
    (asyncpg.SerializationError, "a concurrent change got in first", 1.0),
    (asyncpg.PostgresConnectionError, "the connection to the database broke", 1.0),
    (asyncpg.OperatorInterventionError, "the database is being shut down", 1.0),
    (asyncpg.InsufficientResourcesError, "the database is out of resources", 5.0),
    (asyncpg.InterfaceError, "the connection to the database is closed", 1.0),
    (asyncpg.InternalClientError, "the connection to the database broke", 1.0),
    (asyncio.TimeoutError, "the database did not answer in time", 1.0),
    (OSError, "the database cannot be reached", 1.0),
)


@contextmanager
def driver_errors() -> Generator[None]:
    """Errors of asyncpg and of the socket become ``DatabaseUnavailable`` or ``LostRace``; bugs pass through."""
    try:
        yield
    except AurumError:
        raise
    except DRIVER_ERRORS as error:
        raise translated(error) from error


BROKE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    AdminShutdownError,
    CrashShutdownError,
)
"""How a connection answers that was cut while it lay idle, as all are when a server starts again."""

DRIVER_ERRORS = (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg and its socket raise."""


def translated(error: BaseException) -> BaseException:
    """The same error in our words; itself when it is a bug. For who cannot afford ``driver_errors``, which takes 1.5 µs."""
    for kind, text, retry_after in _TABLE:
        if isinstance(error, kind):
            made = LostRace if kind in _LOST else DatabaseUnavailable
            return made(text, retry_after=retry_after, cause=type(error).__name__)
    return error
