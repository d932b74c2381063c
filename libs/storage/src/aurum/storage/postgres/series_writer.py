"""Stores files: one transaction each, whole or not at all, changes worked out in columns and written by binary COPY.

The rows of a file's series are locked first, so what is read of them stays true until the commit: the current values come
out as columns, ``merge`` says what the file changes, and only that is written. A file that changes nothing writes no
observation; points not seen before go straight into their table.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import polars as pl

from aurum.common.resilience import Retry
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.catalog.entries import FileStatus, KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.core.frames import FILE_ROWS, PUBLICATIONS, SERIES, FrameMismatch, conform
from aurum.storage.ports import FileLoad, LoadOutcome
from aurum.storage.ports.history import HistoryStore
from aurum.storage.postgres.columns import packed, unpacked
from aurum.storage.postgres.completeness import LOOK_AROUND, day_counts
from aurum.storage.postgres.copy import Layout
from aurum.storage.postgres.errors import LostRace
from aurum.storage.postgres.merge import KEY, History, classify, layers, rewrite
from aurum.storage.postgres.pool import Connection, PostgresPool
from aurum.storage.postgres.series_rows import locked_series, raise_versions
from aurum.storage.postgres.thaw import bring_back
from aurum.storage.postgres.validation_log import record as record_validations
from aurum.storage.postgres.watermark import announce

_POINT = {"series_id": "int4", "ts": "timestamptz", "value": "float8", "quality": "int2", "known_at": "timestamptz"}
_OBSERVATION = Layout(**_POINT)
_VERSION = Layout(**_POINT, superseded_at="timestamptz")
_CONFIRMATION = Layout(series_id="int4", ts="timestamptz", known_at="timestamptz")
_POINT_KEY = Layout(series_id="int4", ts="timestamptz")
_COMPLETENESS = Layout(series_id="int4", day="date", expected="int4", present="int4")

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
_CONFIRMED = packed(
    {"series_id": "int4", "ts": "timestamptz", "known_at": "timestamptz"},
    """SELECT c.series_id, point AS ts, c.known_at FROM observation_confirmation AS c, unnest(c.ts) AS point
       JOIN touched ON touched.ts = point WHERE c.series_id = touched.series_id""",
)
_CONFIRMED_AT = packed(
    {"series_id": "int4", "ts": "timestamptz", "known_at": "timestamptz"},
    """SELECT c.series_id, point AS ts, c.known_at FROM observation_confirmation AS c, unnest(c.ts) AS point
       WHERE c.series_id = ANY($1) AND c.known_at = ANY($2)""",
)
_PRIOR = """
SELECT file_id, known_at, known_at_basis FROM ingest_file WHERE digest = $1 AND status = 'applied' ORDER BY file_id
"""


@dataclass(slots=True)
class _Tally:
    """What one load has done so far."""

    new: int = 0
    revised: int = 0
    changed: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])

    def touch(self, frame: pl.DataFrame) -> None:
        ends = frame.group_by("series_id").agg(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
        self.changed.append(ends)


class PostgresSeriesWriter:
    """``SeriesWriter`` on PostgreSQL.

    ``history``: where archived months are; a load that touches one brings it back first. Without it such a load is refused
    with ``HistoryNotWired``.
    """

    def __init__(self, pool: PostgresPool, history: HistoryStore | None = None) -> None:
        self._pool = pool
        self._tier = history
        patience = ResilienceSettings().model_copy(update={"retry_within_s": pool.settings.load_timeout_s})
        self._retry = Retry("loads", patience, on=(LostRace,))

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome:
        # A load is one transaction, and the same when it is done again. Jobs of the server (TimescaleDB compresses chunks)
        # and loads of the same series lock what both need in orders of their own.
        async for attempt in self._retry.attempts():
            with attempt:
                return await self._load(file, force=force)
        raise AssertionError  # the last attempt answers or raises

    async def _load(self, file: FileLoad, *, force: bool) -> LoadOutcome:
        started = time.perf_counter()
        rows = conform(file.rows, FILE_ROWS)
        series = conform(file.series, SERIES)
        async with self._pool.acquire() as connection, connection.transaction():
            await self._limit_duration(connection)
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", file.digest)
            prior = await connection.fetch(_PRIOR, file.digest)
            if not force and (same := _same_publication(prior, file.known_at_basis, file.known_at)) is not None:
                return same
            ids, fresh_series = await locked_series(connection, series)
            known_at = await self._known_at(connection, file, prior)
            batch = _publications(rows, ids, known_at)
            await bring_back(connection, self._tier, batch, set(ids) - fresh_series)
            tally = _Tally()
            had_none = fresh_series
            for layer in layers(batch):
                await self._merge(connection, layer, fresh_series, tally)
                fresh_series = set[int]()
            changed = await self._count_up(connection, tally)
            if changed:
                await self._record_completeness(connection, series, ids, batch, had_none)
            file_id = await self._record(connection, file, known_at, batch.height, tally, time.perf_counter() - started)
        return LoadOutcome(
            file_id=file_id,
            new=tally.new,
            revised=tally.revised,
            unchanged=batch.height - tally.new - tally.revised,
            quarantined=file.quarantine.height,
            changed_series=changed,
        )

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None
    ) -> LoadOutcome | None:
        async with self._pool.acquire() as connection:
            return _same_publication(await connection.fetch(_PRIOR, digest), basis, known_at)

    async def refuse(
        self,
        *,
        name: str,
        digest: str,
        size: int,
        source: str,
        dataset: str,
        reason: str,
        validations: Sequence[ValidationResult] = (),
    ) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            file_id = await connection.fetchval(
                """INSERT INTO ingest_file (digest, name, size, source, dataset, status, reason, known_at_basis)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING file_id""",
                digest,
                name,
                size,
                source,
                dataset,
                FileStatus.REFUSED,
                reason,
                KnownAtBasis.INGESTION,
            )
            await record_validations(connection, validations, file_id=file_id, file_name=name)
            return file_id

    async def _limit_duration(self, connection: Connection) -> None:
        # A load may take longer than a read, but never longer than the horizon within which reads look for loads. The second
        # name is TimescaleDB's, and means nothing to a server without it: a correction may unpack as many rows as it must.
        await connection.execute(
            "SET LOCAL statement_timeout = 0; SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0"
        )
        if connection.get_server_version().major >= 17:
            await connection.execute(f"SET LOCAL transaction_timeout = {int(self._pool.settings.load_timeout_s * 1000)}")

    async def _known_at(self, connection: Connection, file: FileLoad, prior: list[asyncpg.Record]) -> datetime | None:
        if file.known_at is not None or file.known_at_basis is not KnownAtBasis.INGESTION:
            return file.known_at
        first = [row["known_at"] for row in prior if row["known_at_basis"] == KnownAtBasis.INGESTION]
        return first[0] if first else await announce(connection)

    async def _merge(self, connection: Connection, layer: pl.DataFrame, fresh_series: set[int], tally: _Tally) -> None:
        if layer.is_empty():
            return
        found = classify(layer, await self._current(connection, layer, fresh_series))
        await self._insert(connection, "observation", _OBSERVATION, found.fresh)
        tally.new += found.fresh.height
        if not found.fresh.is_empty():
            tally.touch(found.fresh)
        revising, late = found.revising, found.late
        if not revising.is_empty():
            revising, overtaken = await self._apart_from_confirmed(connection, revising)
            late = pl.concat([late, overtaken.select(layer.columns)])
            await self._revise(connection, revising, tally)
        if not found.confirming.is_empty():
            await self._confirm(connection, found.confirming.select(*KEY, "known_at"))
        if not late.is_empty():
            await self._rewrite(connection, late, tally)

    async def _current(self, connection: Connection, layer: pl.DataFrame, fresh_series: set[int]) -> pl.DataFrame:
        ids = [series_id for series_id in layer["series_id"].unique().to_list() if series_id not in fresh_series]
        if not ids:
            return layer.clear()
        row = await connection.fetchrow(_CURRENT, ids, layer["ts"].min(), layer["ts"].max())
        return unpacked(_POINT, row)

    async def _apart_from_confirmed(self, connection: Connection, revising: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Revisions that end a value for good, and those a later confirmation may take back: the latter need the history."""
        ids = revising["series_id"].unique().to_list()
        rows = await connection.fetch(
            """SELECT series_id, max(known_at) AS confirmed_at FROM observation_confirmation
               WHERE series_id = ANY($1) AND known_at >= $2 GROUP BY series_id""",
            ids,
            revising["known_at"].min(),
        )
        confirmed = pl.DataFrame(
            {"series_id": [row["series_id"] for row in rows], "confirmed_at": [row["confirmed_at"] for row in rows]},
            schema={"series_id": pl.Int32, "confirmed_at": revising.schema["known_at"]},
        )
        joined = revising.join(confirmed, on="series_id", how="left", maintain_order="left")
        overtaken = (pl.col("confirmed_at") >= pl.col("known_at")).fill_null(False)
        return joined.filter(~overtaken).drop("confirmed_at"), joined.filter(overtaken).drop("confirmed_at")

    async def _revise(self, connection: Connection, revising: pl.DataFrame, tally: _Tally) -> None:
        if revising.is_empty():
            return
        ended = revising.select(
            *KEY,
            pl.col("old_value").alias("value"),
            pl.col("old_quality").alias("quality"),
            pl.col("old_known_at").alias("known_at"),
            pl.col("known_at").alias("superseded_at"),
        )
        await self._insert(connection, "observation_version", _VERSION, ended)
        await self._replace(connection, revising.select(list(PUBLICATIONS)))
        tally.revised += revising.height
        tally.touch(revising)

    async def _replace(self, connection: Connection, current: pl.DataFrame) -> None:
        await self._stage(connection, "replacing", _OBSERVATION, current)
        await connection.execute(_REPLACE, *_reach(current))

    async def _confirm(self, connection: Connection, confirming: pl.DataFrame) -> None:
        ids = confirming["series_id"].unique().to_list()
        times = confirming["known_at"].unique().to_list()
        row = await connection.fetchrow(_CONFIRMED_AT, ids, times)
        known = unpacked({"series_id": "int4", "ts": "timestamptz", "known_at": "timestamptz"}, row)
        missing = confirming.join(known, on=[*KEY, "known_at"], how="anti", maintain_order="left")
        if missing.is_empty():
            return
        await self._stage(connection, "confirming", _CONFIRMATION, missing)
        await connection.execute(
            """INSERT INTO observation_confirmation AS c (series_id, known_at, ts)
               SELECT series_id, known_at, array_agg(ts ORDER BY ts) FROM confirming GROUP BY series_id, known_at
               ON CONFLICT (series_id, known_at) DO UPDATE SET ts = c.ts || excluded.ts"""
        )

    async def _rewrite(self, connection: Connection, late: pl.DataFrame, tally: _Tally) -> None:
        keys = late.select(KEY).unique().sort(KEY)
        await self._stage(connection, "touched", _POINT_KEY, keys)
        before = await self._history(connection, late, keys)
        after = rewrite(before, late)
        columns = [*late.columns]
        gained = after.changes.select(columns).join(before.changes.select(columns), on=columns, how="anti", nulls_equal=True)
        lost = before.changes.select(columns).join(after.changes.select(columns), on=columns, how="anti", nulls_equal=True)
        changed = pl.concat([gained, lost]).select(KEY).unique()
        await self._confirm(connection, after.confirmations)
        if changed.is_empty():
            return
        await connection.execute(_FORGET_VERSIONS, *_reach(keys))
        ended = after.changes.filter(pl.col("superseded_at").is_not_null())
        await self._insert(connection, "observation_version", _VERSION, ended)
        await self._replace(connection, after.changes.filter(pl.col("superseded_at").is_null()).drop("superseded_at"))
        tally.revised += changed.height
        tally.touch(changed)

    async def _history(self, connection: Connection, late: pl.DataFrame, keys: pl.DataFrame) -> History:
        current = (await self._current(connection, late, set())).join(keys, on=KEY, how="semi")
        versions = unpacked(_POINT, await connection.fetchrow(_VERSIONS, *_reach(keys)))
        confirmed = unpacked(
            {"series_id": "int4", "ts": "timestamptz", "known_at": "timestamptz"}, await connection.fetchrow(_CONFIRMED)
        )
        return History(changes=pl.concat([versions, current]).sort([*KEY, "known_at"]), confirmations=confirmed)

    async def _count_up(self, connection: Connection, tally: _Tally) -> tuple[int, ...]:
        if not tally.changed:
            return ()
        changed = pl.concat(tally.changed).group_by("series_id").agg(pl.col("first").min(), pl.col("last").max())
        return tuple(await raise_versions(connection, changed))

    async def _record_completeness(
        self, connection: Connection, series: pl.DataFrame, ids: list[int], batch: pl.DataFrame, had_none: set[int]
    ) -> None:
        described = series.select(pl.Series("series_id", ids, dtype=pl.Int32), "frequency", "zone").unique()
        first: datetime = batch["ts"].min()  # pyright: ignore[reportAssignmentType] - a datetime, since ts is one
        last: datetime = batch["ts"].max()  # pyright: ignore[reportAssignmentType] - a datetime, since ts is one
        # What was empty before holds exactly the batch now; only the others must be looked at in full.
        others = sorted(set(ids) - had_none)
        row = await connection.fetchrow(_CURRENT, others, first - LOOK_AROUND, last + LOOK_AROUND) if others else None
        mine = batch.filter(pl.col("series_id").is_in(list(had_none))) if others else batch
        latest = mine.sort("known_at", "value").unique(KEY, keep="last") if mine.height != mine.n_unique(KEY) else mine
        stored = pl.concat([latest, unpacked(_POINT, row)])
        counts = day_counts(described, batch, stored)
        if counts.is_empty():
            return
        await self._stage(connection, "counted", _COMPLETENESS, counts)
        await connection.execute(
            """INSERT INTO completeness AS c (series_id, day, expected, present)
               SELECT series_id, day, expected, present FROM counted
               ON CONFLICT (series_id, day) DO UPDATE SET expected = excluded.expected, present = excluded.present
               WHERE (c.expected, c.present) IS DISTINCT FROM (excluded.expected, excluded.present)"""
        )

    async def _record(
        self,
        connection: Connection,
        file: FileLoad,
        known_at: datetime | None,
        observations: int,
        tally: _Tally,
        seconds: float,
    ) -> int:
        await connection.execute(
            """UPDATE quarantine SET replayed_at = now() WHERE replayed_at IS NULL
               AND file_id IN (SELECT file_id FROM ingest_file WHERE digest = $1)""",
            file.digest,
        )
        file_id = await connection.fetchval(
            """INSERT INTO ingest_file (digest, name, size, source, dataset, status, known_at, known_at_basis,
                                        rows_read, new, revised, unchanged, quarantined, seconds)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING file_id""",
            file.digest,
            file.name,
            file.size,
            file.source,
            file.dataset,
            FileStatus.APPLIED,
            known_at,
            file.known_at_basis,
            file.rows_read,
            tally.new,
            tally.revised,
            observations - tally.new - tally.revised,
            file.quarantine.height,
            seconds,
        )
        if not file.quarantine.is_empty():
            columns = ["line", "column", "raw", "reason", "detail"]
            await connection.copy_records_to_table(
                "quarantine",
                records=[(file_id, *row) for row in file.quarantine.select(columns).iter_rows()],  # rows: held back
                columns=["file_id", *columns],
            )
        await record_validations(connection, file.validations, file_id=file_id, file_name=file.name)
        return file_id

    async def _stage(self, connection: Connection, name: str, layout: Layout, frame: pl.DataFrame) -> None:
        columns = ", ".join(f"{column} {kind} NOT NULL" for column, kind in layout.columns.items())
        await connection.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
        await connection.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
        await self._insert(connection, name, layout, frame)
        await connection.execute(f"ANALYZE {name}")

    async def _insert(self, connection: Connection, table: str, layout: Layout, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        await connection.copy_to_table(table, source=layout.source(frame), columns=list(layout.columns), format="binary")


def _reach(points: pl.DataFrame) -> tuple[object, object, object]:
    """The series and the first and last time of some points."""
    return points["series_id"].unique().to_list(), points["ts"].min(), points["ts"].max()


def _publications(rows: pl.DataFrame, ids: list[int], known_at: datetime | None) -> pl.DataFrame:
    known = pl.col("known_at").fill_null(known_at) if known_at is not None else pl.col("known_at")
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


def _same_publication(prior: list[asyncpg.Record], basis: KnownAtBasis | None, known_at: datetime | None) -> LoadOutcome | None:
    if not prior:
        return None
    asked = basis in (KnownAtBasis.ARGUMENT, KnownAtBasis.SCHEDULE)
    if asked and all((row["known_at"], row["known_at_basis"]) != (known_at, basis) for row in prior):
        return None
    return LoadOutcome(prior[-1]["file_id"], 0, 0, 0, 0, already_loaded=True)
