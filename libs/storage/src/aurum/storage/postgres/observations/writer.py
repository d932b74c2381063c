"""Writes of the observations of a file: changes are computed in columns and written by binary COPY.

The rows of the file's series are locked first, so that values read from them stay valid until the commit. The current values
are read as columns, ``core.merge`` computes the changes, and only those are written. A file that changes nothing writes no
observation; new points are copied straight into their table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import polars as pl

from aurum.core.catalog import Quality
from aurum.core.first_publications import first_publications, same_issue
from aurum.core.frames import PUBLICATIONS, SERIES, UTC_US, conform
from aurum.core.merge import OBSERVATIONS, History
from aurum.storage.file_rows import correction_undated, file_publications, issues_of, touched_series
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.observations import LockedSeries, Moment, SeriesRows, StoredRows
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.copy import Layout, insert, stage
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.observations.completeness import record_completeness
from aurum.storage.postgres.observations.points import POINT, current_points
from aurum.storage.postgres.observations.restore import restore_parts
from aurum.storage.postgres.observations.series_rows import locked_series, raise_versions
from aurum.storage.postgres.observations.threads import in_thread_if_large
from aurum.storage.postgres.observations.undo import record_undo
from aurum.storage.undo import Undo

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
    new_first_ts="timestamptz",
    new_last_ts="timestamptz",
    is_sole="bool",
    is_scheduled="bool",
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
    """Changes by the rows of a file so far: the points, and their numbers by series."""

    points: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
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
        self.points.append(points.select(KEY))
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
    is refused with ``HistoryNotConfigured``. ``is_announced``: caches of the catalog are told of new descriptions.
    """

    def __init__(
        self, connection: Connection, history: Callable[[], HistoryStore | None], *, is_announced: bool = True
    ) -> None:
        self._connection = connection
        self._history = history
        self._is_announced = is_announced

    async def lock(self, series: pl.DataFrame) -> LockedSeries:
        return await locked_series(self._connection, conform(series, SERIES), is_announced=self._is_announced)

    async def store(self, part: SeriesRows, locked: LockedSeries, *, moment: Moment, recording_id: int) -> StoredRows:
        rows = part.rows.height
        offered = await in_thread_if_large(rows, file_publications, part, locked.ids, moment.time)
        await restore_parts(self._connection, self._history(), offered, set(locked.ids) - locked.empty)
        batch, current = await self._dated(offered, part, locked, moment)
        changes, undo = _Changes(), Undo()
        empty = locked.empty
        layers = await in_thread_if_large(rows, OBSERVATIONS.layers, batch)
        stored: pl.DataFrame | None = None
        for layer in layers:
            stored = await self._merge(layer, empty, changes, undo, current)
            empty, current = frozenset[int](), None
        sole = await record_undo(self._connection, recording_id, undo, batch)
        counts = changes.by_series()
        changed: tuple[int, ...] = ()
        if not counts.is_empty():
            changed = tuple(await raise_versions(self._connection, counts))
            frequencies = part.series.select(pl.Series("series_id", locked.ids, dtype=pl.Int32), "frequency", "zone").unique()
            present = stored if len(layers) == 1 else None
            await record_completeness(self._connection, frequencies, batch, stored=present, empty=locked.empty)
        new, revised = int(counts["new"].sum()), int(counts["revised"].sum())
        summary = partial(touched_series, spans=undo.spans, sole=sole)
        touched = await in_thread_if_large(rows, summary, offered, batch, counts, moment)
        points = pl.concat(changes.points) if changes.points else batch.select(KEY).clear()
        return StoredRows(rows, new, revised, changed, points, touched, issues_of(batch, part))

    async def _dated(
        self, offered: pl.DataFrame, part: SeriesRows, locked: LockedSeries, moment: Moment
    ) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Return the publications, dated by the rule only where it may date them, and the current points if they were read.

        ``offered``: schema ``RULE_DATED``. Raises ``CorrectionUndated``.
        """
        if part.rule is None or len(locked.empty) == len(set(locked.ids)):
            return offered.select(list(PUBLICATIONS)), None
        corrected_at = moment.time if part.rule.may_correct else None
        current: pl.DataFrame | None = None
        if part.issue_at is None:
            current = await self._current(offered, locked.empty)
            versions = await self._republished(offered) if moment.repeated else None
            result = await in_thread_if_large(
                offered.height,
                partial(first_publications, offered, current, corrected_at=corrected_at, republished=versions),
            )
        elif (stated := await self._of_issues(offered, moment.same_issue)) is not None:
            result = same_issue(offered, stated, corrected_at=corrected_at)
        else:
            return offered.select(list(PUBLICATIONS)), None
        if not result.conflicts.is_empty():
            raise correction_undated(result.conflicts, part, locked)
        return result.batch, current

    async def _republished(self, offered: pl.DataFrame) -> pl.DataFrame:
        """Return all stored versions of the points of a batch."""
        history = await self._history_of(offered)
        return history.changes.select("series_id", "ts", *OBSERVATIONS.content)

    async def _of_issues(self, offered: pl.DataFrame, times: Sequence[datetime]) -> pl.DataFrame | None:
        """Return the publications of a batch's points at some known times; None if there are none."""
        if not times:
            return None
        history = await self._history_of(offered)
        stated = history.publications().filter(pl.col("known_at").is_in(list(times)))
        return stated if not stated.is_empty() else None

    async def _history_of(self, batch: pl.DataFrame) -> History:
        keys = batch.select(KEY).unique().sort(KEY)
        await stage(self._connection, "touched", _POINT_KEY, keys)
        return await self._stored(batch, keys)

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        numbered = touched.with_columns(pl.lit(file_id, pl.Int64).alias("file_id"))
        await insert(self._connection, "file_series", _FILE_SERIES, numbered)

    async def _merge(
        self, layer: pl.DataFrame, empty: frozenset[int], changes: _Changes, undo: Undo, current: pl.DataFrame | None
    ) -> pl.DataFrame | None:
        """Store publications, at most one for each point. ``empty``: ids of the series that have no observation yet.

        ``current``: the stored points from the first to the last ``ts``; None if they have not been read. Returns the points
        that the series now have from the first to the last ``ts`` of the layer; None if any was replaced.
        """
        if layer.is_empty():
            return None
        if current is None:
            current = await self._current(layer, empty)
        rows = max(layer.height, current.height)
        classified = await in_thread_if_large(rows, OBSERVATIONS.classify, layer, current)
        # There is nothing to withdraw of a point that is not stored.
        classified = replace(classified, fresh=classified.fresh.filter(pl.col("quality") != int(Quality.WITHDRAWN)))
        await insert(self._connection, "observation", _OBSERVATION, classified.fresh)
        changes.add(classified.fresh, new=True)
        if undo.spans is None:  # the first layer has every point
            await in_thread_if_large(rows, undo.begin, classified.fresh, current)
        else:
            undo.add(classified.fresh)
        revising, late = classified.revising, classified.late
        if not revising.is_empty():
            revising, overtaken = await self._split_by_confirmation(revising)
            late = pl.concat([late, overtaken.select(layer.columns)])
            await self._revise(revising, changes)
            undo.add(revising)
        if not classified.confirming.is_empty():
            undo.add(await self._confirm(classified.confirming.select(*KEY, "known_at")))
        if not late.is_empty():
            await self._rewrite(late, changes, undo)
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

    async def _confirm(self, confirming: pl.DataFrame) -> pl.DataFrame:
        """Store confirmations, and return those that were not stored."""
        ids = confirming["series_id"].unique().to_list()
        times = confirming["known_at"].unique().to_list()
        known = unpacked(_CONFIRMED, await self._connection.fetchrow(_CONFIRMED_AT, ids, times))
        missing = confirming.join(known, on=[*KEY, "known_at"], how="anti", maintain_order="left")
        if not missing.is_empty():
            await stage(self._connection, "confirming", _CONFIRMATION, missing)
            await self._connection.execute(_CONFIRM)
        return missing

    async def _rewrite(self, late: pl.DataFrame, changes: _Changes, undo: Undo) -> None:
        keys = late.select(KEY).unique().sort(KEY)
        before = await self._history_of(late)
        rows = before.changes.height + late.height
        after = await in_thread_if_large(rows, OBSERVATIONS.rewrite, before, late)
        await in_thread_if_large(rows, undo.replace, before.publications(), late, after.publications())
        columns = [*late.columns]
        added = after.changes.select(columns).join(before.changes.select(columns), on=columns, how="anti", nulls_equal=True)
        removed = before.changes.select(columns).join(after.changes.select(columns), on=columns, how="anti", nulls_equal=True)
        changed = pl.concat([added, removed]).select(KEY).unique()
        await self._confirm(after.confirmations)
        if changed.is_empty():
            return
        await self._put_versions(keys, after.changes.filter(pl.col("superseded_at").is_not_null()))
        await self._replace(after.changes.filter(pl.col("superseded_at").is_null()).drop("superseded_at"))
        changes.add(changed, new=False)

    async def _put_versions(self, keys: pl.DataFrame, superseded: pl.DataFrame) -> None:
        """Write superseded versions in place of the stored ones of the points in the table ``touched``."""
        await self._connection.execute(_DELETE_VERSIONS, *_key_limits(keys))
        await insert(self._connection, "observation_version", _VERSION, superseded)

    async def _stored(self, late: pl.DataFrame, keys: pl.DataFrame) -> History:
        current = (await self._current(late, frozenset())).join(keys, on=KEY, how="semi")
        versions = unpacked(POINT, await self._connection.fetchrow(_VERSIONS, *_key_limits(keys)))
        confirmed = unpacked(_CONFIRMED, await self._connection.fetchrow(_CONFIRMED_POINTS))
        return History(changes=pl.concat([versions, current]).sort([*KEY, "known_at"]), confirmations=confirmed)


def _key_limits(points: pl.DataFrame) -> tuple[object, object, object]:
    """Return the series ids and the first and last ``ts`` of points."""
    return points["series_id"].unique().to_list(), points["ts"].min(), points["ts"].max()
