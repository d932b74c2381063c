"""Answers in coarse steps from stored hourly sums, where the store has them and they give the same values as the rows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

import polars as pl

from aurum.core.series.model import Series
from aurum.core.series.partials import BUCKET, CannotCompose, compose, composes, keeps_whole_hours
from aurum.services.observations.batches import columns_of_many, most_rows
from aurum.services.observations.plan import ReadPlan
from aurum.services.observations.transform import completed, group_for
from aurum.storage.ports.observations import PartialsReader

_MOST_HOURS = 2_000_000
"""Most hourly sums in memory at once; above it the rows are streamed."""


async def from_hours(reader: PartialsReader | None, series: Sequence[Series], plan: ReadPlan) -> pl.DataFrame | None:
    """Return the answer to a plan in schema ``columns_of_many``, or None when it needs the rows.

    Hourly sums answer mean, sum, min, max and count, also within a market block, in steps of an hour or longer, for data
    finer than an hour, as currently known and in the unit of the series. ``core.series.partials.compose`` states how exactly.
    """
    if reader is None or not reader.has_sums or not _hours_suffice(series, plan):
        return None
    frame = await reader.partials([one.series_id for one in series], span=plan.read_span)
    try:
        parts = [_composed(frame, group, plan) for group in group_for(series, plan)]
    except CannotCompose:
        return None
    answer = pl.concat(parts).sort("series_id", "ts")
    # The answer from rows leaves out a bucket that starts outside the span; so does this one.
    if plan.span.start is not None:
        answer = answer.filter(pl.col("ts") >= plan.span.start)
    if plan.span.end is not None:
        answer = answer.filter(pl.col("ts") < plan.span.end)
    return answer


async def single_batch(frame: pl.DataFrame) -> AsyncGenerator[pl.DataFrame]:
    """Yield a frame as the only batch."""
    yield frame


def _hours_suffice(series: Sequence[Series], plan: ReadPlan) -> bool:
    is_past = plan.as_of is not None or plan.as_loaded is not None or plan.of_forecast
    if plan.freq is None or is_past or plan.unit is not None or plan.currency is not None:
        return False
    if not all(composes(one.spec.frequency, plan.freq, plan.agg) and _has_whole_hour_offsets(one, plan) for one in series):
        return False
    return sum(most_rows(one, plan) * ((one.spec.frequency.step or BUCKET) / BUCKET) for one in series) <= _MOST_HOURS


def _has_whole_hour_offsets(series: Series, plan: ReadPlan) -> bool:
    """Whether the zones were whole hours from UTC at the end of the data and half a year before, where most answers lie."""
    zones = {plan.zone_of(series)}
    if (block := plan.block_of(series)) is not None:
        zones.add(block.zone)
    last = series.last_ts
    return last is None or all(keeps_whole_hours(zone, last, last - timedelta(days=182)) for zone in zones)


def _composed(frame: pl.DataFrame, group: Sequence[Series], plan: ReadPlan) -> pl.DataFrame:
    first = group[0]
    assert plan.freq is not None
    composed = compose(
        frame.filter(pl.col("series_id").is_in([one.series_id for one in group])),
        series_frequency=first.spec.frequency,
        freq=plan.freq,
        agg=plan.agg,
        zone=plan.zone_of(first),
        block=plan.block_of(first),
    )
    return completed(composed, first, plan).select(list(columns_of_many(plan)))
