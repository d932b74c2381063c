"""Pages of weekly rows of the Drought Monitor, with changes over some weeks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.drought import SHARES, Region, RegionFilter, Statistics, dsci, with_changes
from aurum.core.series.model import Series
from aurum.services.drought.regions import selected_regions
from aurum.services.drought.values import (
    INDEX_DATASET,
    INDEX_MEASURE,
    MAIN_SHARE,
    SOURCE,
    read_index,
    read_shares,
    shares_dataset,
)
from aurum.services.observations import Question, Reading, ReadPlan, make_plan
from aurum.services.walk import Position, Walk, walk_page
from aurum.storage.ports.catalog import SeriesFilter

ZONE = "America/New_York"
"""A map shows Tuesday 8 a.m. Eastern: days are read on that clock."""
_WEEK = timedelta(weeks=1)
_CLOCK_CHANGE = timedelta(hours=1)

INDEX_COLUMNS = ("value",)
SHARE_COLUMNS = (*SHARES, "dsci")

ReadRows = Callable[[Reading, Sequence[Series], Question], Awaitable[pl.DataFrame]]


@dataclass(frozen=True, slots=True)
class WeeklyQuestion:
    """A request for weekly rows.

    ``start``, ``end``, ``as_of``: texts as in ``Question``; dates are local days of the source. ``weeks``: of the changes,
    None: without changes.
    """

    selected: RegionFilter
    start: str | None = None
    end: str | None = None
    as_of: str | None = None
    weeks: int | None = None


@dataclass(frozen=True, slots=True)
class WeeklyPage:
    """Rows of a page and the plan they were read with.

    ``frame``: ``region_type``, ``region``, ``region_name``, ``state``, ``series`` (key of the main measure), ``ts``, ``end``
    (UTC), ``day`` (local date), ``known_at``, then ``columns``, float64, null where missing. Ascends by (``series``, ``ts``).
    """

    frame: pl.DataFrame
    columns: Sequence[str]
    plan: ReadPlan
    following: Position | None


async def index_page(reading: Reading, question: WeeklyQuestion, *, after: Position | None, limit: int) -> WeeklyPage:
    """Return a page of the index, by region and week. Raises ``InvalidParameters``, ``Unavailable``."""
    return await _page(
        reading,
        question,
        SeriesFilter(SOURCE, INDEX_DATASET, measure=INDEX_MEASURE),
        read_index,
        INDEX_COLUMNS,
        weight=1,
        after=after,
        limit=limit,
    )


async def shares_page(
    reading: Reading, question: WeeklyQuestion, statistics: Statistics, *, after: Position | None, limit: int
) -> WeeklyPage:
    """Return a page of shares of area and the index made of them, by region and week.

    Raises ``InvalidParameters``, ``Unavailable``.
    """

    async def read_with_index(reading: Reading, series: Sequence[Series], wanted: Question) -> pl.DataFrame:
        return (await read_shares(reading, series, wanted)).with_columns(dsci=dsci(statistics))

    criterion = SeriesFilter(SOURCE, shares_dataset(statistics), measure=MAIN_SHARE)
    return await _page(
        reading, question, criterion, read_with_index, SHARE_COLUMNS, weight=len(SHARES), after=after, limit=limit
    )


async def _page(
    reading: Reading,
    question: WeeklyQuestion,
    criterion: SeriesFilter,
    read: ReadRows,
    columns: Sequence[str],
    *,
    weight: int,
    after: Position | None,
    limit: int,
) -> WeeklyPage:
    plan = await make_plan(Question(question.start, question.end, question.as_of, tz=ZONE), [], reading.catalog)
    by_location = {one.location: one for one in await selected_regions(reading.catalog, question.selected)}
    span = _with_earlier_weeks(plan.span, question.weeks)
    wanted = Question(start=span.start, end=span.end, as_of=plan.as_of)

    async def read_group(reading: Reading, series: Sequence[Series]) -> pl.DataFrame:
        frame = await read(reading, series, wanted)
        if question.weeks is not None:
            frame = with_changes(frame, columns, question.weeks)
        return frame if plan.span.start is None else frame.filter(pl.col("ts") >= plan.span.start)

    walk = Walk(
        _criteria(criterion, question.selected, list(by_location)),
        lambda _series: span,
        read_group,
        lambda one: one.key.location in by_location,
        weight,
    )
    page = await walk_page(reading.catalog, reading, walk, after=after, limit=limit)
    names = [*columns, *(f"{column}_change" for column in columns if question.weeks is not None)]
    return WeeklyPage(_joined(page.frame, page.series, by_location, names), names, plan, page.following)


def _criteria(criterion: SeriesFilter, selected: RegionFilter, locations: Sequence[str]) -> list[SeriesFilter]:
    if not locations:
        return []
    # One location is an index look-up; of several, the series of the dataset are compared one by one.
    single = len(locations) == 1 and not selected.is_open
    return [replace(criterion, location=locations[0]) if single else criterion]


def _with_earlier_weeks(span: Span, weeks: int | None) -> Span:
    if span.start is None or weeks is None:
        return span
    return Span(_earlier(span.start, weeks * _WEEK + _CLOCK_CHANGE), span.end)


def _earlier(instant: datetime, by: timedelta) -> datetime | None:
    try:
        return instant - by
    except OverflowError:
        return None


def _joined(
    frame: pl.DataFrame, series: Mapping[str, Series], by_location: Mapping[str, Region], columns: Sequence[str]
) -> pl.DataFrame:
    """Return rows with their regions. Both clocks of an interval's ends are those of its days: a week has 167 to 169 hours."""
    if frame.is_empty():
        return pl.DataFrame(schema=_schema(columns))
    described = [(key, by_location[one.key.location], one.spec.zone) for key, one in series.items()]
    regions = pl.DataFrame(
        [(key, str(region.type), region.id, region.name, region.state, zone) for key, region, zone in described],
        schema=["key", "region_type", "region", "region_name", "state", "zone"],
        orient="row",
    )
    rows = frame.join(regions, on="key", how="left", maintain_order="left").with_columns(end=_end_of_week(described))
    return rows.rename({"key": "series"}).select(*_schema(columns))


def _end_of_week(described: Sequence[tuple[str, Region, str]]) -> pl.Expr:
    end = pl.lit(None, pl.Datetime("us", "UTC"))
    for zone in sorted({zone for _, _, zone in described}):
        local = pl.col("ts").dt.convert_time_zone(zone).dt.offset_by("1w").dt.convert_time_zone("UTC")
        end = pl.when(pl.col("zone") == zone).then(local).otherwise(end)
    return end


def _schema(columns: Sequence[str]) -> dict[str, pl.DataType]:
    texts = {name: pl.String() for name in ("region_type", "region", "region_name", "state", "series")}
    instant = pl.Datetime("us", "UTC")
    times = {"ts": instant, "end": instant, "day": pl.Date(), "known_at": instant}
    return {**texts, **times, **{name: pl.Float64() for name in columns}}
