"""Known times that are the moment of loading, and reads that must not miss them.

A load that stamps its rows with the present holds, until it commits, a shared advisory lock whose number is the second in
which it began; it reads the clock only after it has the lock. A read as of an instant first looks for such locks from
seconds up to that instant: while there is one, a value known by then may still be invisible, so the read waits. What no
lock announces will be known later than any instant already past. Locks end with their transaction, crashes included.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from aurum.core.errors import Unavailable
from aurum.storage.postgres.connection.pool import Connection

_LOCK_CLASS = 0x4155  # "AU"
_POLL_S = 0.02

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


async def announce(connection: Connection) -> datetime:
    """Announce a load in the current transaction and give the known time of its rows."""
    await connection.execute(_ANNOUNCE)
    return await connection.fetchval("SELECT clock_timestamp()")


def is_long_past(as_of: datetime, *, now: datetime, horizon_s: float) -> bool:
    """Whether no load that is under way can have a known time up to ``as_of``, without a look.

    ``horizon_s``: how long a load may last; a day more for clocks that disagree.
    """
    return as_of < now - timedelta(seconds=horizon_s, days=1)


async def settled(connection: Connection, as_of: datetime, *, now: datetime, horizon_s: float, patience_s: float) -> None:
    """Return once no unfinished load can have a known time up to ``as_of``; raise ``LoadInProgress`` after ``patience_s``.

    What ``is_long_past`` is settled without a look. Call before the snapshot of the read is taken.
    """
    if is_long_past(as_of, now=now, horizon_s=horizon_s):
        return
    second = int(min(as_of, now + timedelta(days=1)).timestamp())
    waited = 0.0
    while await connection.fetchval(_PENDING, second):
        if waited >= patience_s:
            raise LoadInProgress(
                f"a load that began before as_of {as_of.isoformat()} is still running; try again or ask for an earlier one",
                retry_after=1.0,
                as_of=as_of.isoformat(),
            )
        await asyncio.sleep(_POLL_S)
        waited += _POLL_S
