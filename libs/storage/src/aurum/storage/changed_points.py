"""Old and new values of the points of an entry: the store as it stood just before its commit, compared with just after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.frames import CHANGED_POINTS, REVISIONS, UTC_US
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.ports.recordings import ChangedPoints, ChangedSeries, ChangeEntry, ChangeLog, LoadedReaders

_SERIES = 100
"""Most series that are looked up at once."""
_PART = timedelta(days=366)
"""Longest span whose versions are read at once."""
_LOOKED_THROUGH = 500_000
"""Versions after which a page ends."""
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LoadedChangedPoints:
    """``ChangedPointsReader`` over reads of the store as it stood.

    A point is of the entry if it has a version just after its commit that it did not have just before. The new value is the
    latest of these versions, up to the latest known time in the file; the old value is the one that was in force at the known
    time of the first of them. So a publication that arrives late is compared with what it follows, not with what is current.
    An entry without a file has no points: a restatement changes known times only.
    """

    log: ChangeLog
    loaded: LoadedReaders

    async def points(self, entry: ChangeEntry, *, after: tuple[str, datetime] | None, limit: int) -> ChangedPoints:
        recorded_at = entry.position.recorded_at
        before, then = await self.loaded.as_loaded(recorded_at - _TICK), await self.loaded.as_loaded(recorded_at)
        pages = [pl.DataFrame(schema=CHANGED_POINTS)]
        left, looked = limit, 0
        from_key = after[0] if after is not None else ""
        while True:
            batch = await self.log.changed_series(entry, from_key=from_key, limit=_SERIES)
            for series in batch:
                is_resumed = after is not None and after[0] == series.key
                start = max(after[1] + _TICK, series.first_ts) if after is not None and is_resumed else series.first_ts
                while start <= series.last_ts:
                    end = min(start + _PART, series.last_ts + _TICK)
                    changed, count = await _changed(series, before, then, Span(start, end))
                    pages.append(changed.head(left))
                    left -= pages[-1].height
                    looked += count
                    if not left:
                        return ChangedPoints(pl.concat(pages), (series.key, pages[-1]["ts"][-1]))
                    if looked >= _LOOKED_THROUGH:
                        return ChangedPoints(pl.concat(pages), (series.key, end - _TICK))
                    start = end
            if len(batch) < _SERIES:
                return ChangedPoints(pl.concat(pages), None)
            # The least text after a key: no key has a control character.
            from_key = batch[-1].key + "\x01"


async def _changed(series: ChangedSeries, before: SeriesReader, then: SeriesReader, span: Span) -> tuple[pl.DataFrame, int]:
    """Return the changed points of a series in a span, schema ``CHANGED_POINTS``, and the number of versions read."""
    new = await then.revisions(series.series_id, span=span)
    old = await before.revisions(series.series_id, span=span)
    added = new.filter(pl.col("known_at") <= pl.lit(series.known_at, UTC_US)).join(
        old, on=list(REVISIONS), how="anti", nulls_equal=True
    )
    points = added.sort("ts", "known_at").group_by("ts", maintain_order=True)
    changed = points.agg(pl.col("known_at").first().alias("from"), pl.col("value", "quality", "known_at").last())
    renamed = old.select("ts", *(pl.col(name).alias(f"old_{name}") for name in ("value", "quality", "known_at")))
    compared = changed.sort("from").join_asof(
        renamed.with_columns(pl.col("old_known_at").alias("at")).sort("at"),
        left_on="from",
        right_on="at",
        by="ts",
        strategy="backward",
        check_sortedness=False,
    )
    shown = compared.sort("ts").with_columns(pl.lit(series.key).alias("key"))
    return shown.select(list(CHANGED_POINTS)), new.height + old.height
