"""Restates the known times of a dataset: what was loaded as history gets the time at which it is usually published.

Only first publications that are dated by the moment of their file move, and only if the file was taken in longer after the
usual time than one period of publication. Corrections keep their times. Each transaction is bounded, commits with its audit
record and may be the last: the next run goes on where this one ended, and a second run changes nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.chunks import chunks
from aurum.core.errors import Invalid, UnknownName
from aurum.core.frames import MANY_OBSERVATIONS, UTC_US
from aurum.core.markettime import local_day
from aurum.core.merge import History
from aurum.core.names import nearest
from aurum.core.restatement import first_moves, moves_before, of_moments
from aurum.core.series.model import Series
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Dataset
from aurum.pipelines.usual_times import usual_times
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import Catalog, SeriesFilter
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.ports.recordings import DatasetChange, RecordingAction
from aurum.storage.ports.transaction import Transaction, Transactions

_SERIES_AT_ONCE = 1_000
_POINTS_AT_ONCE = 250_000
_YEAR_HOURS = 8_784


class NoRule(Invalid):
    """A dataset without publication rules."""


@dataclass(frozen=True, slots=True)
class Step:
    """The effect of one transaction, or of none in a dry run.

    ``points``: publications that moved. ``series``: number of series. ``first``, ``last``: first and last interval start.
    ``earliest``, ``latest``: of the new known times. All times are UTC.
    """

    points: int
    series: int
    first: datetime
    last: datetime
    earliest: datetime
    latest: datetime


@dataclass(slots=True)
class _Seen:
    """Files of a forecast, by id and moment, and the known times at which publications remain after all steps."""

    files: set[tuple[int, datetime]] = field(default_factory=set[tuple[int, datetime]])
    known_times: set[datetime] = field(default_factory=set[datetime])


@dataclass(frozen=True, slots=True)
class Restatement:
    """The restatement of one dataset."""

    catalog: Catalog
    reader: SeriesReader
    transactions: Transactions
    dataset: Dataset
    by: Actor

    async def run(self, *, dry_run: bool = False) -> AsyncGenerator[Step]:
        """Move known times step by step; yields what each step did, or would do. Raises ``Unavailable``."""
        after: str | None = None
        seen = _Seen()
        criteria = SeriesFilter(source=self.dataset.source, dataset=self.dataset.name)
        while page := await self.catalog.series_page(criteria, after=after, limit=_SERIES_AT_ONCE):
            after = str(page[-1].key)
            for group in chunks(page, size=_points_a_year, most=_POINTS_AT_ONCE):
                for span in _years(group):
                    step = await self._step(group, span, seen, dry_run=dry_run)
                    if step is not None:
                        yield step
        if self.dataset.is_forecast and not dry_run:
            gone = sorted((known_at, file_id) for file_id, known_at in seen.files if known_at not in seen.known_times)
            async with self.transactions.transaction(by=self.by) as tx:
                await tx.restater.drop_issues(self.dataset.source, self.dataset.name, gone)

    async def _step(self, series: Sequence[Series], span: Span, seen: _Seen, *, dry_run: bool) -> Step | None:
        ids = [one.series_id for one in series]
        async with self.transactions.transaction(by=self.by) as tx:
            moments = await tx.restater.moments(ids)
            published_before = await self._published_before(tx, moments)
        if moments.is_empty():
            return None
        versions = await self.reader.versions(ids, span=span)
        confirmations = await self.reader.confirmations(ids, span=span)
        history = History(versions.select(list(MANY_OBSERVATIONS)), confirmations)
        moves = await asyncio.to_thread(planned_moves, self.dataset, series, history, moments, published_before)
        if self.dataset.is_forecast:
            keys = ["series_id", "ts", "known_at"]
            remaining = history.publications().join(moves, on=keys, how="anti")
            seen.known_times |= set(remaining["known_at"].unique().to_list())
            seen.files |= set(moments.select("file_id", "known_at").unique().iter_rows())  # rows: one a file
        if moves.is_empty():
            return None
        if not dry_run:
            await self._move(moves, moments)
        return Step(moves.height, moves["series_id"].n_unique(), *_ends(moves, "ts"), *_ends(moves, "restated_at"))

    async def _published_before(self, tx: Transaction, moments: pl.DataFrame) -> frozenset[datetime]:
        """Return the usual times of the issues that another file had brought before the first one dated by its load."""
        issues = _issue_times(self.dataset, moments)
        earliest = issues.group_by("scheduled").agg(pl.col("moment").min())
        published_before: set[datetime] = set()
        for scheduled, moment in earliest.iter_rows():  # rows: one an issue
            times = await tx.recordings.issues_at(self.dataset.source, self.dataset.name, scheduled)
            if any(known_at < moment and known_at != scheduled for known_at in times):
                published_before.add(scheduled)
        return frozenset(published_before)

    async def _move(self, moves: pl.DataFrame, moments: pl.DataFrame) -> None:
        source, dataset = self.dataset.source, self.dataset.name
        async with self.transactions.transaction(by=self.by, long_running=True) as tx:
            recording_id = await tx.recordings.begin()
            restated = await tx.restater.restate(moves, recording_id=recording_id)
            if not restated.points:
                return
            if self.dataset.is_forecast:
                await tx.restater.restate_issues(source, dataset, _moved_issues(moves, moments))
            first, last = _ends(moves, "ts")
            detail = {
                "points": restated.points,
                "series": len(restated.series),
                "first": first.isoformat(),
                "last": last.isoformat(),
            }
            await tx.audit.append("known-at.restate", f"{source}:{dataset}", detail)
            # No value is new or revised: the known times are.
            change = DatasetChange(source, dataset, None, KnownAtBasis.SCHEDULED, len(restated.series), 0, 0, first, last)
            await tx.recordings.seal(recording_id, RecordingAction.RESTATEMENT, [change])


def _moved_issues(moves: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Return the issues that moves make, as ``Restater.restate_issues`` takes them."""
    files = moments.select("series_id", "known_at", "file_id")
    return (
        moves.join(files, on=["series_id", "known_at"])
        .group_by("file_id", "known_at", "restated_at")
        .agg(pl.col("ts").min().alias("first_ts"), pl.col("ts").max().alias("last_ts"))
    )


def _issue_times(dataset: Dataset, moments: pl.DataFrame) -> pl.DataFrame:
    """Return ``moment`` and ``scheduled``, the usual time of the issue in the files of that moment; none for other datasets."""
    rule = next((rule for rule in dataset.rules if rule.per_issue), None)
    if rule is None or moments.is_empty():
        return pl.DataFrame(schema={"moment": UTC_US, "scheduled": UTC_US})
    starts = moments.group_by(pl.col("known_at").alias("moment")).agg(pl.col("first_ts").min())
    days = starts.select("moment", local_day(pl.col("first_ts"), dataset.zone).alias("day"))
    names = days["day"].unique().to_list()
    scheduled = pl.col("day").replace_strict(names, [rule.of_issue(day) for day in names], return_dtype=UTC_US)
    return days.select("moment", scheduled.alias("scheduled"))


def dataset_to_restate(registry: Registry, source: str, name: str) -> Dataset:
    """Return a declared dataset. Raises ``UnknownName``, and ``NoRule`` when it has no rule to restate known times by."""
    datasets = {(one.name, dataset.name): dataset for one in registry.sources for dataset in one.datasets}
    dataset = datasets.get((source, name))
    if dataset is None:
        known = [":".join(key) for key in datasets]
        raise UnknownName("dataset", f"{source}:{name}", nearest(f"{source}:{name}", known))
    if not dataset.rules:
        raise NoRule(f"dataset {source}:{name} has no publication rule to restate known times by")
    return dataset


def planned_moves(
    dataset: Dataset,
    series: Sequence[Series],
    history: History,
    moments: pl.DataFrame,
    published_before: frozenset[datetime] = frozenset(),
) -> pl.DataFrame:
    """Return the publications that move, schema ``core.restatement.MOVES``.

    ``history``: all publications of some points of ``series``. ``moments``: as ``Restater.moments`` returns them.
    ``published_before``: the usual times of issues that have an earlier publication already.
    """
    if not dataset.rules or history.changes.is_empty():
        return moves_before(pl.DataFrame(schema=_DATED))
    rule = next((rule for rule in dataset.rules if rule.per_issue), None)
    if rule is None:
        dated = first_moves(history.changes, moments)
        placed = dated.join(_described(series), on="series_id", how="left", maintain_order="left")
        return moves_before(pl.concat([dated, usual_times(dataset, placed)], how="horizontal"))
    publications = history.publications()
    # Of several files of one issue only the first was published at the usual time; the others corrected it.
    present = set(publications["known_at"].unique().to_list())
    firsts = _issue_times(dataset, moments).sort("moment").unique("scheduled", keep="first")
    firsts = firsts.filter(~pl.col("scheduled").is_in(sorted(published_before | present)))
    near = pl.lit(rule.near(dataset.frequency), pl.Duration("us")).alias("near")
    return moves_before(of_moments(publications, moments).join(firsts, on="moment", how="inner").with_columns(near))


_DATED = pl.Schema(
    {
        "series_id": pl.Int32(),
        "ts": UTC_US,
        "known_at": UTC_US,
        "moment": UTC_US,
        "scheduled": UTC_US,
        "near": pl.Duration("us"),
    }
)


def _described(series: Sequence[Series]) -> pl.DataFrame:
    rows = [
        (one.series_id, one.key.location, one.key.measure, one.spec.zone, str(one.spec.frequency), _labels(one))
        for one in series
    ]
    names = ("location", "measure", "zone", "frequency", "labels")
    return pl.DataFrame(rows, schema={"series_id": pl.Int32, **dict.fromkeys(names, pl.String)}, orient="row")


def _labels(series: Series) -> str:
    return json.dumps(dict(series.spec.labels), sort_keys=True)


def _points_a_year(series: Series) -> int:
    step = series.spec.frequency.step
    return int(_YEAR_HOURS * 3_600 / step.total_seconds()) if step is not None else _YEAR_HOURS


def _years(series: Sequence[Series]) -> Iterator[Span]:
    """Yield the UTC years in which some series have points."""
    starts = [one.first_ts for one in series if one.first_ts is not None]
    ends = [one.last_ts for one in series if one.last_ts is not None]
    if starts and ends:
        for year in range(min(starts).year, max(ends).year + 1):
            yield Span(datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))


def _ends(frame: pl.DataFrame, column: str) -> tuple[datetime, datetime]:
    first, last = frame.select(pl.col(column).min().alias("first"), pl.col(column).max().alias("last")).row(0)
    return first, last
