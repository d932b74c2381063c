"""Continuous series of a curve: the price of a tenor through trade dates, its rolls, its gaps and what it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from aurum.core.curves.continuous import (
    Adjust,
    ContinuousSeries,
    Missing,
    NotPositive,
    can_be_tiled,
    continuous,
    with_finer,
)
from aurum.core.curves.quotes import PRICE, price_columns
from aurum.core.curves.rolls import Days, Fronts, InvalidRoll, RollRule, RollTerms, fronts
from aurum.core.curves.sessions import SessionsUnknown
from aurum.core.curves.tenors import Tenor
from aurum.core.errors import InvalidParameters
from aurum.services.curves.completeness import compare_sessions
from aurum.services.curves.known import Known, quotes_of, trade_dates_of
from aurum.services.curves.periods import DeliveryPeriod, delivery_period, with_periods
from aurum.services.curves.prices import PriceConversions, conversions_of, converted
from aurum.services.curves.quotes import check_price_field
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_of_product
from aurum.services.curves.roll_terms import requested_roll, requested_tenor, roll_refused, roll_terms_of
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

_SHOWN = 20
_MOST_QUOTES = 2_000_000
"""Quotes of the trade dates without a quote of the front that are looked through."""


@dataclass(frozen=True, slots=True)
class ContinuousQuestion:
    """A question about a continuous series.

    ``front``: a tenor such as ``M+1``. ``roll``: ``calendar``, ``last_trading_day`` or ``days_before:n``. ``first``, ``last``:
    trade dates, both included; None: all. ``field``: the price, one of ``core.curves.quotes.PRICE_FIELDS``.
    """

    now: datetime
    front: str
    roll: str = "calendar"
    adjust: Adjust = Adjust.NONE
    field: str = PRICE
    first: date | None = None
    last: date | None = None
    as_of: str | datetime | None = None
    as_loaded: str | datetime | None = None
    unit: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ContinuousPlan:
    """A resolved question."""

    product: StoredProduct
    question: ContinuousQuestion
    known: Known
    tenor: Tenor
    rule: RollRule
    terms: Terms
    roll_terms: RollTerms
    conversions: PriceConversions

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that the answer depends on beside the question, for entity tags."""
        return (self.product.tag, self.conversions.versions, self.terms, self.roll_terms, self.known)


@dataclass(frozen=True, slots=True)
class PricedRoll:
    """A roll with its contracts; prices in the unit of the answer. See ``core.curves.continuous.Roll``."""

    date: date
    last: date
    old: DeliveryPeriod
    new: DeliveryPeriod
    old_price: float
    new_price: float | None
    gap: float | None
    ratio: float | None

    def document(self) -> dict[str, object]:
        """Return the roll as answers show it."""
        return {
            "date": self.date,
            "last": self.last,
            "old": self.old.document(),
            "new": self.new.document(),
            "old_price": self.old_price,
            "new_price": self.new_price,
            "gap": self.gap,
            "ratio": self.ratio,
        }


@dataclass(frozen=True, slots=True)
class MissingDays:
    """Days without a price. ``newest``: the newest of them, some."""

    count: int
    newest: Sequence[date]


@dataclass(frozen=True, slots=True)
class ContinuousAnswer:
    """A continuous series.

    ``frame``: ``trade_date``, ``period`` (place in ``periods``), ``price``, ``price_from``, ``value``, ``move``, ``reason``; a
    row for each trade date of the curve. ``missing``: trade dates without a price, by reason. ``sessions``: sessions of the
    venue on which the curve has no quote at all; None: its sessions are unknown.
    """

    plan: ContinuousPlan
    series: ContinuousSeries
    frame: pl.DataFrame
    periods: Sequence[DeliveryPeriod]
    rolls: Sequence[PricedRoll]
    missing: Mapping[Missing, MissingDays]
    sessions: MissingDays | None

    def summary(self) -> dict[str, object]:
        """Return the changes of the series and what it lacks, as answers show them."""
        made = self.series
        unknown = next((one for one in reversed(self.rolls) if one.gap is None), None)
        reason = None
        if not made.points:
            reason = f"no trade date has a price of {self.plan.tenor}"
        elif unknown is not None:
            reason = f"the gap of {unknown.date} is unknown: {unknown.new.period.label} has no price on {unknown.last}"
        return {
            "points": made.points,
            "rolls": len(self.rolls),
            "naive_change": made.naive,
            "held_change": made.held,
            "gaps": made.gaps,
            "reason": reason,
        }


async def plan_continuous(reading: CurveReading, product: StoredProduct, question: ContinuousQuestion) -> ContinuousPlan:
    """Resolve a question about a continuous series, before any quote is read. Raises ``InvalidParameters``."""
    check_price_field(question.field)
    if question.first is not None and question.last is not None and question.first > question.last:
        raise InvalidParameters(("from", f"is after to {question.last}", str(question.first)))
    known = Known.parse(question.as_of, question.as_loaded, now=question.now)
    terms = await terms_of_product(reading, product)
    roll_terms = await roll_terms_of(reading, product, terms, question.roll, known)
    tenor = requested_tenor(question.front, roll_terms)
    rule = requested_roll(question.roll, product, roll_terms, tenor)
    conversions = await conversions_of(reading, [product], question.unit, question.currency)
    return ContinuousPlan(product, question, known, tenor, rule, terms, roll_terms, conversions)


async def read_continuous(reading: CurveReading, plan: ContinuousPlan) -> ContinuousAnswer:
    """Read the series of a plan.

    Raises ``InvalidParameters`` for trade dates whose sessions are unknown, for a day without an exchange rate, for prices that
    ratios cannot adjust, and for trade dates with too many quotes.
    """
    question = plan.question
    quoted = await trade_dates_of(reading, plan.product, plan.known)
    dates = quoted.filter(quoted.is_between(question.first or date.min, question.last or date.max))
    days: Days = dates.to_numpy().astype("datetime64[D]")
    try:
        held = fronts(days, plan.tenor, plan.rule, plan.roll_terms)
    except (InvalidRoll, SessionsUnknown) as error:
        raise roll_refused(error, question.roll) from error
    prices = await _prices(reading, plan, _span(held)) if len(days) else _no_prices()
    try:
        made = continuous(prices, held, question.adjust)
    except NotPositive as error:
        raise InvalidParameters(("adjust", error.detail, str(question.adjust)), **dict(error.facts)) from error
    frame = await _with_reasons(reading, plan, made.frame)
    on = ["trade_date", "delivery_start", "delivery_end"]
    frame = frame.join(prices.select(*on, "price_from"), on=on, how="left", maintain_order="left")
    placed, periods = with_periods(
        frame.with_columns(curve_id=pl.lit(plan.product.curve_id, pl.Int32)), {plan.product.curve_id: plan.terms}
    )
    return ContinuousAnswer(
        plan,
        replace(made, frame=frame),
        placed.select("trade_date", "period", "price", "price_from", "value", "move", "reason"),
        periods,
        _rolls(plan, made, held),
        {reason: lacking for reason in Missing if (lacking := _missing(frame, reason)).count},
        _sessions(plan, quoted),
    )


def _span(held: Fronts) -> QuoteSpan:
    """Return the quotes of all fronts on all trade dates; of the next front on a last session, too."""
    firsts, ends = held.deliveries(held.days, held.contract)
    quoted = {(first, end) for first, end in zip(firsts.tolist(), ends.tolist(), strict=True) if first < end}
    return QuoteSpan(held.days[0].item(), held.days[-1].item(), deliveries=tuple(sorted(quoted.union(held.contracts))))


async def _prices(reading: CurveReading, plan: ContinuousPlan, span: QuoteSpan) -> pl.DataFrame:
    """Return ``trade_date``, ``delivery_start``, ``delivery_end``, ``price`` in the unit of the answer, and ``price_from``."""
    quotes = await quotes_of(reading, [plan.product], span, plan.known)
    priced = await converted(reading, quotes, plan.conversions, known=plan.known)
    return priced.select("trade_date", "delivery_start", "delivery_end", **price_columns(plan.question.field))


def _no_prices() -> pl.DataFrame:
    days = dict.fromkeys(("trade_date", "delivery_start", "delivery_end"), pl.Date)
    return pl.DataFrame(schema={**days, "price": pl.Float64, "price_from": pl.String})


async def _with_reasons(reading: CurveReading, plan: ContinuousPlan, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a series; those that finer quotes cover say so."""
    dates: list[date] = can_be_tiled(frame)["trade_date"].to_list()
    if not dates:
        return frame
    quotes = await _prices(reading, plan, QuoteSpan(trade_dates=tuple(dates), most=_MOST_QUOTES))
    if quotes.height > _MOST_QUOTES:
        why = f"trade dates without a quote of {plan.tenor} have more than {_MOST_QUOTES:,} quotes: request a shorter span"
        raise InvalidParameters(("from", why, str(dates[0])))
    return await asyncio.to_thread(with_finer, frame, quotes)


def _rolls(plan: ContinuousPlan, made: ContinuousSeries, held: Fronts) -> Sequence[PricedRoll]:
    return [
        PricedRoll(
            one.date,
            one.last,
            delivery_period(plan.terms, *held.contracts[one.old]),
            delivery_period(plan.terms, *held.contracts[one.new]),
            one.old_price,
            one.new_price,
            one.gap,
            one.ratio,
        )
        for one in made.rolls
    ]


def _missing(frame: pl.DataFrame, reason: Missing) -> MissingDays:
    dates = frame.filter(pl.col("reason") == reason.value)["trade_date"]
    return MissingDays(len(dates), dates.sort(descending=True).head(_SHOWN).to_list())


def _sessions(plan: ContinuousPlan, quoted: pl.Series) -> MissingDays | None:
    """Return the sessions of the requested span on which the curve has no quote, from its first trade date to its last one."""
    question, sessions = plan.question, plan.roll_terms.sessions
    first, last = quoted.min(), quoted.max()
    if sessions is None or not isinstance(first, date) or not isinstance(last, date):
        return None
    first, last = max(first, question.first or first), min(last, question.last or last)
    one = compare_sessions(sessions, quoted.to_list(), first, last)
    return None if one is None else MissingDays(one.missing_count, one.missing)
