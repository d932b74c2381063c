"""Observations in dictionaries: every answer comes from the model of the bitemporal law, point by point."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.as_loaded import new_spans
from aurum.core.asof import ALL_TIME, Span
from aurum.core.calendars import stored_business_days
from aurum.core.catalog import Quality
from aurum.core.catalog.dimensions import stored_fuel, stored_kind, stored_market_run
from aurum.core.catalog.entries import Completeness
from aurum.core.clock import Clock
from aurum.core.errors import Conflict
from aurum.core.first_publications import first_publications, same_issue
from aurum.core.frames import (
    CONFIRMATIONS,
    FILE_SERIES,
    FILE_SPANS,
    HISTORY,
    MANY_OBSERVATIONS,
    NEIGHBOURS,
    OBSERVATIONS,
    PUBLICATIONS,
    REVISIONS,
    SERIES,
    UTC_US,
    conform,
)
from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.markettime import intervals_in_day
from aurum.core.merge import OBSERVATIONS as OBSERVATIONS_SHAPE
from aurum.core.series.model import Series, SeriesSpec
from aurum.core.series.partials import buckets_in, partials
from aurum.core.series.points import Points as SeriesPoints
from aurum.core.series.revise import Publication, answer, revisions
from aurum.storage.file_rows import correction_undated, file_publications, issues_of, touched_series
from aurum.storage.memory.recordings import record_undone
from aurum.storage.memory.state import MemoryState, Points
from aurum.storage.ports.observations import LockedSeries, Moment, SeriesRows, StoredRows
from aurum.storage.undo import Undo, single_times, undone

Batch: TypeAlias = Mapping[int, Mapping[datetime, list[Publication]]]
"""Publications of a file by series id and ``ts``."""
Row: TypeAlias = tuple[datetime, float, int, datetime]

_BATCH_ROWS = 1024  # a border of batches needs few rows


class MemorySeriesReader:
    """``SeriesReader`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return pl.DataFrame(list(self._answers(series_id, span, as_of)), schema=OBSERVATIONS, orient="row")

    async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> SeriesPoints:
        return SeriesPoints.of(await self.observations(series_id, span=span, as_of=as_of))

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return self._many(series_ids, span, as_of)

    async def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        for batch in self._many(series_ids, span, as_of).iter_slices(_BATCH_ROWS):
            if not batch.is_empty():
                yield batch

    async def revisions(self, series_id: int, *, span: Span) -> pl.DataFrame:
        points = self._points(series_id, span)
        rows = [_row(ts, change) for ts, publications in points for change in revisions(publications)]
        return pl.DataFrame(rows, schema=REVISIONS, orient="row")

    async def versions(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return self._versions(series_ids, span, as_of)

    async def version_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        for batch in self._versions(series_ids, span, as_of).iter_slices(_BATCH_ROWS):
            if not batch.is_empty():
                yield batch

    async def confirmations(self, series_ids: Sequence[int], *, span: Span, known: Span = ALL_TIME) -> pl.DataFrame:
        rows = [
            (series_id, ts, known_at)
            for series_id in sorted(set(series_ids))
            for ts, publications in self._points(series_id, span)
            for known_at in sorted(
                {publication.known_at for publication in publications} - {change.known_at for change in revisions(publications)}
            )
            if (known.start is None or known_at >= known.start) and (known.end is None or known_at < known.end)
        ]
        return pl.DataFrame(rows, schema=CONFIRMATIONS, orient="row")

    def _versions(self, series_ids: Sequence[int], span: Span, as_of: datetime | None) -> pl.DataFrame:
        rows: list[tuple[int, datetime, datetime, datetime | None, float, int]] = []
        for series_id in sorted(set(series_ids)):
            for ts, publications in self._points(series_id, span):
                changes = revisions(publications)
                ends = [*(change.known_at for change in changes[1:]), None]
                rows += [
                    (series_id, ts, change.known_at, end, change.value, change.quality)
                    for change, end in zip(changes, ends, strict=True)
                    if as_of is None or change.known_at <= as_of
                ]
        return pl.DataFrame(rows, schema=HISTORY, orient="row")

    def _many(self, series_ids: Sequence[int], span: Span, as_of: datetime | None) -> pl.DataFrame:
        rows = [(series_id, *row) for series_id in sorted(set(series_ids)) for row in self._answers(series_id, span, as_of)]
        return pl.DataFrame(rows, schema=MANY_OBSERVATIONS, orient="row")

    def _answers(self, series_id: int, span: Span, as_of: datetime | None) -> Iterator[Row]:
        for ts, publications in self._points(series_id, span):
            publication = answer(publications, as_of)
            if publication is not None:
                yield _row(ts, publication)

    def _points(self, series_id: int, span: Span) -> list[tuple[datetime, frozenset[Publication]]]:
        points = self._state.points.get(series_id, {})
        return sorted(
            (
                (ts, publications)
                for ts, publications in points.items()
                if (span.start is None or ts >= span.start) and (span.end is None or ts < span.end)
            ),
            key=lambda point: point[0],
        )


class MemoryPartialsReader:
    """``PartialsReader`` in memory."""

    has_sums = True

    def __init__(self, state: MemoryState) -> None:
        self._rows = MemorySeriesReader(state)

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        return partials(await self._rows.many(series_ids, span=buckets_in(span)))


class MemoryNeighbourReader:
    """``NeighbourReader`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def neighbours(self, spans: pl.DataFrame, *, count: int, within: int = 0) -> pl.DataFrame:
        rows: list[tuple[int, datetime, float]] = []
        for number, key, _, first, last in conform(spans, FILE_SPANS).iter_rows():
            series = self._state.series.get(key)
            points = self._state.points.get(series.series_id, {}) if series is not None else {}
            before = sorted(ts for ts in points if ts < first)[-count:]
            outside = before or sorted(ts for ts in points if ts > last)[:count]
            inside = sorted(ts for ts in points if first <= ts <= last)[-within:] if within and len(outside) < count else []
            for ts in (*outside, *inside):
                current = answer(points[ts])
                assert current is not None
                rows.append((number, ts, current.value))
        return pl.DataFrame(sorted(rows), schema=NEIGHBOURS, orient="row")


class MemoryObservationWriter:
    """``ObservationWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def lock(self, series: pl.DataFrame) -> LockedSeries:
        specs = [_spec(row) for row in conform(series, SERIES).iter_rows(named=True)]
        for spec in specs:
            self._check(spec)
        for spec in sorted(specs, key=lambda spec: str(spec.key)):
            self._describe(spec)
        stored = [self._state.series[str(spec.key)] for spec in specs]
        empty = frozenset(series.series_id for series in stored if series.version == 0)
        return LockedSeries([series.series_id for series in stored], empty)

    async def store(self, part: SeriesRows, locked: LockedSeries, *, moment: Moment, recording_id: int) -> StoredRows:
        by_id = {series.series_id: key for key, series in self._state.series.items()}
        offered = file_publications(part, locked.ids, moment.time)
        publishing = self._dated(offered, part, locked, moment)
        batch = _batch(publishing)
        undo = self._undo(publishing)
        sole = self._record_undo(recording_id, undo, publishing)
        new, revised = Counter[int](), Counter[int]()
        points = [(series_id, ts) for series_id, one in batch.items() for ts in self._merge(series_id, one, new, revised)]
        changed = tuple(sorted({*new, *revised}))
        for series_id in changed:
            self._raise_version(by_id[series_id], series_id)
        if changed:
            for series_id in locked.ids:
                self._record_completeness(by_id[series_id], batch.get(series_id, {}))
        counts = pl.DataFrame(
            [(series_id, new[series_id], revised[series_id]) for series_id in changed],
            schema={"series_id": pl.Int32, "new": pl.Int32, "revised": pl.Int32},
            orient="row",
        )
        touched = touched_series(offered, publishing, counts, moment, spans=undo.spans, sole=sole)
        issues = issues_of(publishing, part)
        merged = pl.DataFrame(points, schema={"series_id": pl.Int32, "ts": UTC_US}, orient="row")
        return StoredRows(part.rows.height, new.total(), revised.total(), changed, merged, touched, issues)

    def _dated(self, offered: pl.DataFrame, part: SeriesRows, locked: LockedSeries, moment: Moment) -> pl.DataFrame:
        """Return the publications, dated by the rule only where it may date them. Raises ``CorrectionUndated``."""
        if part.rule is None:
            return offered.select(list(PUBLICATIONS))
        corrected_at = moment.time if part.rule.may_correct else None
        stored = self._publications_of(offered)
        if part.issue_at is None:
            versions = stored.select("series_id", "ts", "value", "quality") if moment.repeated else None
            current = OBSERVATIONS_SHAPE.in_force(stored)
            result = first_publications(offered, current, corrected_at=corrected_at, republished=versions)
        else:
            stated = stored.filter(pl.col("known_at").is_in(list(moment.same_issue)))
            if stated.is_empty():
                return offered.select(list(PUBLICATIONS))
            result = same_issue(offered, stated, corrected_at=corrected_at)
        if not result.conflicts.is_empty():
            raise correction_undated(result.conflicts, part, locked)
        return result.batch

    def _publications_of(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the stored publications of the points of a batch, schema ``PUBLICATIONS``."""
        rows = [
            (series_id, *_row(ts, publication))
            for series_id, ts in batch.select("series_id", "ts").unique().iter_rows()
            for publication in self._state.points.get(series_id, {}).get(ts, ())
        ]
        return pl.DataFrame(rows, schema=PUBLICATIONS, orient="row")

    def _undo(self, publishing: pl.DataFrame) -> Undo:
        """Return what a batch adds and takes away. Call it before the batch is stored."""
        times = [*OBSERVATIONS_SHAPE.key, "known_at"]
        stored = self._publications_of(publishing)
        fresh = publishing.select("series_id", "ts").unique().join(stored, on=["series_id", "ts"], how="anti")
        points = [(series_id, ts) for series_id in fresh["series_id"].unique() for ts in self._state.points.get(series_id, {})]
        undo = Undo(new_spans(fresh, pl.DataFrame(points, schema=fresh.schema, orient="row")))
        both = pl.concat([stored, publishing]).sort(OBSERVATIONS_SHAPE.published)
        greatest = stored.sort(OBSERVATIONS_SHAPE.published).unique(times, keep="last")
        undo.replace(greatest, publishing, both.unique(times, keep="last"))
        return undo

    def _record_undo(self, recording_id: int, undo: Undo, publishing: pl.DataFrame) -> list[int]:
        """Record what neither spans nor known times tell; return the series without a publication at theirs or later."""
        listed = undo.listed()
        sole: list[int] = []
        for series_id, known_at in single_times(publishing, listed).items():
            files = (frame.filter(pl.col("series_id") == series_id) for frame in self._state.file_series.values())
            if all((frame["known_at"] < known_at).all() for frame in files):
                sole.append(series_id)
        record_undone(self._state, recording_id, undone(listed.filter(~pl.col("series_id").is_in(sole)), undo.removed()))
        return sole

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        earlier = self._state.file_series.get(file_id, pl.DataFrame(schema=FILE_SERIES))
        self._state.file_series[file_id] = pl.concat([earlier, conform(touched, FILE_SERIES)])

    def _check(self, spec: SeriesSpec) -> None:
        stored = self._state.series.get(str(spec.key))
        if stored is None:
            return
        for name, stored_value, file_value in (
            ("unit", stored.spec.unit, spec.unit),
            ("frequency", stored.spec.frequency, spec.frequency),
        ):
            if stored_value != file_value:
                raise Conflict(
                    f"series {spec.key} is stored with {name} {stored_value!r}, but the file has {file_value!r}: "
                    "a stored series cannot change it",
                    key=str(spec.key),
                    stored=stored_value,
                    given=file_value,
                )

    def _describe(self, spec: SeriesSpec) -> None:
        key = str(spec.key)
        stored = self._state.series.get(key)
        if stored is None:
            self._state.last_series_id += 1
            stored = Series(self._state.last_series_id, spec, 0, None, None, None)
        # Answers show descriptions, so a new description is a new version of a series that has observations.
        has_new_description = stored.version > 0 and stored.spec != spec
        self._state.series[key] = replace(stored, spec=spec, version=stored.version + has_new_description)

    def _merge(
        self, series_id: int, batch: Mapping[datetime, list[Publication]], new: Counter[int], revised: Counter[int]
    ) -> Sequence[datetime]:
        """Store the publications of a series, count them, and return the points that changed."""
        points = Points(self._state.points.get(series_id, {}))
        changed: list[datetime] = []
        for ts, publications in batch.items():
            # Of publications with one known time only the greatest counts: the others must not revise anything.
            for publication in _greatest_by_known_time(publications):
                known = points.get(ts, frozenset())
                if not known and publication.quality == Quality.WITHDRAWN:
                    continue  # nothing to withdraw
                before = revisions(known)
                points[ts] = known | {publication}
                if revisions(points[ts]) == before:
                    continue
                (revised if before else new)[series_id] += 1
                changed.append(ts)
        self._state.points[series_id] = points
        return changed

    def _raise_version(self, key: str, series_id: int) -> None:
        series, points = self._state.series[key], self._state.points[series_id]
        self._state.series[key] = replace(
            series, version=series.version + 1, first_ts=min(points), last_ts=max(points), updated_at=self._clock.now()
        )

    def _record_completeness(self, key: str, touched: Mapping[datetime, list[Publication]]) -> None:
        series = self._state.series[key]
        zone = ZoneInfo(series.spec.zone)
        points = self._state.points.get(series.series_id, {})
        present = Counter(
            ts.astimezone(zone).date() for ts, publications in points.items() if _is_present(answer(publications))
        )
        for day in {ts.astimezone(zone).date() for ts in touched}:
            expected = intervals_in_day(day, series.spec.zone, series.spec.frequency)
            if expected is not None:
                self._state.completeness[key, day] = Completeness(key, day, expected, present[day])


def _spec(row: Mapping[str, Any]) -> SeriesSpec:
    return SeriesSpec(
        key=SeriesKey(row["source"], row["dataset"], row["location"], row["measure"]),
        unit=row["unit"],
        frequency=Frequency(row["frequency"]),
        zone=row["zone"],
        market=row["market"],
        currency=row["currency"],
        location_name=row["location_name"],
        location_type=row["location_type"],
        labels=json.loads(row["labels"]),
        business_days=stored_business_days(row["business_days"]),
        kind=stored_kind(row["kind"]),
        market_run=stored_market_run(row["market_run"]),
        fuel=stored_fuel(row["fuel"]),
        fuel_detail=row["fuel_detail"],
    )


def _batch(publishing: pl.DataFrame) -> Batch:
    batch: dict[int, dict[datetime, list[Publication]]] = {}
    for series_id, ts, value, quality, known_at in publishing.iter_rows():
        batch.setdefault(series_id, {}).setdefault(ts, []).append(Publication(known_at, value, quality))
    return batch


def _greatest_by_known_time(publications: list[Publication]) -> list[Publication]:
    greatest: dict[datetime, Publication] = {}
    for publication in sorted(publications, key=lambda publication: (publication.known_at, publication.content)):
        greatest[publication.known_at] = publication
    return list(greatest.values())


def _is_present(publication: Publication | None) -> bool:
    return publication is not None and not math.isnan(publication.value)


def _row(ts: datetime, publication: Publication) -> Row:
    return ts, publication.value, publication.quality, publication.known_at
