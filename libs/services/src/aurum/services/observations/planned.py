"""Reads of a plan that is already resolved, for callers that must inspect the plan before they read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.asof import ALL_TIME, Span
from aurum.core.errors import InvalidParameters
from aurum.core.frames import MANY_OBSERVATIONS, OBSERVATIONS
from aurum.core.series.coverage import COVERAGE
from aurum.core.series.model import Series
from aurum.core.series.points import Points
from aurum.core.series.vintages import side_by_side, vintages_of, within
from aurum.services.observations.batches import batches, transform_batch
from aurum.services.observations.hours import from_hours, single_batch
from aurum.services.observations.plan import ReadPlan
from aurum.services.observations.rates import RateSeries, read_rates
from aurum.services.observations.reading import Reading, reader_for
from aurum.services.observations.rows import rows_of
from aurum.services.observations.transform import completed, group_for, transformed, with_end

WITH_END = pl.Schema({**OBSERVATIONS, "end": OBSERVATIONS["ts"]})
"""Observations of one series, each with the end of its interval; null where the series has no step."""

MOST_VINTAGES = 500
"""Most columns of vintages: more than the monthly vintages of forty years."""

_WITH_COVERAGE = pl.Schema({**WITH_END, **COVERAGE})


@dataclass(frozen=True, slots=True)
class Vintages:
    """Vintages of one series. ``known_at``: their known times, ascending.

    ``frame``: ``ts``, ``end`` and a Float64 column for each vintage, in their order, ascending by ``ts``; null where no version
    was known, NaN where the value was withdrawn.
    """

    frame: pl.DataFrame
    known_at: Sequence[datetime]


async def planned_points(reading: Reading, series: Series, plan: ReadPlan) -> Points | None:
    """Return the answer as arrays if the plan transforms nothing and all intervals have the same length; else None.

    Building a frame would be half the cost of a page-sized slice.
    """
    if plan.transforms or plan.of_forecast or series.spec.frequency.step is None:
        return None
    reader = await reader_for(reading, plan)
    return await reader.points(series.series_id, span=plan.span, as_of=plan.as_of)


async def planned_frame(reading: Reading, series: Series, plan: ReadPlan, needed: Sequence[RateSeries]) -> pl.DataFrame:
    """Read the answer for one series, ascending by ``ts``: schema ``WITH_END``, and ``COVERAGE`` where the plan aggregates."""
    if (hours := await from_hours(reading.partials, [series], plan)) is not None:
        return hours.select(list(_WITH_COVERAGE))
    reader = await reader_for(reading, plan)
    rates = await read_rates(reader, needed, plan)
    rows = rows_of(reader, [series], plan)
    frame = await rows.observations(series.series_id, span=plan.read_span, as_of=plan.as_of)
    if plan.transforms:
        frame = transformed(frame, series, plan, rates)
    return completed(frame, series, plan)


async def planned_frame_of_many(
    reading: Reading, series: Sequence[Series], plan: ReadPlan, needed: Sequence[RateSeries]
) -> pl.DataFrame:
    """Read the answer for several series in one frame, schema ``columns_of_many``, ascending by (``series_id``, ``ts``)."""
    if (hours := await from_hours(reading.partials, series, plan)) is not None:
        return hours
    reader = await reader_for(reading, plan)
    rates = await read_rates(reader, needed, plan)
    rows = rows_of(reader, series, plan)
    frame = await rows.many([one.series_id for one in series], span=plan.read_span, as_of=plan.as_of)
    return transform_batch(frame, group_for(series, plan), plan, rates)


async def planned_batches(
    reading: Reading, series: Sequence[Series], plan: ReadPlan, needed: Sequence[RateSeries]
) -> AsyncGenerator[pl.DataFrame]:
    """Read the answer of ``planned_frame_of_many`` batch by batch.

    The plan is applied to an empty frame first, so that a plan that does not fit the series raises here, not at a batch.
    """
    reader = await reader_for(reading, plan)
    rates = await read_rates(reader, needed, plan)
    groups = group_for(series, plan)
    transform_batch(pl.DataFrame(schema=MANY_OBSERVATIONS), groups, plan, rates)
    if (hours := await from_hours(reading.partials, series, plan)) is not None:
        return single_batch(hours)
    return batches(rows_of(reader, series, plan), groups, plan, rates)


async def planned_revisions(reading: Reading, series: Series, plan: ReadPlan, *, known: Span = ALL_TIME) -> pl.DataFrame:
    """Read every version of every point in the span, schema ``WITH_END``, ascending by (``ts``, ``known_at``).

    ``known``: only versions whose known time lies in this half-open span.
    """
    reader = await reader_for(reading, plan)
    revisions = within(await reader.revisions(series.series_id, span=plan.span), known)
    return with_end(revisions, series, plan)


async def read_vintages(reading: Reading, series: Series, plan: ReadPlan, *, known: Span = ALL_TIME) -> Vintages:
    """Read the vintages of a series whose known times lie in a half-open span. Raises ``InvalidParameters`` for too many."""
    reader = await reader_for(reading, plan)
    revisions = await reader.revisions(series.series_id, span=plan.span)
    times = vintages_of(revisions, known)
    if len(times) > MOST_VINTAGES:
        why = f"would have {len(times):,} columns, one for each known time, and may have {MOST_VINTAGES}"
        raise InvalidParameters(("layout", f"{why}: narrow the span, or known_from and known_to", "vintages"))
    frame = side_by_side(revisions, times) if times else revisions.select("ts").clear()
    columns = [name for name in frame.columns if name != "ts"]
    return Vintages(with_end(frame, series, plan).select("ts", "end", *columns), times)
