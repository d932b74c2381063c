"""Errors of clickhouse-connect, translated to those of ``aurum.core.errors`` by the server's code or the transport's error."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from clickhouse_connect.driver.exceptions import Error, OperationalError, StreamFailureError

from aurum.common.resilience.errors import Refused
from aurum.common.resilience.unreachable import failed_call
from aurum.core.errors import Unavailable


class ClickhouseUnavailable(Unavailable):
    """ClickHouse does not answer, or not in time. The text never contains a password. Facts: ``code``, the server's, if any."""


class ClickhouseAway(ClickhouseUnavailable):
    """ClickHouse cannot be reached, or rejected the query before it began: a read may succeed when tried again at once."""


# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
_AWAY: Mapping[int, tuple[str, float]] = MappingProxyType(
    {
        198: ("the host of ClickHouse is not known", 5.0),
        202: ("ClickHouse has too many queries under way", 1.0),
        203: ("ClickHouse has no free connection", 1.0),
        209: ("ClickHouse did not answer in time", 1.0),
        210: ("the connection to ClickHouse broke", 1.0),
        236: ("ClickHouse is being shut down", 1.0),
        319: ("ClickHouse cannot say whether the rows were stored", 5.0),
        439: ("ClickHouse has no free thread", 1.0),
        999: ("the replicas of ClickHouse do not agree", 5.0),
    }
)
_UNAVAILABLE: Mapping[int, tuple[str, float]] = MappingProxyType(
    {
        60: ("a table is missing in ClickHouse (see infra/clickhouse)", 30.0),
        81: ("the database is missing in ClickHouse (see infra/clickhouse)", 30.0),
        159: ("ClickHouse took too long", 5.0),
        160: ("ClickHouse would take too long", 5.0),
        216: ("ClickHouse is still writing the same rows", 5.0),
        241: ("ClickHouse has too little memory for the query", 5.0),
        242: ("the table in ClickHouse is read-only", 30.0),
        243: ("the disk of ClickHouse is full", 60.0),
        252: ("ClickHouse has too many parts to merge", 30.0),
        394: ("the query was cancelled in ClickHouse", 1.0),
        497: ("the ClickHouse user lacks a permission (see infra/clickhouse)", 30.0),
        516: ("ClickHouse refuses the user or the password", 30.0),
    }
)


@contextmanager
def driver_errors() -> Generator[None]:
    """Raise errors of clickhouse-connect, its transport and the pool as ``ClickhouseUnavailable``; bugs pass through."""
    try:
        yield
    except Refused as error:
        raise ClickhouseUnavailable(error.detail, retry_after=error.retry_after) from error
    except Error as error:
        raise _translated(error) from error
    except OSError as error:
        raise ClickhouseAway("ClickHouse cannot be reached", retry_after=1.0, where=failed_call(error)) from error


def _translated(error: Error) -> Exception:
    if error.code is None:
        unanswered = isinstance(error, (OperationalError, StreamFailureError))
        where = failed_call(error)
        return ClickhouseAway("ClickHouse cannot be reached", retry_after=1.0, where=where) if unanswered else error
    if (away := _AWAY.get(error.code)) is not None:
        return ClickhouseAway(away[0], retry_after=away[1], code=error.code)
    if (unavailable := _UNAVAILABLE.get(error.code)) is not None:
        return ClickhouseUnavailable(unavailable[0], retry_after=unavailable[1], code=error.code)
    return error
