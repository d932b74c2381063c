"""Stores the observations of a file: changes worked out in columns, written by binary COPY.

The rows of the file's series are locked first, so what is read of them stays true until the commit: the current values come
out as columns, ``core.merge`` says what the file changes, and only that is written. A file that changes nothing writes no
observation; points not seen before go straight into their table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ParamSpec, TypeVar

import polars as pl

from aurum.core.frames import FILE_ROWS, FILE_SERIES, PUBLICATIONS, SERIES, UTC_US, FrameMismatch, conform
from aurum.core.merge import OBSERVATIONS, History
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.observations import LockedSeries, SeriesRows, StoredRows
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.copy import Layout, insert, stage
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.observations.completeness import LOOK_AROUND, day_counts
from aurum.storage.postgres.observations.restore import bring_back
from aurum.storage.postgres.observations.series_rows import locked_series, raise_versions

P = ParamSpec("P")
T = TypeVar("T")

KEY = list(OBSERVATIONS.key)

_MANY_ROWS = 50_000
"""From here on a step in columns may take longer than the 50 ms for which other work of the loop may be held up."""

_POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
_OBSERVATION = Layout(**_POINT)
_VERSION = Layout(**_POINT, superseded_at="timestamptz")
_CONFIRMED = {"series_id": "int4", "ts": "timestamptz", "known_at": "timestamptz"}
_CONFIRMATION = Layout(**_CONFIRMED)
_POINT_KEY = Layout(series_id="int4", ts="timestamptz")
_COUNTED = {"series_id": pl.Int32, "first": UTC_US, "last": UTC_US, "new": pl.Int32, "revised": pl.Int32}
_COMPLETENESS = Layout(series_id="int4", day="date", expected="int4", present="int4")
_FILE_SERIES = Layout(
    file_id="int8",
    series_id="int4",
    first_ts="timestamptz",
    last_ts="timestamptz",
    known_at="timestamptz",
    new="int4",
    revised="int4",
)

_CURRENT = packed(
    _POINT,
    "SELECT series_id, ts, value, quality, known_at FROM observation WHERE series_id = ANY($1) AND ts >= $2 AND ts <= $3",
)
# Statements that join a temporary table also say, in constants, which series and times they can touch ($1 to $3): where old
# rows are compressed, it is by those that the server finds the few batches to unpack.
_VERSIONS = packed(
    _POINT,
    """SELECT v.series_id, v.ts, v.value, v.quality, v.known_at
       FROM observation_version AS v JOIN touched USING (series_id, ts)
       WHERE v.series_id = ANY($1) AND v.ts >= $2 AND v.ts <= $3""",
)
_REPLACE = """
UPDATE observation AS o SET value = r.value, quality = r.quality, known_at = r.known_at FROM replacing AS r
WHERE o.series_id = r.series_id AND o.ts = r.ts AND o.series_id = ANY($1) AND o.ts >= $2 AND o.ts <= $3
"""
_FORGET_VERSIONS = """
DELETE FROM observation_version AS v USING touched AS t
WHERE v.series_id = t.series_id AND v.ts = t.ts AND v.series_id = ANY($1) AND v.ts >= $2 AND v.ts <= $3
"""
_CONFIRMED_POINTS = packed(
    _CONFIRMED,
    """SELECT c.series_id, point AS ts, c.known_at FROM observation_confirmation AS c, unnest(c.ts) AS point
       JOIN touched ON touched.ts = point WHERE c.series_id = touched.series_id""",
)
_CONFIRMED_AT = packed(
    _CONFIRMED,
    """SELECT c.series_id, point AS ts, c.known_at FROM observation_confirmation AS c, unnest(c.ts) AS point
       WHERE c.series_id = ANY($1) AND c.known_at = ANY($2)""",
)
_LAST_CONFIRMED = """
SELECT series_id, max(known_at) AS confirmed_at FROM observation_confirmation
WHERE series_id = ANY($1) AND known_at >= $2 GROUP BY series_id
"""
_CONFIRM = """
INSERT INTO observation_confirmation AS c (series_id, known_at, ts)
SELECT series_id, known_at, array_agg(ts ORDER BY ts) FROM confirming GROUP BY series_id, known_at
ON CONFLICT (series_id, known_at) DO UPDATE SET ts = c.ts || excluded.ts
"""
_COUNT_DAYS = """
INSERT INTO completeness AS c (series_id, day, expected, present)
SELECT series_id, day, expected, present FROM counted
ON CONFLICT (series_id, day) DO UPDATE SET expected = excluded.expected, present = excluded.present
WHERE (c.expected, c.present) IS DISTINCT FROM (excluded.expected, excluded.present)
"""


@dataclass(slots=True)
class _Changes:
    """What the rows of a file have changed so far, counted by series."""

    counts: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])

    def add(self, points: pl.DataFrame, *, new: bool) -> None:
        """Count points (``series_id``, ``ts``) that are new, or that were revised."""
        if points.is_empty():
            return
        number, none = pl.len().cast(pl.Int32), pl.lit(0, pl.Int32)
        counted = points.group_by("series_id").agg(
            pl.col("ts").min().alias("first"),
            pl.col("ts").max().alias("last"),
            (number if new else none).alias("new"),
            (none if new else number).alias("revised"),
        )
        self.counts.append(counted)

    def by_series(self) -> pl.DataFrame:
        """``series_id``, ``first`` and ``last`` changed ``ts``, ``new``, ``revised``; ascending by id."""
        if not self.counts:
            return pl.DataFrame(schema=_COUNTED)
        counted = pl.concat(self.counts)
        if len(self.counts) > 1:
            counted = counted.group_by("series_id").agg(
                pl.col("first").min(), pl.col("last").max(), pl.col("new").sum(), pl.col("revised").sum()
            )
        return counted.sort("series_id")


class PostgresObservationWriter:
    """``ObservationWriter`` on the connection of a transaction.

    ``history``: returns where archived months are; a file that touches one brings it back first. Where there is none, such a
    file is refused with ``HistoryNotWired``.
    """

    def __init__(self, connection: Connection, history: Callable[[], HistoryStore | None]) -> None:
        self._connection = connection
        self._history = history

    async def lock(self, series: pl.DataFrame) -> LockedSeries:
        return await locked_series(self._connection, conform(series, SERIES))

    async def store(self, part: SeriesRows, locked: LockedSeries, *, known_at: datetime | None) -> StoredRows:
        rows = part.rows.height
        batch = await _apart(rows, _publications, part.rows, locked.ids, known_at)
        await bring_back(self._connection, self._history(), batch, set(locked.ids) - locked.empty)
        changes = _Changes()
        unread = locked.empty
        for layer in await _apart(rows, OBSERVATIONS.layers, batch):
            await self._merge(layer, unread, changes)
            unread = frozenset[int]()
        counts = changes.by_series()
        changed: tuple[int, ...] = ()
        if not counts.is_empty():
            changed = tuple(await raise_versions(self._connection, counts))
            await self._record_completeness(part.series, locked, batch)
        new, revised = int(counts["new"].sum()), int(counts["revised"].sum())
        return StoredRows(batch.height, new, revised, changed, await _apart(rows, _touched, batch, counts))

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        numbered = touched.with_columns(pl.lit(file_id, pl.Int64).alias("file_id"))
        await insert(self._connection, "file_series", _FILE_SERIES, numbered)

    async def _merge(self, layer: pl.DataFrame, unread: frozenset[int], changes: _Changes) -> None:
        """Store publications of different points. ``unread``: series known to have no observation yet."""
        if layer.is_empty():
            return
        current = await self._current(layer, unread)
        found = await _apart(max(layer.height, current.height), OBSERVATIONS.classify, layer, current)
        await insert(self._connection, "observation", _OBSERVATION, found.fresh)
        changes.add(found.fresh, new=True)
        revising, late = found.revising, found.late
        if not revising.is_empty():
            revising, overtaken = await self._apart_from_confirmed(revising)
            late = pl.concat([late, overtaken.select(layer.columns)])
            await self._revise(revising, changes)
        if not found.confirming.is_empty():
            await self._confirm(found.confirming.select(*KEY, "known_at"))
        if not late.is_empty():
            await self._rewrite(late, changes)

    async def _current(self, layer: pl.DataFrame, unread: frozenset[int]) -> pl.DataFrame:
        ids = [series_id for series_id in layer["series_id"].unique().to_list() if series_id not in unread]
        if not ids:
            return layer.clear()
        return unpacked(_POINT, await self._connection.fetchrow(_CURRENT, ids, layer["ts"].min(), layer["ts"].max()))

    async def _apart_from_confirmed(self, revising: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Revisions that end a value for good, and those a later confirmation may take back: the latter need the history."""
        ids = revising["series_id"].unique().to_list()
        rows = await self._connection.fetch(_LAST_CONFIRMED, ids, revising["known_at"].min())
        confirmed = pl.DataFrame(
            {"series_id": [row["series_id"] for row in rows], "confirmed_at": [row["confirmed_at"] for row in rows]},
            schema={"series_id": pl.Int32, "confirmed_at": revising.schema["known_at"]},
        )
        joined = revising.join(confirmed, on="series_id", how="left", maintain_order="left")
        overtaken = (pl.col("confirmed_at") >= pl.col("known_at")).fill_null(False)
        return joined.filter(~overtaken).drop("confirmed_at"), joined.filter(overtaken).drop("confirmed_at")

    async def _revise(self, revising: pl.DataFrame, changes: _Changes) -> None:
        if revising.is_empty():
            return
        ended = revising.select(
            *KEY,
            *(pl.col(f"old_{name}").alias(name) for name in (*OBSERVATIONS.content, "known_at")),
            pl.col("known_at").alias("superseded_at"),
        )
        await insert(self._connection, "observation_version", _VERSION, ended)
        await self._replace(revising.select(list(PUBLICATIONS)))
        changes.add(revising, new=False)

    async def _replace(self, current: pl.DataFrame) -> None:
        await stage(self._connection, "replacing", _OBSERVATION, current)
        await self._connection.execute(_REPLACE, *_reach(current))

    async def _confirm(self, confirming: pl.DataFrame) -> None:
        ids = confirming["series_id"].unique().to_list()
        times = confirming["known_at"].unique().to_list()
        known = unpacked(_CONFIRMED, await self._connection.fetchrow(_CONFIRMED_AT, ids, times))
        missing = confirming.join(known, on=[*KEY, "known_at"], how="anti", maintain_order="left")
        if not missing.is_empty():
            await stage(self._connection, "confirming", _CONFIRMATION, missing)
            await self._connection.execute(_CONFIRM)

    async def _rewrite(self, late: pl.DataFrame, changes: _Changes) -> None:
        keys = late.select(KEY).unique().sort(KEY)
        await stage(self._connection, "touched", _POINT_KEY, keys)
        before = await self._stored(late, keys)
        after = await _apart(before.changes.height + late.height, OBSERVATIONS.rewrite, before, late)
        columns = [*late.columns]
        gained = after.changes.select(columns).join(before.changes.select(columns), on=columns, how="anti", nulls_equal=True)
        lost = before.changes.select(columns).join(after.changes.select(columns), on=columns, how="anti", nulls_equal=True)
        changed = pl.concat([gained, lost]).select(KEY).unique()
        await self._confirm(after.confirmations)
        if changed.is_empty():
            return
        await self._connection.execute(_FORGET_VERSIONS, *_reach(keys))
        ended = after.changes.filter(pl.col("superseded_at").is_not_null())
        await insert(self._connection, "observation_version", _VERSION, ended)
        await self._replace(after.changes.filter(pl.col("superseded_at").is_null()).drop("superseded_at"))
        changes.add(changed, new=False)

    async def _stored(self, late: pl.DataFrame, keys: pl.DataFrame) -> History:
        current = (await self._current(late, frozenset())).join(keys, on=KEY, how="semi")
        versions = unpacked(_POINT, await self._connection.fetchrow(_VERSIONS, *_reach(keys)))
        confirmed = unpacked(_CONFIRMED, await self._connection.fetchrow(_CONFIRMED_POINTS))
        return History(changes=pl.concat([versions, current]).sort([*KEY, "known_at"]), confirmations=confirmed)

    async def _record_completeness(self, series: pl.DataFrame, locked: LockedSeries, batch: pl.DataFrame) -> None:
        described = series.select(pl.Series("series_id", locked.ids, dtype=pl.Int32), "frequency", "zone").unique()
        first: datetime = batch["ts"].min()  # pyright: ignore[reportAssignmentType] - a datetime, since ts is one
        last: datetime = batch["ts"].max()  # pyright: ignore[reportAssignmentType] - a datetime, since ts is one
        # What was empty before holds exactly the batch now; only the others must be looked at in full.
        others = sorted(set(locked.ids) - locked.empty)
        around = first - LOOK_AROUND, last + LOOK_AROUND
        row = await self._connection.fetchrow(_CURRENT, others, *around) if others else None
        mine = batch.filter(pl.col("series_id").is_in(list(locked.empty))) if others else batch
        latest = OBSERVATIONS.in_force(mine) if mine.height != mine.n_unique(KEY) else mine
        present = pl.concat([latest, unpacked(_POINT, row)])
        counts = await _apart(present.height, day_counts, described, batch, present)
        if not counts.is_empty():
            await stage(self._connection, "counted", _COMPLETENESS, counts)
            await self._connection.execute(_COUNT_DAYS)


async def _apart(rows: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do a step over so many rows: beside the loop when they are many."""
    return await asyncio.to_thread(work, *args, **kwargs) if rows >= _MANY_ROWS else work(*args, **kwargs)


def _reach(points: pl.DataFrame) -> tuple[object, object, object]:
    """Return the series and the first and last time of some points."""
    return points["series_id"].unique().to_list(), points["ts"].min(), points["ts"].max()


def _publications(rows: pl.DataFrame, ids: Sequence[int], known_at: datetime | None) -> pl.DataFrame:
    known = pl.col("known_at").fill_null(known_at) if known_at is not None else pl.col("known_at")
    rows = conform(rows, FILE_ROWS)
    frame = rows.select(
        pl.Series("series_id", ids, dtype=pl.Int32).gather(rows["series"]),
        "ts",
        # -0.0 and 0.0 are one value. Adding 0.0 would not do: Polars leaves such an addition out.
        pl.when(pl.col("value") == 0).then(0.0).otherwise("value").alias("value"),
        "quality",
        known + pl.duration(microseconds=pl.col("version").cast(pl.Int64)),
    )
    if frame["known_at"].null_count():
        raise FrameMismatch("rows without a known time in a file that has none")
    return conform(frame, PUBLICATIONS)


def _touched(batch: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Return what the rows say of each series, schema ``FILE_SERIES``."""
    reach = batch.group_by("series_id").agg(
        pl.col("ts").min().alias("first_ts"), pl.col("ts").max().alias("last_ts"), pl.col("known_at").max()
    )
    counted = reach.join(counts.select("series_id", "new", "revised"), on="series_id", how="left")
    filled = counted.with_columns(pl.col("new", "revised").fill_null(0))
    return conform(filled.sort("series_id"), FILE_SERIES)
