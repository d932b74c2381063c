"""Discount factors of a curve of interest rates, at dates of the caller's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from aurum.core.curves.discount import BeyondRates, DiscountCurve, InvalidRates, discount_curve
from aurum.core.curves.period_labels import add_months
from aurum.core.errors import InvalidParameters
from aurum.core.units import IncompatibleUnits, conversion_factor, parse_unit
from aurum.services.curves.known import LATEST, Known, check_trade_dates, quotes_of, trade_date_of
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

COMMODITY = "rate"
MOST_DATES = 4_000
"""Dates of one answer."""


class DateStep(StrEnum):
    """Step of a range of dates. Months are counted from the first date, and a day that a month lacks is its last."""

    DAY = "P1D"
    WEEK = "P1W"
    MONTH = "P1M"
    QUARTER = "P3M"
    YEAR = "P1Y"


class Beyond(StrEnum):
    """After the last maturity: ``NONE``: the date is refused. ``FLAT``: the last zero rate holds."""

    NONE = "none"
    FLAT = "flat"


_MONTHS = {DateStep.MONTH: 1, DateStep.QUARTER: 3, DateStep.YEAR: 12}
_DAYS = {DateStep.DAY: 1, DateStep.WEEK: 7}


@dataclass(frozen=True, slots=True)
class DiscountQuestion:
    """A question about discount factors.

    ``dates``: at which they are wanted; or ``first`` and ``last``, both included, with ``step``; none of them: the maturities
    of the quotes.
    """

    now: datetime
    trade_date: date | str = LATEST
    dates: Sequence[date] = ()
    first: date | None = None
    last: date | None = None
    step: DateStep = DateStep.MONTH
    beyond: Beyond = Beyond.NONE
    as_of: str | datetime | None = None
    as_loaded: str | datetime | None = None


@dataclass(frozen=True, slots=True)
class DiscountPlan:
    """A resolved question. ``trade_date``: None: the curve has no quotes. ``scale``: of the unit of its rates."""

    product: StoredProduct
    trade_date: date | None
    known: Known
    scale: float
    dates: Sequence[date]
    beyond: Beyond

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that the answer depends on beside the question, for entity tags."""
        return *self.product.tag, self.known, self.trade_date


@dataclass(frozen=True, slots=True)
class DiscountRow:
    """A date with its discount factor. ``zero_rate``: in the unit of the curve."""

    day: date
    days: int
    factor: float
    zero_rate: float
    is_extrapolated: bool


async def plan_discount(reading: CurveReading, product: StoredProduct, question: DiscountQuestion) -> DiscountPlan:
    """Resolve a question about discount factors, before any quote is read.

    Raises ``InvalidParameters``: of ``key`` for a curve that does not quote rates, of dates that contradict each other.
    """
    key = product.product.key
    if key.commodity != COMMODITY:
        why = f"is a curve of {key.commodity}; discount factors need one of commodity {COMMODITY}, such as rate:EUR:base:DESK"
        raise InvalidParameters(("key", why, str(key)))
    known = Known.parse(question.as_of, question.as_loaded, now=question.now)
    trade_date = await trade_date_of(reading, [product], question.trade_date, known)
    return DiscountPlan(product, trade_date, known, _scale(product), _dates(question), question.beyond)


async def read_discount(reading: CurveReading, plan: DiscountPlan) -> Sequence[DiscountRow]:
    """Return the discount factors of a plan, in the order of its dates; none of a curve without quotes.

    Raises ``InvalidParameters``, also for a trade date without quotes.
    """
    if plan.trade_date is None:
        return []
    frame = await quotes_of(reading, [plan.product], QuoteSpan(plan.trade_date, plan.trade_date), plan.known)
    quoted = frame["trade_date"].unique().to_list()
    await check_trade_dates(reading, [plan.product], {"trade_date": plan.trade_date}, quoted, plan.known)
    try:
        curve = discount_curve(frame, plan.trade_date, scale=plan.scale)
    except InvalidRates as error:
        raise InvalidParameters(("trade_date", error.detail, plan.trade_date.isoformat()), **dict(error.facts)) from error
    return _rows(plan, curve, plan.dates or _maturities(curve))


def _rows(plan: DiscountPlan, curve: DiscountCurve, dates: Sequence[date]) -> Sequence[DiscountRow]:
    extrapolate = plan.beyond is Beyond.FLAT
    try:
        factors, rates = curve.factors(dates, extrapolate=extrapolate), curve.zero_rates(dates, extrapolate=extrapolate)
    except BeyondRates as error:
        why = f"{error.detail}; extrapolate=flat asks for it" if "after" in error.detail else error.detail
        raise InvalidParameters(("dates", why, error.facts["date"]), **dict(error.facts)) from error
    return [
        DiscountRow(day, (day - curve.trade_date).days, float(factor), float(rate) / plan.scale, day > curve.last)
        for day, factor, rate in zip(dates, factors, rates, strict=True)
    ]


def _maturities(curve: DiscountCurve) -> Sequence[date]:
    return [curve.trade_date + timedelta(days=int(number)) for number in curve.days]


def _scale(product: StoredProduct) -> float:
    unit = parse_unit(product.product.unit)
    try:
        return conversion_factor(unit, parse_unit("ratio"))
    except IncompatibleUnits as error:
        why = f"quotes rates in {unit}; a curve of rates has the unit 1 (ratio) or %"
        raise InvalidParameters(("key", why, str(product.product.key))) from error


def _dates(question: DiscountQuestion) -> Sequence[date]:
    first, last = question.first, question.last
    if question.dates and (first is not None or last is not None):
        raise InvalidParameters(("dates", "does not go with from and to: send one or the others", str(question.dates[0])))
    if question.dates:
        _check_count(len(question.dates), "dates")
        return question.dates
    if first is None and last is None:
        return ()
    if first is None or last is None:
        raise InvalidParameters(("from" if first is None else "to", "is missing: a range has both", None))
    if first > last:
        raise InvalidParameters(("from", f"is after to {last}", str(first)))
    dates = [first]
    while (following := _following(first, len(dates), question.step)) <= last:
        dates.append(following)
        _check_count(len(dates), "to")
    return dates


def _following(first: date, number: int, step: DateStep) -> date:
    if step in _DAYS:
        return first + timedelta(days=number * _DAYS[step])
    month = add_months(first.replace(day=1), number * _MONTHS[step])
    end = add_months(month, 1) - timedelta(days=1)
    return month.replace(day=min(first.day, end.day))


def _check_count(count: int, parameter: str) -> None:
    if count > MOST_DATES:
        why = f"names more than {MOST_DATES:,} dates: request fewer, or a longer freq"
        raise InvalidParameters((parameter, why, None))
