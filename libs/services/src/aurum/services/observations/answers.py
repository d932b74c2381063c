"""Answers to questions in one call: resolve, check the size, read, transform. Most callers need only this."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import polars as pl

from aurum.core.asof import ALL_TIME, Span
from aurum.core.errors import InvalidParameters
from aurum.core.series.model import Series
from aurum.services.observations.complexity import check_points
from aurum.services.observations.plan import ReadPlan, make_plan
from aurum.services.observations.planned import planned_batches, planned_frame, planned_frame_of_many, planned_revisions
from aurum.services.observations.question import Question
from aurum.services.observations.rates import RateSeries, needed_rates
from aurum.services.observations.reading import Reading

_NOT_OF_REVISIONS = (
    "as_of",
    "freq",
    "agg",
    "block",
    "unit",
    "currency",
    "min_coverage",
    "issue",
    "days_ahead",
    "before",
    "hours_ahead",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Observations of some series in one frame.

    ``plan``: the resolved question, with the instants of the span and the time zone to write times in.
    """

    series: Sequence[Series]
    plan: ReadPlan
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """Observations of some series in batches. Close ``batches`` (``contextlib.aclosing``) if you stop before the last one."""

    series: Sequence[Series]
    plan: ReadPlan
    batches: AsyncGenerator[pl.DataFrame]


async def read_one(reading: Reading, series: Series, question: Question) -> Answer:
    """Read one series. The frame has schema ``WITH_END``, and ``COVERAGE`` with ``freq``, ascending by ``ts``.

    Raises ``InvalidParameters``, ``TooManyPoints``, and ``Unavailable`` when the store does not answer.
    """
    plan, rates = await _resolved(reading, [series], question)
    return Answer([series], plan, await planned_frame(reading, series, plan, rates))


async def read_many(reading: Reading, series: Sequence[Series], question: Question) -> Answer:
    """Read several series. The frame has the schema ``columns_of_many`` of its plan, ascending by (``series_id``, ``ts``).

    Raises like ``read_one``.
    """
    plan, rates = await _resolved(reading, series, question)
    return Answer(series, plan, await planned_frame_of_many(reading, series, plan, rates))


async def stream_many(reading: Reading, series: Sequence[Series], question: Question) -> StreamedAnswer:
    """Read several series in batches of bounded size from one snapshot; concatenated they equal the frame of ``read_many``.

    Raises like ``read_one``, before the first batch. A missing exchange rate is raised at the batch that needs it.
    """
    plan, rates = await _resolved(reading, series, question)
    return StreamedAnswer(series, plan, await planned_batches(reading, series, plan, rates))


async def revisions(reading: Reading, series: Series, question: Question, *, known: Span = ALL_TIME) -> Answer:
    """Read every version of every point of a series, schema ``WITH_END``, ascending by (``ts``, ``known_at``).

    Only ``start``, ``end``, ``as_loaded`` and ``tz`` of the question may be set. ``known``: only versions whose known time lies
    in this half-open span. Raises like ``read_one``.
    """
    for name in _NOT_OF_REVISIONS:
        if (value := getattr(question, name)) is not None:
            raise InvalidParameters((name, "does not apply to revisions: use start, end, as_loaded and tz", str(value)))
    plan, _ = await _resolved(reading, [series], question)
    return Answer([series], plan, await planned_revisions(reading, series, plan, known=known))


async def _resolved(reading: Reading, series: Sequence[Series], question: Question) -> tuple[ReadPlan, Sequence[RateSeries]]:
    plan = await make_plan(question, series, reading.catalog)
    check_points(series, plan.read_span, plan.freq, most=reading.most_points)
    return plan, await needed_rates(reading.catalog, series, plan)
