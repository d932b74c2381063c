"""Reads of a plan that is already resolved, for callers that must inspect the plan before they read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import polars as pl

from aurum.core.frames import MANY_OBSERVATIONS, OBSERVATIONS
from aurum.core.series.coverage import COVERAGE
from aurum.core.series.model import Series
from aurum.core.series.points import Points
from aurum.services.observations.batches import batches, transform_batch
from aurum.services.observations.hours import from_hours, single_batch
from aurum.services.observations.plan import ReadPlan
from aurum.services.observations.rates import RateSeries, read_rates
from aurum.services.observations.reading import Reading
from aurum.services.observations.transform import completed, group_for, transformed, with_end

WITH_END = pl.Schema({**OBSERVATIONS, "end": OBSERVATIONS["ts"]})
"""Observations of one series, each with the end of its interval; null where the series has no step."""

_WITH_COVERAGE = pl.Schema({**WITH_END, **COVERAGE})


async def planned_points(reading: Reading, series: Series, plan: ReadPlan) -> Points | None:
    """Return the answer as arrays if the plan transforms nothing and all intervals have the same length; else None.

    Building a frame would be half the cost of a page-sized slice.
    """
    if plan.transforms or series.spec.frequency.step is None:
        return None
    return await reading.reader.points(series.series_id, span=plan.span, as_of=plan.as_of)


async def planned_frame(reading: Reading, series: Series, plan: ReadPlan, needed: Sequence[RateSeries]) -> pl.DataFrame:
    """Read the answer for one series, ascending by ``ts``: schema ``WITH_END``, and ``COVERAGE`` where the plan aggregates."""
    if (hours := await from_hours(reading.partials, [series], plan)) is not None:
        return hours.select(list(_WITH_COVERAGE))
    rates = await read_rates(reading.reader, needed, plan)
    frame = await reading.reader.observations(series.series_id, span=plan.read_span, as_of=plan.as_of)
    if plan.transforms:
        frame = transformed(frame, series, plan, rates)
    return completed(frame, series, plan)


async def planned_frame_of_many(
    reading: Reading, series: Sequence[Series], plan: ReadPlan, needed: Sequence[RateSeries]
) -> pl.DataFrame:
    """Read the answer for several series in one frame, schema ``columns_of_many``, ascending by (``series_id``, ``ts``)."""
    if (hours := await from_hours(reading.partials, series, plan)) is not None:
        return hours
    rates = await read_rates(reading.reader, needed, plan)
    frame = await reading.reader.many([one.series_id for one in series], span=plan.read_span, as_of=plan.as_of)
    return transform_batch(frame, group_for(series, plan), plan, rates)


async def planned_batches(
    reading: Reading, series: Sequence[Series], plan: ReadPlan, needed: Sequence[RateSeries]
) -> AsyncGenerator[pl.DataFrame]:
    """Read the answer of ``planned_frame_of_many`` batch by batch.

    The plan is applied to an empty frame first, so that a plan that does not fit the series raises here, not at a batch.
    """
    rates = await read_rates(reading.reader, needed, plan)
    transform_batch(pl.DataFrame(schema=MANY_OBSERVATIONS), group_for(series, plan), plan, rates)
    if (hours := await from_hours(reading.partials, series, plan)) is not None:
        return single_batch(hours)
    return batches(reading.reader, series, plan, rates)


async def planned_revisions(reading: Reading, series: Series, plan: ReadPlan) -> pl.DataFrame:
    """Read every version of every point in the span, schema ``WITH_END``, ascending by (``ts``, ``known_at``)."""
    return with_end(await reading.reader.revisions(series.series_id, span=plan.span), series, plan)
