"""Reads both days of all series at once and ranks them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.asof import Span
from aurum.core.calendars import Block
from aurum.core.errors import InvalidParameters, NotFound
from aurum.core.frequency import Frequency
from aurum.core.markettime import Market, day_bounds
from aurum.core.series.model import Series
from aurum.core.series.movers import EXPECTED, compare, expected_intervals, hours_of_day, incomplete, rank
from aurum.services.movers.answer import Count, Incomplete, Mover, Movers
from aurum.services.movers.question import MoversQuestion, day_against
from aurum.services.movers.selection import block_of, market_of, series_of_one_unit
from aurum.services.observations.complexity import check_points
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.observations import PartialsReader
from aurum.storage.ports.quality import QualityLog


class NoDataOnDay(NotFound):
    """No series has a value on a day. Facts: ``parameter``, ``day``, ``nearest`` (days with data, the nearest first)."""

    def __init__(self, parameter: str, day: date, of: str, nearest: Sequence[date]) -> None:
        hint = f"; the nearest day with data is {nearest[0]}" if nearest else "; no other day has values"
        super().__init__(
            f"{parameter}: no values of {of} on {day}{hint}",
            parameter=parameter,
            day=day.isoformat(),
            nearest=[one.isoformat() for one in nearest],
        )


@dataclass(frozen=True, slots=True)
class WideReading:
    """The ports that movers are read through, and their limit.

    ``sums``: reads the hourly sums of all series. ``most_points``: most observations that one day of a question may span.
    """

    catalog: Catalog
    quality: QualityLog
    sums: PartialsReader
    most_points: int = sys.maxsize


@dataclass(frozen=True, slots=True)
class _Day:
    """One of the two days. ``parameter``: names the day. ``hours``: starts of its hours, or of those in the block, in UTC."""

    parameter: str
    day: date
    span: Span
    hours: pl.Series


async def movers(reading: WideReading, question: MoversQuestion) -> Movers:
    """Rank the series of a measure and market by how much their means changed between two market days.

    The values known now are read; withdrawn values and NaN count as missing. Raises ``InvalidParameters``, ``NoDataOnDay``,
    ``TooManyPoints``, and ``Unavailable`` when the store does not answer.
    """
    market = market_of(question)
    before, after = ("against", day_against(question)), ("day", question.day)
    block = await block_of(reading.catalog, question, market)
    days = [_day(parameter, day, market, block, question) for parameter, day in (before, after)]
    series = await series_of_one_unit(reading.catalog, question, market)
    for one in days:
        check_points(series, one.span, None, most=reading.most_points)
    ids = [one.series_id for one in series]
    sums = [await reading.sums.partials(ids, span=one.span) for one in days]
    for one, hours in reversed(list(zip(days, sums, strict=True))):
        if hours.filter(pl.col("count") > 0).is_empty():
            nearest = await _nearest_days(reading.quality, series, one.day)
            raise NoDataOnDay(one.parameter, one.day, f"{question.measure} in {market.code}", nearest)
    compared = compare(_expected(series, days, block), *(_within(hours, one) for one, hours in zip(days, sums, strict=True)))
    return _answer(question, market, block, days, series, compared)


def _day(parameter: str, day: date, market: Market, block: Block | None, question: MoversQuestion) -> _Day:
    hours = hours_of_day(day, market.zone, block)
    if hours.is_empty():
        assert block is not None
        why = f"{block.calendar}:{block.name} has no hours on {day}: choose another value of {parameter}"
        raise InvalidParameters(("block", why, question.block))
    return _Day(parameter, day, Span(*day_bounds(day, market.zone)), hours)


def _expected(series: Sequence[Series], days: Sequence[_Day], block: Block | None) -> pl.DataFrame:
    by_step: Mapping[Frequency, list[int | None]] = {
        frequency: [expected_intervals(frequency, len(one.hours), block) for one in days] for frequency in Frequency
    }
    rows = [(one.series_id, str(one.key), *by_step[one.spec.frequency]) for one in series]
    return pl.DataFrame(rows, schema=EXPECTED, orient="row")


def _within(hours: pl.DataFrame, day: _Day) -> pl.DataFrame:
    return hours.filter(pl.col("ts").is_in(day.hours.implode()))


async def _nearest_days(quality: QualityLog, series: Sequence[Series], day: date) -> Sequence[date]:
    """Return the nearest days with data before and after a day, the nearer first.

    Completeness is counted only for series with a fixed step. For all others only the first and the last day are known.
    """
    counted = [one.series_id for one in series if one.spec.frequency.step is not None]
    around = set(await quality.days_around(counted, day)) | {
        ts.astimezone(ZoneInfo(one.spec.zone)).date()
        for one in series
        if one.spec.frequency.step is None
        for ts in (one.first_ts, one.last_ts)
        if ts is not None
    }
    known = sorted(one for one in around if one is not None and one != day)
    ends = [max((one for one in known if one < day), default=None), min((one for one in known if one > day), default=None)]
    return sorted((one for one in ends if one is not None), key=lambda one: abs(one - day))


def _answer(
    question: MoversQuestion,
    market: Market,
    block: Block | None,
    days: Sequence[_Day],
    series: Sequence[Series],
    compared: pl.DataFrame,
) -> Movers:
    by_id = {one.series_id: one for one in series}
    apart = incomplete(compared)
    ranked = rank(compared, most=question.limit)
    before, after = days
    return Movers(
        market=market,
        measure=question.measure,
        unit=series[0].spec.unit,
        currency=series[0].spec.currency,
        block=block,
        day=after.day,
        against=before.day,
        limit=question.limit,
        movers=[
            Mover(by_id[series_id], old, new, change, relative)
            for series_id, old, new, change, relative in ranked.drop("key").iter_rows()  # rows: limit
        ],
        incomplete=[
            Incomplete(by_id[series_id], Count(old, had), Count(new, has))
            for series_id, old, had, new, has in apart.head(question.limit)
            .select("series_id", "expected_before", "present_before", "expected_after", "present_after")
            .iter_rows()  # rows: limit
        ],
        ranked=compared.height - apart.height,
        incomplete_series=apart.height,
    )
