"""Observations in dictionaries: every answer comes from the model of the bitemporal law, point by point."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.asof import Span
from aurum.core.calendars import stored_business_days
from aurum.core.catalog.entries import Completeness
from aurum.core.clock import Clock
from aurum.core.errors import Conflict
from aurum.core.frames import (
    FILE_ROWS,
    FILE_SERIES,
    FILE_SPANS,
    MANY_OBSERVATIONS,
    NEIGHBOURS,
    OBSERVATIONS,
    REVISIONS,
    SERIES,
    FrameMismatch,
    conform,
)
from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.markettime import intervals_in_day
from aurum.core.series.model import Series, SeriesSpec
from aurum.core.series.partials import buckets_in, partials
from aurum.core.series.points import Points as SeriesPoints
from aurum.core.series.revise import Publication, answer, revisions
from aurum.storage.memory.state import MemoryState, Points
from aurum.storage.ports.observations import LockedSeries, SeriesRows, StoredRows

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

    async def store(self, part: SeriesRows, locked: LockedSeries, *, known_at: datetime | None) -> StoredRows:
        by_id = {series.series_id: key for key, series in self._state.series.items()}
        batch = _batch(locked.ids, conform(part.rows, FILE_ROWS), known_at)
        new, revised = Counter[int](), Counter[int]()
        for series_id, points in batch.items():
            self._merge(series_id, points, new, revised)
        changed = tuple(sorted({*new, *revised}))
        for series_id in changed:
            self._raise_version(by_id[series_id], series_id)
        if changed:
            for series_id in locked.ids:
                self._record_completeness(by_id[series_id], batch.get(series_id, {}))
        touched = pl.DataFrame(
            [
                (series_id, min(points), max(points), _latest(points), new[series_id], revised[series_id])
                for series_id, points in sorted(batch.items())
            ],
            schema=FILE_SERIES,
            orient="row",
        )
        return StoredRows(part.rows.height, new.total(), revised.total(), changed, touched)

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
    ) -> None:
        points = Points(self._state.points.get(series_id, {}))
        for ts, publications in batch.items():
            # Of publications with one known time only the greatest counts: the others must not revise anything.
            for publication in _greatest_by_known_time(publications):
                known = points.get(ts, frozenset())
                before = revisions(known)
                points[ts] = known | {publication}
                if revisions(points[ts]) == before:
                    continue
                (revised if before else new)[series_id] += 1
        self._state.points[series_id] = points

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
    )


def _batch(ids: Sequence[int], rows: pl.DataFrame, known_at: datetime | None) -> Batch:
    batch: dict[int, dict[datetime, list[Publication]]] = {}
    for row in rows.iter_rows(named=True):
        known: datetime | None = row["known_at"] or known_at
        if known is None:
            raise FrameMismatch("known_at: null in a row of a file without a known time of its own")
        value = row["value"] + 0.0  # -0.0 and 0.0 are the same value
        publication = Publication(known + timedelta(microseconds=row["version"]), value, row["quality"])
        number: int = row["series"]
        batch.setdefault(ids[number], {}).setdefault(row["ts"], []).append(publication)
    return batch


def _latest(points: Mapping[datetime, list[Publication]]) -> datetime:
    return max(publication.known_at for publications in points.values() for publication in publications)


def _greatest_by_known_time(publications: list[Publication]) -> list[Publication]:
    greatest: dict[datetime, Publication] = {}
    for publication in sorted(publications, key=lambda publication: (publication.known_at, publication.content)):
        greatest[publication.known_at] = publication
    return list(greatest.values())


def _is_present(publication: Publication | None) -> bool:
    return publication is not None and not math.isnan(publication.value)


def _row(ts: datetime, publication: Publication) -> Row:
    return ts, publication.value, publication.quality, publication.known_at
