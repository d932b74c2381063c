"""The reader of hourly partials: from the sums stored on the server, and from rows where those are stale or there are none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import polars as pl

from aurum.core.asof import Span
from aurum.core.errors import Unavailable
from aurum.core.series.partials import buckets_in
from aurum.storage.ports.changes import Change, ChangeFeed, ChangeKind
from aurum.storage.ports.history import HotPartials, refuse_archived_parts
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.history.parts import BESIDE_MANY, parts_beside
from aurum.storage.postgres.observations.partials import (
    BUCKETS_OF_ROWS,
    FROM_AGGREGATES,
    PARTIAL_COLUMNS,
    PostgresPartialsReader,
)
from aurum.storage.postgres.observations.reader import bounds
from aurum.storage.timescale import aggregates
from aurum.storage.timescale.aggregates import HOURLY
from aurum.storage.timescale.extension import Feature, usable_extension

_AGGREGATES = "series_id, bucket, total, vast, standing, least, greatest, quality, known_at"
_PARTIALS = packed(
    PARTIAL_COLUMNS,
    f"""SELECT {FROM_AGGREGATES} FROM (
            SELECT {_AGGREGATES} FROM {HOURLY}
            WHERE series_id = ANY($1) AND bucket >= $2 AND bucket < $3
              AND NOT EXISTS (SELECT FROM unnest($4::timestamptz[], $5::timestamptz[]) AS stale(low, high)
                              WHERE bucket >= low AND bucket < high)
            UNION ALL
            SELECT {_AGGREGATES} FROM unnest($4::timestamptz[], $5::timestamptz[]) AS stale(low, high) CROSS JOIN LATERAL (
                {BUCKETS_OF_ROWS} WHERE series_id = ANY($1) AND ts >= low AND ts < high GROUP BY 1, 2
            ) AS rows
        ) AS buckets ORDER BY series_id, ts""",  # noqa: S608 - constants
    beside=BESIDE_MANY,
)


class TimescalePartialsReader:
    """``PartialsReader`` and ``HotPartialsReader`` on TimescaleDB. Create it with ``open``.

    Where the database stores no sums it adds up the rows, as on plain PostgreSQL.
    """

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        self._of_rows = PostgresPartialsReader(pool)
        self._has_sums = False

    @classmethod
    async def open(cls, pool: PostgresPool) -> TimescalePartialsReader:
        """Return a reader that knows whether the database has hourly sums. Raises ``Unavailable`` when it does not answer."""
        reader = cls(pool)
        await reader.look()
        return reader

    async def look(self) -> None:
        """Check whether the database has hourly sums now. Raises ``Unavailable``."""
        async with self._pool.acquire() as connection:
            extension = await usable_extension(connection)
            is_permitted = extension is not None and Feature.AGGREGATES in extension.permitted
            has_sums = is_permitted and await aggregates.exists(connection)
        self._has_sums = has_sums

    async def follow(self, feed: ChangeFeed) -> None:
        """Check again whenever everything may have changed, as after ``aurum db optimize``. Runs until it is cancelled."""
        changed = asyncio.Event()

        def note_change(change: Change) -> None:
            if change.kind is ChangeKind.EVERYTHING:
                changed.set()

        feed.listen(note_change)
        while True:
            await changed.wait()
            changed.clear()
            with suppress(Unavailable):  # the feed then breaks too, and reports a change when it is back
                await self.look()

    @property
    def has_sums(self) -> bool:
        return self._has_sums

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        hot = await self.hot_partials(series_ids, span=span)
        refuse_archived_parts(hot.parts)
        return hot.frame

    async def hot_partials(self, series_ids: Sequence[int], *, span: Span) -> HotPartials:
        if not self._has_sums:
            return await self._of_rows.hot_partials(series_ids, span=span)
        start, end = bounds(buckets_in(span))
        # The log of stale hours and the sums are read in one snapshot: after a refresh between two, they would disagree.
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            stale = await aggregates.stale(connection, start, end)
            lows, highs = [low for low, _ in stale], [high for _, high in stale]
            row = await connection.fetchrow(_PARTIALS, sorted(set(series_ids)), start, end, lows, highs)
        return HotPartials(unpacked(PARTIAL_COLUMNS, row), parts_beside(row))
