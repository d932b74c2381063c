"""Coarse steps from sums by the hour, where the store has them and they give what the rows give."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

import polars as pl

from aurum.core.series.model import Series
from aurum.core.series.partials import BUCKET, CannotCompose, compose, composes, keeps_whole_hours
from aurum.services.observations.batches import MANY_WITH_END, most_rows
from aurum.services.observations.plan import ReadPlan
from aurum.services.observations.transform import alike, with_end
from aurum.storage.ports.capabilities import Capability
from aurum.storage.ports.observations import PartialsReader

_MOST_HOURS = 2_000_000  # held in memory at once; beyond it the rows are streamed


async def from_hours(reader: PartialsReader | None, series: Sequence[Series], plan: ReadPlan) -> pl.DataFrame | None:
    """The answer to a plan in schema ``MANY_WITH_END``, or None when only the rows can give it.

    Hours give what adds up (mean, sum, min, max, count; of some market block, too) by the hour and coarser, of data finer
    than an hour, as it is known now and in its own unit. See ``core.series.compose`` for how exactly.
    """
    if reader is None or Capability.PARTIALS not in reader.capabilities or not _suffice_for(series, plan):
        return None
    frame = await reader.partials([one.series_id for one in series], span=plan.read_span)
    try:
        parts = [_composed(frame, group, plan) for group in alike(series)]
    except CannotCompose:
        return None
    answer = pl.concat(parts).sort("series_id", "ts")
    # Where the reader of rows has a bucket cut off by the span, this one has none either.
    if plan.span.start is not None:
        answer = answer.filter(pl.col("ts") >= plan.span.start)
    if plan.span.end is not None:
        answer = answer.filter(pl.col("ts") < plan.span.end)
    return answer


async def at_once(frame: pl.DataFrame) -> AsyncGenerator[pl.DataFrame]:
    """Give a frame as the only batch."""
    yield frame


def _suffice_for(series: Sequence[Series], plan: ReadPlan) -> bool:
    if plan.freq is None or plan.as_of is not None or plan.unit is not None or plan.currency is not None:
        return False
    if not all(composes(one.spec.frequency, plan.freq, plan.agg) and _on_whole_hours(one, plan) for one in series):
        return False
    return sum(most_rows(one, plan) * ((one.spec.frequency.step or BUCKET) / BUCKET) for one in series) <= _MOST_HOURS


def _on_whole_hours(series: Series, plan: ReadPlan) -> bool:
    """Whether clocks were at whole hours from UTC when the data end, and half a year before: all but few answers lie there."""
    zones = {plan.zone_of(series)}
    if plan.blocks is not None:
        zones.add(plan.blocks[series.spec.market].zone)
    last = series.last_ts
    return last is None or all(keeps_whole_hours(zone, last, last - timedelta(days=182)) for zone in zones)


def _composed(frame: pl.DataFrame, group: Sequence[Series], plan: ReadPlan) -> pl.DataFrame:
    one = group[0]
    assert plan.freq is not None
    made = compose(
        frame.filter(pl.col("series_id").is_in([each.series_id for each in group])),
        series_frequency=one.spec.frequency,
        freq=plan.freq,
        agg=plan.agg,
        zone=plan.zone_of(one),
        block=plan.blocks[one.spec.market] if plan.blocks is not None else None,
    )
    return with_end(made, one, plan).select(list(MANY_WITH_END))
