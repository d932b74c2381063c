"""Errors of Trino's client, of Iceberg and its catalog, translated to those of ``aurum.core.errors``."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

import requests
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from sqlalchemy.exc import DBAPIError
from trino.exceptions import (
    HttpError,
    OperationalError,
    TrinoAuthError,
    TrinoConnectionError,
    TrinoQueryError,
)

from aurum.common.resilience.errors import Refused
from aurum.common.resilience.unreachable import cause_of, failed_call
from aurum.core.errors import AurumError, Unavailable


class TrinoUnavailable(Unavailable):
    """Trino, or the storage of its tables, does not answer, or not in time. The text never contains a password."""


class TrinoAway(TrinoUnavailable):
    """Trino cannot be reached or lacks nodes. Several of these in a row open the circuit; a read may be tried again."""


_AWAY = {
    "NO_NODES_AVAILABLE": "has no working node",
    "SERVER_SHUTTING_DOWN": "is shutting down",
    "SERVER_STARTING_UP": "is starting",
    "PAGE_TRANSPORT_ERROR": "lost a node",
    "PAGE_TRANSPORT_TIMEOUT": "lost a node",
    "REMOTE_TASK_ERROR": "lost a node",
    "REMOTE_TASK_MISMATCH": "lost a node",
    "REMOTE_HOST_GONE": "lost a node",
    "TOO_MANY_REQUESTS_FAILED": "lost a node",
    "ABANDONED_QUERY": "abandoned the query",
}
_FAILING = {
    "EXCEEDED_TIME_LIMIT": ("took too long", 5.0),
    "USER_CANCELED": ("cancelled the query", 5.0),
    "ADMINISTRATIVELY_KILLED": ("cancelled the query", 5.0),
    "ADMINISTRATIVELY_PREEMPTED": ("cancelled the query", 5.0),
    "CLUSTER_OUT_OF_MEMORY": ("is out of memory", 5.0),
    "EXCEEDED_LOCAL_MEMORY_LIMIT": ("is out of memory", 5.0),
    "EXCEEDED_GLOBAL_MEMORY_LIMIT": ("is out of memory", 5.0),
    "QUERY_QUEUE_FULL": ("has too many queries in its queue", 2.0),
    "CATALOG_UNAVAILABLE": ("cannot use its catalog", 30.0),
    "JDBC_ERROR": ("cannot reach a database behind it", 5.0),
    "ICEBERG_CATALOG_ERROR": ("cannot reach the catalog of its tables", 5.0),
    "ICEBERG_FILESYSTEM_ERROR": ("cannot reach the files of its tables", 5.0),
    "ICEBERG_CANNOT_OPEN_SPLIT": ("cannot reach the files of its tables", 5.0),
    "ICEBERG_COMMIT_ERROR": ("lost to a concurrent change of the table", 1.0),
    "TRANSACTION_CONFLICT": ("lost to a concurrent change of the table", 1.0),
    "PERMISSION_DENIED": ("refuses the user this operation", 30.0),
}
_STATUS = re.compile(r"error (\d{3})")
_REFUSED = frozenset({401, 403})
_GONE = frozenset({404, 410})
"""Statuses with which a restarted server answers about a query that ran before."""


@contextmanager
def driver_errors() -> Generator[None]:
    """Raise errors of the drivers as ``TrinoUnavailable``; bugs, such as a wrong statement, pass through."""
    try:
        yield
    except AurumError:
        raise
    except Refused as error:
        raise TrinoUnavailable(error.detail, retry_after=error.retry_after) from error
    except TrinoAuthError as error:
        raise TrinoUnavailable("Trino refuses the user or the password", retry_after=30.0) from error
    except (TrinoConnectionError, requests.RequestException) as error:
        raise TrinoAway(
            "Trino cannot be reached", retry_after=1.0, where=failed_call(error), cause=type(error).__name__
        ) from error
    except TrinoQueryError as error:
        raise _translated_query_error(error) from error
    except (HttpError, OperationalError) as error:
        raise _translated_http_error(error) from error
    except (CommitFailedException, CommitStateUnknownException) as error:
        raise TrinoUnavailable("the table of history was changed concurrently", retry_after=1.0) from error
    except DBAPIError as error:
        raise TrinoUnavailable(
            "the Iceberg catalog cannot be reached: check AURUM_TRINO__CATALOG_URI", retry_after=1.0, where=cause_of(error.orig)
        ) from error
    except TimeoutError as error:
        raise TrinoUnavailable(
            "the catalog or the files of the Iceberg table did not answer in time", retry_after=5.0
        ) from error
    except OSError as error:
        raise TrinoUnavailable(
            "the files of the Iceberg table cannot be reached: check AURUM_TRINO__WAREHOUSE",
            retry_after=5.0,
            cause=type(error).__name__,
        ) from error


def _translated_query_error(error: TrinoQueryError) -> BaseException:
    name = str(error.error_name)
    if name in _AWAY:
        return TrinoAway(f"Trino {_AWAY[name]}", retry_after=1.0, cause=name)
    if name in _FAILING:
        text, retry_after = _FAILING[name]
        return TrinoUnavailable(f"Trino {text}", retry_after=retry_after, cause=name)
    return error


def _translated_http_error(error: Exception) -> BaseException:
    match = _STATUS.search(str(error))
    status = int(match.group(1)) if match else 0
    if status in _REFUSED:
        return TrinoUnavailable("Trino refuses the user or the password", retry_after=30.0, status=status)
    if status in _GONE or status >= 500:
        return TrinoAway("Trino cannot be reached", retry_after=1.0, status=status)
    return error
