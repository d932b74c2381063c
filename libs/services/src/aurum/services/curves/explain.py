"""Explanation of the change of curves between two trade dates, by tenor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

import numpy as np
import polars as pl

from aurum.core.curves.continuous import continuous
from aurum.core.curves.explain import Explained, Path, explain
from aurum.core.curves.overlaps import Weight
from aurum.core.curves.period_labels import Span
from aurum.core.curves.periods import Period, PeriodKind
from aurum.core.curves.quotes import PRICE, PriceFrom
from aurum.core.curves.rolls import Days, Fronts, InvalidRoll, RollBasis, RollRule, RollTerms, fronts
from aurum.core.curves.sessions import SessionsUnknown
from aurum.core.curves.strips import NoHours, StripMethod, strip_history
from aurum.core.curves.tenors import MOST, Tenor, TenorKind, periods_after
from aurum.core.errors import InvalidParameters
from aurum.services.curves.explain_prices import (
    Between,
    between,
    mids_of,
    part_weight,
    priced,
    prices_by_method,
    prices_then,
)
from aurum.services.curves.known import LATEST, PREVIOUS, Known, check_trade_dates, no_earlier_date
from aurum.services.curves.periods import DeliveryPeriod, delivery_period
from aurum.services.curves.prices import PriceConversions, conversions_of
from aurum.services.curves.quotes import check_price_field
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_by_curve
from aurum.services.curves.roll_terms import requested_roll, roll_refused, roll_terms_by_curve
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

KINDS: Mapping[TenorKind, PeriodKind] = {
    TenorKind.WEEK: PeriodKind.WEEK,
    TenorKind.MONTH: PeriodKind.MONTH,
    TenorKind.QUARTER: PeriodKind.QUARTER,
    TenorKind.SEASON: PeriodKind.SEASON,
    TenorKind.YEAR: PeriodKind.YEAR,
}
"""The kinds of tenors that are explained, the shortest first, with the kind of their periods."""
_MOST_QUOTES = 1_000_000
"""Quotes that one explanation may read."""
_PRICES = pl.Schema(
    {
        "trade_date": pl.Date(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "price": pl.Float64(),
        "price_from": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class ExplainQuestion:
    """A question about the change of curves from trade date ``a`` to ``b``: dates, ``latest`` or ``previous`` of any of them.

    ``as_of_a``: the prices of ``a`` are those known at this instant; None: just before the first quotes of the next trade date
    became known, and where ``a`` is ``b`` when its first quotes became known. ``as_of_b``: those of ``b``, and all between;
    None: now. ``roll``: rule by which a tenor changes its contract; a kind without last trading days, as weeks, changes by the
    calendar then. ``field``: the price.
    """

    now: datetime
    a: date | str = PREVIOUS
    b: date | str = LATEST
    as_of_a: str | datetime | None = None
    as_of_b: str | datetime | None = None
    as_loaded: str | datetime | None = None
    roll: str = "calendar"
    field: str = PRICE
    unit: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class CurveToExplain:
    """A curve with the terms by which its periods are named and its tenors roll."""

    product: StoredProduct
    terms: Terms
    roll_terms: RollTerms
    rule: RollRule


@dataclass(frozen=True, slots=True)
class ExplainPlan:
    """A resolved question. ``curves``: in the order of the answer."""

    curves: Sequence[CurveToExplain]
    question: ExplainQuestion
    span: Between
    conversions: PriceConversions

    @property
    def products(self) -> Sequence[StoredProduct]:
        return [one.product for one in self.curves]

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that the answer depends on beside the question, for entity tags."""
        products = [one.tag for one in self.products]
        terms = [*dict.fromkeys((one.terms, one.roll_terms) for one in self.curves)]
        return (products, self.conversions.versions, terms, self.span)


@dataclass(frozen=True, slots=True)
class TenorChange:
    """The change of a tenor. ``start``, ``end``: its contracts on the two trade dates. ``rolls``: first days of new fronts."""

    tenor: Tenor
    start: DeliveryPeriod
    end: DeliveryPeriod
    explained: Explained
    rolls: Sequence[date]


@dataclass(frozen=True, slots=True)
class CurveChanges:
    """Changes of a curve by tenor.

    ``then``: the state of knowledge in which its prices of ``a`` are read. ``mids``: as of ``mids_of``.
    """

    product: StoredProduct
    then: Known
    changes: Sequence[TenorChange] = ()
    mids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ExplainAnswer:
    """Changes of curves, in the order of the plan."""

    plan: ExplainPlan
    curves: Sequence[CurveChanges]

    @property
    def reason(self) -> str | None:
        """Why there is no change to explain; None: there is."""
        return no_earlier_date(self.plan.span.b) if self.plan.span.a is None else None

    @property
    def changes(self) -> Sequence[tuple[StoredProduct, TenorChange]]:
        """The changes of all curves, each with its curve."""
        return [(one.product, change) for one in self.curves for change in one.changes]


async def plan_explain(reading: CurveReading, products: Sequence[StoredProduct], question: ExplainQuestion) -> ExplainPlan:
    """Resolve a question about the change of some curves, before any quote is read.

    A curve whose calendar, block or seasons are unknown is left out, and logged. Raises ``InvalidParameters``, and
    ``UnknownName`` if all of them are.
    """
    check_price_field(question.field)
    terms = await terms_by_curve(reading, products)
    products = [one for one in products if one.curve_id in terms]
    conversions = await conversions_of(reading, products, question.unit, question.currency)
    span = await between(
        reading,
        products,
        a=question.a,
        b=question.b,
        as_of_a=question.as_of_a,
        as_of_b=question.as_of_b,
        as_loaded=question.as_loaded,
        now=question.now,
    )
    roll_terms = await roll_terms_by_curve(reading, products, terms, question.roll, span.known)
    curves = [
        CurveToExplain(one, terms[one.curve_id], rolls, requested_roll(question.roll, one, rolls, Tenor(TenorKind.MONTH)))
        for one in products
        for rolls in [roll_terms[one.curve_id]]
    ]
    return ExplainPlan(curves, question, span, conversions)


async def read_explain(reading: CurveReading, plan: ExplainPlan) -> ExplainAnswer:
    """Read the changes of a plan, by as many queries for many curves as for one. Raises ``InvalidParameters``."""
    a, b, products = plan.span.a, plan.span.b, plan.products
    if a is None or b is None:
        return ExplainAnswer(plan, [CurveChanges(one, plan.span.known) for one in products])
    field = plan.question.field
    quotes = await priced(reading, products, QuoteSpan(a, b, most=_MOST_QUOTES), plan.span.known, plan.conversions, field)
    if quotes.height > _MOST_QUOTES:
        why = f"the curves have more than {_MOST_QUOTES:,} quotes from {a} to {b}: request fewer curves, or a later date"
        raise InvalidParameters(("a", why, str(a)))
    requested = {"a": plan.question.a, "b": plan.question.b}
    await check_trade_dates(reading, products, requested, set(quotes["trade_date"].unique()), plan.span.known)
    after = quotes.filter(pl.col("trade_date") > a).group_by("curve_id").agg(pl.col("trade_date").min())
    following = dict(after.select("curve_id", "trade_date").rows())
    then, before = await prices_then(reading, products, plan.span, plan.conversions, field, following=following)
    return ExplainAnswer(plan, await asyncio.to_thread(_changes_of_all, plan, a, b, then, before, quotes))


@dataclass(frozen=True, slots=True)
class _Prices:
    """Prices of one curve.

    ``before``: those of ``a`` as they were known then; ``quotes``: from ``a`` to ``b`` as they are known at the end, both
    schema ``_PRICES``. ``then``, ``of_a``, ``of_b``: those of the two trade dates by period.
    """

    before: pl.DataFrame
    quotes: pl.DataFrame
    then: Mapping[Span, float | None]
    of_a: Mapping[Span, float | None]
    of_b: Mapping[Span, float | None]


def _changes_of_all(
    plan: ExplainPlan, a: date, b: date, then: Mapping[int, Known], before: pl.DataFrame, quotes: pl.DataFrame
) -> Sequence[CurveChanges]:
    # Grouped once for all curves: a filter of each of them would take longer than its changes.
    of_days = [before, *(quotes.filter(pl.col("trade_date") == day) for day in (a, b))]
    of_mids = pl.concat(of_days).filter(pl.col("price_from") == str(PriceFrom.MID))
    frames = [frame.partition_by("curve_id", as_dict=True, include_key=False) for frame in (before, quotes, of_mids)]
    by_period = [_by_period(frame) for frame in of_days]
    traded: dict[int, list[date]] = dict(quotes.group_by("curve_id").agg(pl.col("trade_date").unique()).rows())
    empty = pl.DataFrame(schema=_PRICES)
    made: list[CurveChanges] = []
    for curve in plan.curves:
        key = curve.product.curve_id
        known_before, through, mids = (one.get((key,), empty) for one in frames)
        of_then, of_a, of_b = (one.get(key, {}) for one in by_period)
        prices = _Prices(known_before, through, of_then, of_a, of_b)
        days = np.unique(np.array([a, *traded.get(key, ()), b], "datetime64[D]"))
        try:
            changes = _changes(curve, days, prices)
        except (InvalidRoll, SessionsUnknown) as error:
            raise roll_refused(error, plan.question.roll) from error
        made.append(CurveChanges(curve.product, then[key], changes, mids_of(mids, curve.terms)))
    return made


def _by_period(quotes: pl.DataFrame) -> Mapping[int, Mapping[Span, float | None]]:
    """Return prices by curve id and period, of one trade date."""
    columns = ("delivery_start", "delivery_end", "price")
    groups: list[tuple[int, list[date], list[date], list[float | None]]] = (
        quotes.with_columns(pl.col("price").fill_nan(None)).group_by("curve_id").agg(columns).rows()
    )
    return {curve: dict(zip(zip(firsts, ends, strict=True), prices, strict=True)) for curve, firsts, ends, prices in groups}


def _changes(curve: CurveToExplain, days: Days, prices: _Prices) -> Sequence[TenorChange]:
    weight = part_weight(curve.product, curve.terms, curve.roll_terms)
    return [_change(curve, tenor, held, prices, weight) for tenor, held in _tenors(curve, days, prices)]


def rule_of(kind: TenorKind, rule: RollRule, terms: RollTerms) -> RollRule:
    """Return the rule by which a kind of tenor changes: by the calendar where it has no rule of last trading days, as weeks."""
    is_dated = kind is not TenorKind.WEEK and terms.expiry is not None and terms.expiry.has(kind)
    return rule if is_dated or rule.basis is not RollBasis.LAST_TRADING_DAY else RollRule()


def _tenors(curve: CurveToExplain, days: Days, prices: _Prices) -> Iterator[tuple[Tenor, Fronts]]:
    """Return the tenors that are listed on one of the two trade dates, with their fronts."""
    listed = [{one: _kind(curve, one) for one in some} for some in (prices.then, prices.of_b)]
    for kind, period_kind in KINDS.items():
        spans = [[one for one, of_kind in some.items() if of_kind is period_kind] for some in listed]
        furthest = max((one for some in spans for one in some), default=None)
        if furthest is None or furthest[0] <= days[0].item():
            continue
        ahead = sum(1 for _ in _until(kind, days[0].item(), furthest, curve.roll_terms))
        # The first front may be a contract in delivery.
        count = min(ahead + 1, MOST[kind])
        whole = fronts(days, Tenor(kind, count), rule_of(kind, curve.rule, curve.roll_terms), curve.roll_terms)
        for number in range(1, count + 1):
            held = Fronts(days, whole.contract - (count - number), whole.contracts)
            if held.held(0) in spans[0] or held.held(-1) in spans[1]:
                yield Tenor(kind, number), held


def _until(kind: TenorKind, day: date, furthest: Span, terms: RollTerms) -> Iterator[Span]:
    for one in islice(periods_after(kind, day, terms.seasons), MOST[kind]):
        if one[0] > furthest[0]:
            return
        yield one


def _kind(curve: CurveToExplain, span: Span) -> PeriodKind:
    return delivery_period(curve.terms, *span).period.kind


def _change(curve: CurveToExplain, tenor: Tenor, held: Fronts, prices: _Prices, weight: Weight) -> TenorChange:
    first, last = held.held(0), held.held(-1)
    start, end = (delivery_period(curve.terms, *one) for one in (first, last))
    price = prices.then.get(first)
    then: Mapping[StripMethod, float | None] = {StripMethod.QUOTED: price}
    if price is None:
        then = prices_by_method(prices.before, start.period, weight, curve.product.product.tick)
    rolls: Sequence[date] = ()
    if first == last:
        quoted = Path(prices.of_a.get(first), prices.of_b.get(first))
    else:
        quoted, rolls = _path(prices.quotes, held)
    paths = {StripMethod.QUOTED: quoted}
    if price is None or not quoted.is_whole:
        paths[StripMethod.FROM_FINER], finer_rolls = _path(_finer(prices.quotes, held, weight), held)
        rolls = rolls or finer_rolls
    return TenorChange(tenor, start, end, explain(then, paths), rolls)


def _path(quotes: pl.DataFrame, held: Fronts) -> tuple[Path, Sequence[date]]:
    """Return the prices of the fronts by one method, and the first trade dates of new fronts."""
    ends = held.contract[[0, -1]]
    if ends[0] == ends[1]:
        # The contract did not change, so what it did on the days between is not needed.
        held = Fronts(held.days[[0, -1]], ends, held.contracts)
        quotes = quotes.filter(pl.col("trade_date").is_in(held.days[[0, -1]].tolist()))
    made = continuous(quotes, held)
    prices = made.frame["price"]
    gaps = [(one.old_price, one.new_price) for one in made.rolls]
    return Path(prices[0], prices[-1], gaps), [one.date for one in made.rolls]


def _finer(quotes: pl.DataFrame, held: Fronts, weight: Weight) -> pl.DataFrame:
    """Return the prices of the fronts that finer quotes give on each trade date, as ``continuous`` reads them."""
    made: list[pl.DataFrame] = [quotes.clear().drop("price_from")]
    contracts: list[int] = np.unique(held.contract).tolist()
    for first, end in (held.contracts[place] for place in contracts):
        within = quotes.filter((pl.col("delivery_start") >= first) & (pl.col("delivery_end") <= end))
        if within.is_empty():
            continue
        try:
            history = strip_history(within, Period(f"{first}..{end}", PeriodKind.CUSTOM, first, end), weight=weight)
        except NoHours:
            continue
        tiled = history.filter(pl.col("method") == StripMethod.FROM_FINER.value)
        made.append(tiled.select("trade_date", delivery_start=pl.lit(first), delivery_end=pl.lit(end), price=pl.col("value")))
    return pl.concat(made)
