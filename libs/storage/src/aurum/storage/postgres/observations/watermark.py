"""Known times that are the moment of loading, and reads that must not miss them.

A load whose rows become known at the moment of loading holds a shared advisory lock until it commits. The number of the lock is
the second in which the load began; the load reads the clock only after it has the lock. A read as of an instant first looks for
such locks with seconds up to that instant. While there is one, a value known by then may still be invisible, so the read waits.
A load without a lock yet will have a known time after every past instant. Locks end with their transaction, crashes included.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from aurum.core.errors import Unavailable
from aurum.storage.postgres.connection.pool import Connection

_LOCK_CLASS = 0x4155  # "AU"
_POLL_INTERVAL_S = 0.02

_ANNOUNCE = f"SELECT pg_advisory_xact_lock_shared({_LOCK_CLASS}, floor(extract(epoch FROM clock_timestamp()))::int)"  # noqa: S608 - a constant
_PENDING = f"""
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND classid = {_LOCK_CLASS} AND objsubid = 2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND objid::bigint <= $1
)"""  # noqa: S608 - a constant


class LoadInProgress(Unavailable):
    """A load that began before ``as_of`` has not committed yet. Facts: ``as_of``."""


async def announce_load(connection: Connection) -> datetime:
    """Take the lock of a load in the current transaction, and return the known time (UTC) of its rows."""
    await connection.execute(_ANNOUNCE)
    return await connection.fetchval("SELECT clock_timestamp()")


def is_long_past(as_of: datetime, *, now: datetime, horizon_s: float) -> bool:
    """Return whether ``as_of`` is too old for the known time of any load under way, without a query.

    ``horizon_s``: the time limit of a load. One day is added for clocks that disagree.
    """
    return as_of < now - timedelta(seconds=horizon_s, days=1)


async def wait_until_settled(
    connection: Connection, as_of: datetime, *, now: datetime, horizon_s: float, timeout_s: float
) -> None:
    """Return once no unfinished load can have a known time up to ``as_of``; raise ``LoadInProgress`` after ``timeout_s``.

    No query is made when ``is_long_past``. Call it before the snapshot of the read is taken.
    """
    if is_long_past(as_of, now=now, horizon_s=horizon_s):
        return
    second = int(min(as_of, now + timedelta(days=1)).timestamp())
    waited_s = 0.0
    while await connection.fetchval(_PENDING, second):
        if waited_s >= timeout_s:
            raise LoadInProgress(
                f"a load that began before as_of {as_of.isoformat()} is still running: try again, or use an earlier as_of",
                retry_after=1.0,
                as_of=as_of.isoformat(),
            )
        await asyncio.sleep(_POLL_INTERVAL_S)
        waited_s += _POLL_INTERVAL_S
