"""Stores files: all that can fail comes before the first change, so a file is stored whole or not at all."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.catalog.entries import Completeness, KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.core.clock import Clock
from aurum.core.errors import Conflict
from aurum.core.frames import FILE_ROWS, REFUSED, SERIES, FrameMismatch, conform
from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.markettime import intervals_in_day
from aurum.core.series import Publication, Series, SeriesSpec, answer, revisions
from aurum.storage.memory.file_log import FileLog
from aurum.storage.memory.state import MemoryState, Points
from aurum.storage.memory.validation_log import MemoryValidationLog
from aurum.storage.ports import FileLoad, LoadOutcome

Batch: TypeAlias = Mapping[str, Mapping[datetime, list[Publication]]]
"""What a file says, by series key and ``ts``."""


@dataclass(slots=True)
class _Tally:
    """What one load has done so far."""

    said: int = 0
    new: int = 0
    revised: int = 0
    changed: set[str] = field(default_factory=set[str])

    @property
    def unchanged(self) -> int:
        return self.said - self.new - self.revised


class MemorySeriesWriter:
    """``SeriesWriter`` in memory."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._files = FileLog(state, clock)
        self._validations = MemoryValidationLog(state, clock)

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome:
        started = time.perf_counter()
        same = self._same_publication(file.digest, file.known_at_basis, file.known_at)
        if same is not None and not force:
            return same
        specs = _specs(conform(file.series, SERIES))
        self._check(specs)
        quarantine = conform(file.quarantine, REFUSED)
        known_at = self._known_at(file)
        batch = _batch(specs, conform(file.rows, FILE_ROWS), known_at)
        self._describe(specs)
        tally = _Tally(said=file.rows.height)
        for key, points in batch.items():
            self._merge(key, points, tally)
        changed = self._count_up(tally)
        if changed:
            for spec in specs:
                self._record_completeness(spec, batch.get(str(spec.key), {}))
        outcome = LoadOutcome(
            file_id=self._files.next_id,
            new=tally.new,
            revised=tally.revised,
            unchanged=tally.unchanged,
            quarantined=quarantine.height,
            changed_series=changed,
        )
        self._files.applied(file, outcome, known_at=known_at, seconds=time.perf_counter() - started)
        self._files.hold(file, quarantine, file_id=outcome.file_id)
        self._validations.record(file.validations, file_id=outcome.file_id, file_name=file.name)
        return outcome

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None
    ) -> LoadOutcome | None:
        return self._same_publication(digest, basis, known_at)

    async def refuse(
        self,
        *,
        name: str,
        digest: str,
        size: int,  # noqa: ARG002 - no answer tells the size
        source: str,
        dataset: str,
        reason: str,
        validations: Sequence[ValidationResult] = (),
    ) -> int:
        file_id = self._files.refused(name=name, digest=digest, source=source, dataset=dataset, reason=reason)
        self._validations.record(validations, file_id=file_id, file_name=name)
        return file_id

    def _same_publication(self, digest: str, basis: KnownAtBasis | None, known_at: datetime | None) -> LoadOutcome | None:
        prior = self._files.applied_before(digest)
        asked = basis in (KnownAtBasis.ARGUMENT, KnownAtBasis.SCHEDULE)
        if not prior or (asked and all((file.known_at, file.known_at_basis) != (known_at, basis) for file in prior)):
            return None
        return LoadOutcome(prior[-1].file_id, 0, 0, 0, 0, already_loaded=True)

    def _check(self, specs: list[SeriesSpec]) -> None:
        for given in specs:
            stored = self._state.series.get(str(given.key))
            if stored is None:
                continue
            for name, had, says in (
                ("unit", stored.spec.unit, given.unit),
                ("frequency", stored.spec.frequency, given.frequency),
            ):
                if had != says:
                    raise Conflict(
                        f"series {given.key} has {name} {had!r}, the file says {says!r}",
                        key=str(given.key),
                        stored=had,
                        given=says,
                    )

    def _known_at(self, file: FileLoad) -> datetime | None:
        if file.known_at is not None or file.known_at_basis is not KnownAtBasis.INGESTION:
            return file.known_at
        first = [
            prior.known_at
            for prior in self._files.applied_before(file.digest)
            if prior.known_at_basis is KnownAtBasis.INGESTION
        ]
        return first[0] if first else self._clock.now()

    def _describe(self, specs: list[SeriesSpec]) -> None:
        for spec in sorted(specs, key=lambda spec: str(spec.key)):
            key = str(spec.key)
            stored = self._state.series.get(key)
            if stored is None:
                stored = Series(len(self._state.series) + 1, spec, 0, None, None, None)
            # Answers show descriptions: another one is another version of a series that has observations.
            told_anew = stored.version > 0 and stored.spec != spec
            self._state.series[key] = replace(stored, spec=spec, version=stored.version + told_anew)

    def _merge(self, key: str, batch: Mapping[datetime, list[Publication]], tally: _Tally) -> None:
        points = self._state.points.setdefault(self._state.series[key].series_id, Points())
        for ts, publications in batch.items():
            # Of a tie only the greater is said: the others revise nothing, not even for the length of this load.
            for publication in _decided(publications):
                known = points.setdefault(ts, set())
                before = revisions(known)
                known.add(publication)
                if revisions(known) == before:
                    continue
                tally.changed.add(key)
                tally.new += not before
                tally.revised += bool(before)

    def _count_up(self, tally: _Tally) -> tuple[int, ...]:
        now = self._clock.now()
        for key in tally.changed:
            series = self._state.series[key]
            points = self._state.points[series.series_id]
            self._state.series[key] = replace(
                series, version=series.version + 1, first_ts=min(points), last_ts=max(points), updated_at=now
            )
        return tuple(sorted(self._state.series[key].series_id for key in tally.changed))

    def _record_completeness(self, spec: SeriesSpec, touched: Mapping[datetime, list[Publication]]) -> None:
        zone = ZoneInfo(spec.zone)
        key = str(spec.key)
        points = self._state.points.get(self._state.series[key].series_id, {})
        present = Counter(ts.astimezone(zone).date() for ts, said in points.items() if _is_present(answer(said)))
        for day in {ts.astimezone(zone).date() for ts in touched}:
            expected = intervals_in_day(day, spec.zone, spec.frequency)
            if expected is not None:
                self._state.completeness[key, day] = Completeness(key, day, expected, present[day])


def _specs(series: pl.DataFrame) -> list[SeriesSpec]:
    return [_spec(row) for row in series.iter_rows(named=True)]


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
    )


def _batch(specs: list[SeriesSpec], rows: pl.DataFrame, known_at: datetime | None) -> Batch:
    batch: dict[str, dict[datetime, list[Publication]]] = {}
    for row in rows.iter_rows(named=True):
        known: datetime | None = row["known_at"] or known_at
        if known is None:
            raise FrameMismatch("known_at: null in a row of a file that has no known time of its own")
        value = row["value"] + 0.0  # -0.0 and 0.0 are one value
        said = Publication(known + timedelta(microseconds=row["version"]), value, row["quality"])
        number: int = row["series"]
        batch.setdefault(str(specs[number].key), {}).setdefault(row["ts"], []).append(said)
    return batch


def _decided(publications: list[Publication]) -> list[Publication]:
    greatest: dict[datetime, Publication] = {}
    for publication in sorted(publications, key=lambda publication: (publication.known_at, publication.content)):
        greatest[publication.known_at] = publication
    return list(greatest.values())


def _is_present(found: Publication | None) -> bool:
    return found is not None and not math.isnan(found.value)
