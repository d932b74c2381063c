"""Observations from the store, transformed by a plan batch by batch, in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta

import polars as pl

from aurum.core.catalog import Quality
from aurum.core.frames import MANY_OBSERVATIONS
from aurum.core.series.coverage import COVERAGE
from aurum.core.series.model import Series
from aurum.core.series.resample import resample
from aurum.services.observations.plan import ReadPlan
from aurum.services.observations.rows import Rows
from aurum.services.observations.transform import RatesByPair, completed, transformed

MANY_WITH_END = pl.Schema({**MANY_OBSERVATIONS, "end": MANY_OBSERVATIONS["ts"]})

_MANY_WITH_COVERAGE = pl.Schema({**MANY_WITH_END, **COVERAGE})

_SHORTEST_DAY = timedelta(hours=23)


def columns_of_many(plan: ReadPlan) -> pl.Schema:
    """Return the schema of frames of several series: ``MANY_WITH_END``, and ``COVERAGE`` where the plan aggregates."""
    return MANY_WITH_END if plan.freq is None else _MANY_WITH_COVERAGE


async def batches(
    rows: Rows, groups: Sequence[Sequence[Series]], plan: ReadPlan, rates: RatesByPair
) -> AsyncGenerator[pl.DataFrame]:
    """Yield frames of schema ``columns_of_many``, ascending by (``series_id``, ``ts``) within and across them; some are empty.

    ``groups``: all series, as ``group_for`` groups them. All rows are of one snapshot of the store, unless the plan reads
    several issues. When resampling, a bucket that spans two batches of the store is yielded with the second one, when it is
    complete.
    """
    by_id = {one.series_id: one for group in groups for one in group}
    unfinished = pl.DataFrame(schema=MANY_OBSERVATIONS)
    stored = rows.stream(list(by_id), span=plan.read_span, as_of=plan.as_of)
    async with aclosing(stored):  # pyright: ignore[reportArgumentType] - adapters return generators
        async for batch in stored:
            if plan.freq is not None:
                batch, unfinished = _whole_buckets(pl.concat([unfinished, batch]), by_id, plan)
            yield transform_batch(batch, groups, plan, rates)
    if not unfinished.is_empty():
        yield transform_batch(unfinished, groups, plan, rates)


def transform_batch(
    batch: pl.DataFrame, groups: Sequence[Sequence[Series]], plan: ReadPlan, rates: RatesByPair
) -> pl.DataFrame:
    """Return a frame of the store (``MANY_OBSERVATIONS``) as the plan transforms it (``columns_of_many``)."""
    if not groups:
        return pl.DataFrame(schema=columns_of_many(plan))
    if len(groups) == 1:
        return _transformed_group(batch, groups[0], plan, rates)
    parts = [
        _transformed_group(batch.filter(pl.col("series_id").is_in([one.series_id for one in group])), group, plan, rates)
        for group in groups
    ]
    return pl.concat(parts).sort("series_id", "ts")


def most_rows(series: Series, plan: ReadPlan) -> float:
    """Return an upper bound of the stored rows of a regular series in the span of a plan; infinity for an irregular one.

    Uses the catalog alone, so that a caller can tell a slice from a whole history before it reads either.
    """
    step = series.spec.frequency.step or (_SHORTEST_DAY if series.spec.frequency.is_calendar else None)
    if series.first_ts is None or series.last_ts is None:
        return 0
    if step is None:
        return float("inf")
    span = plan.read_span
    first = max(series.first_ts, span.start) if span.start else series.first_ts
    last = min(series.last_ts, span.end) if span.end else series.last_ts
    return max((last - first) / step + 1, 0)


def _transformed_group(batch: pl.DataFrame, group: Sequence[Series], plan: ReadPlan, rates: RatesByPair) -> pl.DataFrame:
    changed = transformed(batch, group[0], plan, rates) if plan.transforms else batch
    return completed(changed, group[0], plan).select(list(columns_of_many(plan)))


def _whole_buckets(frame: pl.DataFrame, by_id: Mapping[int, Series], plan: ReadPlan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split a frame into the rows of complete buckets and those of the last bucket, which the next batch may continue."""
    if frame.is_empty():
        return frame, frame
    last = frame.tail(1).with_columns(value=pl.lit(0.0), quality=pl.lit(Quality.GOOD, pl.Int16))
    series = by_id[int(last["series_id"][0])]
    assert plan.freq is not None
    bucket = resample(
        last.drop("series_id"),
        series_frequency=series.spec.frequency,
        freq=plan.freq,
        agg=plan.agg,
        zone=plan.zone_of(series),
    )["ts"][0]
    is_in_last = (frame["series_id"] == series.series_id) & (frame["ts"] >= bucket)
    return frame.filter(~is_in_last), frame.filter(is_in_last)
