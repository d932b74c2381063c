"""Writes of the observations of a file: changes are computed in columns and written by binary COPY.

The rows of the file's series are locked first, so that values read from them stay valid until the commit. The current values
are read as columns, ``core.merge`` computes the changes, and only those are written. A file that changes nothing writes no
observation; new points are copied straight into their table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from aurum.core.frames import FILE_ROWS, FILE_SERIES, PUBLICATIONS, SERIES, UTC_US, FrameMismatch, conform
from aurum.core.merge import OBSERVATIONS, History
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.observations import LockedSeries, SeriesRows, StoredRows
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.copy import Layout, insert, stage
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.observations.completeness import record_completeness
from aurum.storage.postgres.observations.points import POINT, current_points
from aurum.storage.postgres.observations.restore import restore_parts
from aurum.storage.postgres.observations.series_rows import locked_series, raise_versions
from aurum.storage.postgres.observations.threads import in_thread_if_large

KEY = list(OBSERVATIONS.key)

_OBSERVATION = Layout(**POINT)
_VERSION = Layout(**POINT, superseded_at="timestamptz")
_CONFIRMED = {"series_id": "int4", "ts": "timestamptz", "known_at": "timestamptz"}
_CONFIRMATION = Layout(**_CONFIRMED)
_POINT_KEY = Layout(series_id="int4", ts="timestamptz")
_COUNTED = {"series_id": pl.Int32, "first": UTC_US, "last": UTC_US, "new": pl.Int32, "revised": pl.Int32}
_FILE_SERIES = Layout(
    file_id="int8",
    series_id="int4",
    first_ts="timestamptz",
    last_ts="timestamptz",
    known_at="timestamptz",
    new="int4",
    revised="int4",
)

# Statements that join a temporary table also limit the series and times by parameters ($1 to $3): where old rows are
# compressed, the server needs those to find the few batches to decompress.
_VERSIONS = packed(
    POINT,
    """SELECT v.series_id, v.ts, v.value, v.quality, v.known_at
       FROM observation_version AS v JOIN touched USING (series_id, ts)
       WHERE v.series_id = ANY($1) AND v.ts >= $2 AND v.ts <= $3""",
)
_REPLACE = """
UPDATE observation AS o SET value = r.value, quality = r.quality, known_at = r.known_at FROM replacing AS r
WHERE o.series_id = r.series_id AND o.ts = r.ts AND o.series_id = ANY($1) AND o.ts >= $2 AND o.ts <= $3
"""
_DELETE_VERSIONS = """
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


@dataclass(slots=True)
class _Changes:
    """Changes by the rows of a file so far, counted by series."""

    counts: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])

    def add(self, points: pl.DataFrame, *, new: bool) -> None:
        """Count points (``series_id``, ``ts``) as new or as revised."""
        if points.is_empty():
            return
        count, zero = pl.len().cast(pl.Int32), pl.lit(0, pl.Int32)
        counts = points.group_by("series_id").agg(
            pl.col("ts").min().alias("first"),
            pl.col("ts").max().alias("last"),
            (count if new else zero).alias("new"),
            (zero if new else count).alias("revised"),
        )
        self.counts.append(counts)

    def by_series(self) -> pl.DataFrame:
        """Return ``series_id``, ``first`` and ``last`` changed ``ts``, ``new``, ``revised``; ascending by id."""
        if not self.counts:
            return pl.DataFrame(schema=_COUNTED)
        counts = pl.concat(self.counts)
        if len(self.counts) > 1:
            counts = counts.group_by("series_id").agg(
                pl.col("first").min(), pl.col("last").max(), pl.col("new").sum(), pl.col("revised").sum()
            )
        return counts.sort("series_id")


class PostgresObservationWriter:
    """``ObservationWriter`` on the connection of a transaction.

    ``history``: returns the history store. A file that touches an archived month first restores it; without a history store it
    is refused with ``HistoryNotConfigured``.
    """

    def __init__(self, connection: Connection, history: Callable[[], HistoryStore | None]) -> None:
        self._connection = connection
        self._history = history

    async def lock(self, series: pl.DataFrame) -> LockedSeries:
        return await locked_series(self._connection, conform(series, SERIES))

    async def store(self, part: SeriesRows, locked: LockedSeries, *, known_at: datetime | None) -> StoredRows:
        rows = part.rows.height
        batch = await in_thread_if_large(rows, _publications, part.rows, locked.ids, known_at)
        await restore_parts(self._connection, self._history(), batch, set(locked.ids) - locked.empty)
        changes = _Changes()
        empty = locked.empty
        layers = await in_thread_if_large(rows, OBSERVATIONS.layers, batch)
        stored: pl.DataFrame | None = None
        for layer in layers:
            stored = await self._merge(layer, empty, changes)
            empty = frozenset[int]()
        counts = changes.by_series()
        changed: tuple[int, ...] = ()
        if not counts.is_empty():
            changed = tuple(await raise_versions(self._connection, counts))
            frequencies = part.series.select(pl.Series("series_id", locked.ids, dtype=pl.Int32), "frequency", "zone").unique()
            present = stored if len(layers) == 1 else None
            await record_completeness(self._connection, frequencies, batch, stored=present, empty=locked.empty)
        new, revised = int(counts["new"].sum()), int(counts["revised"].sum())
        touched = await in_thread_if_large(rows, _touched, batch, counts)
        return StoredRows(batch.height, new, revised, changed, touched)

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        numbered = touched.with_columns(pl.lit(file_id, pl.Int64).alias("file_id"))
        await insert(self._connection, "file_series", _FILE_SERIES, numbered)

    async def _merge(self, layer: pl.DataFrame, empty: frozenset[int], changes: _Changes) -> pl.DataFrame | None:
        """Store publications, at most one for each point. ``empty``: ids of the series that have no observation yet.

        Returns the points that the series now have from the first to the last ``ts`` of the layer; None if any was replaced.
        """
        if layer.is_empty():
            return None
        current = await self._current(layer, empty)
        rows = max(layer.height, current.height)
        classified = await in_thread_if_large(rows, OBSERVATIONS.classify, layer, current)
        await insert(self._connection, "observation", _OBSERVATION, classified.fresh)
        changes.add(classified.fresh, new=True)
        revising, late = classified.revising, classified.late
        if not revising.is_empty():
            revising, overtaken = await self._split_by_confirmation(revising)
            late = pl.concat([late, overtaken.select(layer.columns)])
            await self._revise(revising, changes)
        if not classified.confirming.is_empty():
            await self._confirm(classified.confirming.select(*KEY, "known_at"))
        if not late.is_empty():
            await self._rewrite(late, changes)
        is_as_read = classified.revising.is_empty() and classified.late.is_empty()
        return pl.concat([current.select(layer.columns), classified.fresh]) if is_as_read else None

    async def _current(self, layer: pl.DataFrame, empty: frozenset[int]) -> pl.DataFrame:
        ids = [series_id for series_id in layer["series_id"].unique().to_list() if series_id not in empty]
        if not ids:
            return layer.clear()
        first, last = layer.select(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last")).row(0)
        return await current_points(self._connection, ids, first, last)

    async def _split_by_confirmation(self, revising: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the revisions that supersede a value, and those before a later confirmation, which may restore the value.

        The second kind needs all versions of its points.
        """
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
        superseded = revising.select(
            *KEY,
            *(pl.col(f"old_{name}").alias(name) for name in (*OBSERVATIONS.content, "known_at")),
            pl.col("known_at").alias("superseded_at"),
        )
        await insert(self._connection, "observation_version", _VERSION, superseded)
        await self._replace(revising.select(list(PUBLICATIONS)))
        changes.add(revising, new=False)

    async def _replace(self, current: pl.DataFrame) -> None:
        await stage(self._connection, "replacing", _OBSERVATION, current)
        await self._connection.execute(_REPLACE, *_key_limits(current))

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
        rows = before.changes.height + late.height
        after = await in_thread_if_large(rows, OBSERVATIONS.rewrite, before, late)
        columns = [*late.columns]
        added = after.changes.select(columns).join(before.changes.select(columns), on=columns, how="anti", nulls_equal=True)
        removed = before.changes.select(columns).join(after.changes.select(columns), on=columns, how="anti", nulls_equal=True)
        changed = pl.concat([added, removed]).select(KEY).unique()
        await self._confirm(after.confirmations)
        if changed.is_empty():
            return
        await self._connection.execute(_DELETE_VERSIONS, *_key_limits(keys))
        superseded = after.changes.filter(pl.col("superseded_at").is_not_null())
        await insert(self._connection, "observation_version", _VERSION, superseded)
        await self._replace(after.changes.filter(pl.col("superseded_at").is_null()).drop("superseded_at"))
        changes.add(changed, new=False)

    async def _stored(self, late: pl.DataFrame, keys: pl.DataFrame) -> History:
        current = (await self._current(late, frozenset())).join(keys, on=KEY, how="semi")
        versions = unpacked(POINT, await self._connection.fetchrow(_VERSIONS, *_key_limits(keys)))
        confirmed = unpacked(_CONFIRMED, await self._connection.fetchrow(_CONFIRMED_POINTS))
        return History(changes=pl.concat([versions, current]).sort([*KEY, "known_at"]), confirmations=confirmed)


def _key_limits(points: pl.DataFrame) -> tuple[object, object, object]:
    """Return the series ids and the first and last ``ts`` of points."""
    return points["series_id"].unique().to_list(), points["ts"].min(), points["ts"].max()


def _publications(rows: pl.DataFrame, ids: Sequence[int], known_at: datetime | None) -> pl.DataFrame:
    known = pl.col("known_at").fill_null(known_at) if known_at is not None else pl.col("known_at")
    rows = conform(rows, FILE_ROWS)
    frame = rows.select(
        pl.Series("series_id", ids, dtype=pl.Int32).gather(rows["series"]),
        "ts",
        # -0.0 and 0.0 are the same value. Adding 0.0 does not work, because Polars optimises it away.
        pl.when(pl.col("value") == 0).then(0.0).otherwise("value").alias("value"),
        "quality",
        known + pl.duration(microseconds=pl.col("version").cast(pl.Int64)),
    )
    if frame["known_at"].null_count():
        raise FrameMismatch("known_at: null in a row of a file without a known time of its own")
    return conform(frame, PUBLICATIONS)


def _touched(batch: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Return first, last and known times and counts of each series of a batch, schema ``FILE_SERIES``."""
    limits = batch.group_by("series_id").agg(
        pl.col("ts").min().alias("first_ts"), pl.col("ts").max().alias("last_ts"), pl.col("known_at").max()
    )
    counted = limits.join(counts.select("series_id", "new", "revised"), on="series_id", how="left")
    filled = counted.with_columns(pl.col("new", "revised").fill_null(0))
    return conform(filled.sort("series_id"), FILE_SERIES)
