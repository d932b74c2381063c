"""Profit and loss of positions between two trade dates, by position, by tenor and by currency, with its components."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import cast

import numpy as np
import polars as pl

from aurum.core.curves.explain import COMPONENTS, METHODS, Components, Explained, Path, decimals_of, explain
from aurum.core.curves.overlaps import Weight
from aurum.core.curves.periods import Period, PeriodKind
from aurum.core.curves.quotes import PRICE
from aurum.core.curves.rolls import InvalidRoll, RollRule, RollTerms, fronts
from aurum.core.curves.sessions import SessionsUnknown
from aurum.core.curves.tenors import MOST, Tenor, TenorKind, periods_after
from aurum.core.errors import Invalid, InvalidParameters
from aurum.core.units import Unit, convert, in_currency, parse_unit
from aurum.services.curves.explain import KINDS, rule_of
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
from aurum.services.curves.periods import DeliveryPeriod, requested_period
from aurum.services.curves.prices import PriceConversions, conversions_of, converted
from aurum.services.curves.quotes import check_price_field
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_by_curve
from aurum.services.curves.roll_terms import requested_roll, roll_terms_by_curve
from aurum.services.curves.selection import ANY, curve_of
from aurum.storage.ports.curves import ProductFilter, QuoteSpan, StoredProduct

MOST_CURVES = 100
"""Curves that the positions of one question may be in."""
MOST_VOLUME = 1e9
"""Largest volume of a position, long or short."""
_ENERGY = "MWh"
_DAY = timedelta(days=1)
_PRICES = pl.Schema(
    {
        "curve_id": pl.Int32(),
        "trade_date": pl.Date(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "price": pl.Float64(),
        "price_from": pl.String(),
    }
)
_TENOR_OF: Mapping[PeriodKind, TenorKind] = {period: tenor for tenor, period in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a delivery period of a curve; below zero: short. Exactly one volume.

    ``mw``: in each hour of the block in the period. ``mwh``: energy. ``volume``: in the measure of the price, such as bbl.
    """

    curve: str
    period: str
    mw: float | None = None
    mwh: float | None = None
    volume: float | None = None


@dataclass(frozen=True, slots=True)
class PositionsQuestion:
    """A question about the profit and loss of positions; see ``ExplainQuestion``.

    ``currency``: of all amounts, at the ECB's rate of ``b``; None: each in the currency of its curve.
    """

    now: datetime
    positions: Sequence[Position]
    a: date | str = PREVIOUS
    b: date | str = LATEST
    as_of_a: str | datetime | None = None
    as_of_b: str | datetime | None = None
    as_loaded: str | datetime | None = None
    roll: str = "calendar"
    field: str = PRICE
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class CurveOfPositions:
    """A curve with what its positions are valued by.

    ``then``: the state of knowledge of the prices of ``a``. ``mids``: as of ``mids_of``.
    """

    product: StoredProduct
    terms: Terms
    roll_terms: RollTerms
    rule: RollRule
    then: Known
    mids: Sequence[str]


@dataclass(frozen=True, slots=True)
class PositionChange:
    """The profit and loss of a position.

    ``bucket``: tenor of its period on ``a``, ``M+0`` for one that is no longer ahead, or the kind of a period that no tenor
    counts. ``volume``: in ``measure``. ``amount``: None: a price is missing, and ``explained.reason`` says which.
    """

    position: Position
    period: DeliveryPeriod
    bucket: str
    volume: float
    measure: str
    unit: str
    currency: str
    explained: Explained
    amount: Components | None


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of the amounts of some positions of one currency. ``amount``: None: not all of them have one."""

    currency: str
    positions: int
    valued: int
    amount: Components | None
    bucket: str | None = None

    def document(self) -> dict[str, object]:
        """Return the total as answers show it."""
        missing: dict[str, float | None] = dict.fromkeys((*COMPONENTS, "total"))
        return {
            **({} if self.bucket is None else {"bucket": self.bucket}),
            "currency": self.currency,
            "positions": self.positions,
            "valued": self.valued,
            "is_complete": self.positions == self.valued,
            **(missing if self.amount is None else self.amount.numbers()),
        }


@dataclass(frozen=True, slots=True)
class PositionsAnswer:
    """Profit and loss by position, in the order of the question; totals by currency, and by bucket and currency."""

    span: Between
    curves: Sequence[CurveOfPositions]
    conversions: PriceConversions
    changes: Sequence[PositionChange]
    totals: Sequence[Total]
    buckets: Sequence[Total]


async def explain_positions(reading: CurveReading, question: PositionsQuestion) -> PositionsAnswer:
    """Return the profit and loss of positions. Raises ``InvalidParameters``, and ``UnknownName`` for an unknown curve."""
    check_price_field(question.field)
    products = await _products(reading, question)
    stored = list(products.values())
    terms = await terms_by_curve(reading, stored)
    span = await between(
        reading,
        stored,
        a=question.a,
        b=question.b,
        as_of_a=question.as_of_a,
        as_of_b=question.as_of_b,
        as_loaded=question.as_loaded,
        now=question.now,
    )
    conversions = await conversions_of(reading, stored, None, question.currency)
    then, prices = await _prices(reading, stored, span, question.field)
    quoted = {day for one in prices.values() for day in one.quotes["trade_date"].unique()}
    await check_trade_dates(reading, stored, {"a": question.a, "b": question.b} if stored else {}, quoted, span.known)
    termed = [one for one in stored if one.curve_id in terms]
    roll_terms = await roll_terms_by_curve(reading, termed, terms, question.roll, span.known)
    factors = await _factors(reading, stored, conversions, span)
    changes: dict[int, PositionChange] = {}
    curves: list[CurveOfPositions] = []
    for key, product in products.items():
        if product.curve_id not in terms:
            raise InvalidParameters(("positions", f"{key} names a calendar, a block or seasons that are unknown", key))
        rolls = roll_terms[product.curve_id]
        rule = requested_roll(question.roll, product, rolls, Tenor(TenorKind.MONTH))
        made, factor = prices[product.curve_id], factors.get(product.curve_id, 1.0)
        mids = mids_of(pl.concat([made.before, made.quotes]), terms[product.curve_id])
        curve = CurveOfPositions(product, terms[product.curve_id], rolls, rule, then[product.curve_id], mids)
        curves.append(curve)
        places = [place for place, one in enumerate(question.positions) if one.curve == key]
        changes |= await _of_curve(question, curve, span, conversions, places, made, factor)
    ordered = _rounded([changes[place] for place in sorted(changes)])
    return PositionsAnswer(span, curves, conversions, ordered, _totals(ordered), _totals(ordered, by_bucket=True))


async def _products(reading: CurveReading, question: PositionsQuestion) -> Mapping[str, StoredProduct]:
    """Return the curves of the positions by key. Raises ``UnknownName``, and ``InvalidParameters`` for too many."""
    keys = list(dict.fromkeys(one.curve for one in question.positions))
    if len(keys) > MOST_CURVES:
        why = f"name {len(keys)} curves, and may name {MOST_CURVES}: send several requests"
        raise InvalidParameters(("positions", why, keys[MOST_CURVES]))
    # A pattern is not a key, and is refused as an unknown one.
    exact = tuple(key for key in keys if ANY not in key)
    members = await reading.curves.products(ProductFilter(keys=exact), tenant=reading.tenant) if len(exact) > 1 else ()
    by_key = {str(one.product.key): one for one in members}
    fields = {one.curve: f"positions.{place}.curve" for place, one in reversed([*enumerate(question.positions)])}
    return {key: by_key.get(key) or await curve_of(reading, key, field=fields[key]) for key in keys}


@dataclass(frozen=True, slots=True)
class _Prices:
    """The prices of a curve on ``a`` as known then, and on both trade dates as known at the end."""

    before: pl.DataFrame
    quotes: pl.DataFrame


async def _prices(
    reading: CurveReading, products: Sequence[StoredProduct], span: Between, name: str
) -> tuple[Mapping[int, Known], Mapping[int, _Prices]]:
    """Return the states of knowledge of the prices of ``a``, and the prices of all curves, both by curve id."""
    dates, unchanged, empty = _dates(span), PriceConversions(), pl.DataFrame(schema=_PRICES)
    if span.a is None:
        nothing = _Prices(empty, empty)
        return {one.curve_id: span.known for one in products}, {one.curve_id: nothing for one in products}
    quotes = await priced(reading, products, QuoteSpan(trade_dates=dates), span.known, unchanged, name)
    then, before = await prices_then(reading, products, span, unchanged, name)
    of_a, of_both = (frame.partition_by("curve_id", as_dict=True) for frame in (before, quotes))
    return then, {curve: _Prices(of_a.get((curve,), empty), of_both.get((curve,), empty)) for curve in then}


def _dates(span: Between) -> tuple[date, ...]:
    return tuple(dict.fromkeys(day for day in (span.a, span.b) if day is not None))


async def _of_curve(
    question: PositionsQuestion,
    curve: CurveOfPositions,
    span: Between,
    conversions: PriceConversions,
    places: Sequence[int],
    made: _Prices,
    factor: float,
) -> Mapping[int, PositionChange]:
    """Return the changes of the positions in one curve, by their places in the question."""
    product = curve.product
    weight = part_weight(product, curve.terms, curve.roll_terms)
    periods = {place: _period(curve, question.positions[place], place, span.a) for place in places}
    # Positions in one period have one price, and are many more than the periods.
    prices = await asyncio.to_thread(
        lambda: {
            one: (
                _explained(span, made.before, made.quotes, one, weight, product.product.tick),
                bucket_of(one, span.a, curve.rule, curve.roll_terms),
            )
            for one in {period.period for period in periods.values()}
        }
    )
    changes: dict[int, PositionChange] = {}
    for place, period in periods.items():
        position = question.positions[place]
        volume, measure, money = _volume(position, place, period, curve, conversions)
        explained, bucket = prices[period.period]
        amount = None if explained.components is None else explained.components.times(volume).times(factor * money.factor)
        changes[place] = PositionChange(
            position, period, bucket, volume, measure, product.product.unit, money.currency, explained, amount
        )
    return changes


@dataclass(frozen=True, slots=True)
class _Money:
    """The currency of an amount, and the factor from prices of an answer, times a volume, to it."""

    currency: str
    factor: float


def bucket_of(period: Period, day: date | None, rule: RollRule, terms: RollTerms) -> str:
    """Return the tenor of a period on a trade date. Raises ``InvalidParameters``."""
    kind = _TENOR_OF.get(period.kind)
    if kind is None or day is None:
        return str(period.kind)
    try:
        held = fronts(np.array([day], "datetime64[D]"), Tenor(kind, 1), rule_of(kind, rule, terms), terms)
    except (InvalidRoll, SessionsUnknown) as error:
        raise InvalidParameters(("roll", error.detail, str(rule))) from error
    front = held.held(0)[0]
    spans = list(islice(periods_after(kind, front - _DAY, terms.seasons), MOST[kind]))
    span = (period.first, period.end)
    if span in spans:
        return f"{kind}+{spans.index(span) + 1}"
    before_front = takewhile(lambda one: one[0] < front, periods_after(kind, day, terms.seasons))
    return f"{kind}+0" if period.first <= day or span in before_front else str(period.kind)


def _period(curve: CurveOfPositions, position: Position, place: int, day: date | None) -> DeliveryPeriod:
    try:
        return requested_period(curve.terms, position.period, trade_date=day)
    except InvalidParameters as error:
        (named,) = cast("list[dict[str, object]]", error.facts["errors"])
        raise InvalidParameters((f"positions.{place}.period", str(named["message"]), position.period)) from error


def _volume(
    position: Position, place: int, period: DeliveryPeriod, curve: CurveOfPositions, conversions: PriceConversions
) -> tuple[float, str, _Money]:
    """Return the volume of a position, its measure, and how an amount follows from a price. Raises ``InvalidParameters``."""
    product = curve.product.product
    volumes = {name: value for name in ("mw", "mwh", "volume") if (value := getattr(position, name)) is not None}
    if len(volumes) != 1:
        raise InvalidParameters(
            (f"positions.{place}", "must have exactly one of mw, mwh and volume", ", ".join(volumes) or None)
        )
    ((name, value),) = volumes.items()
    if not abs(value) <= MOST_VOLUME:
        raise InvalidParameters((f"positions.{place}.{name}", f"must be from -{MOST_VOLUME:,.0f} to {MOST_VOLUME:,.0f}", value))
    unit = _priced_in(curve.product, conversions)
    _, slash, measure = str(unit).partition("/")
    if unit.currency is None or not slash:
        why = f"{product.key} is quoted in {product.unit}: it has no price of a volume, and so no amount"
        raise InvalidParameters((f"positions.{place}.curve", why, position.curve))
    if name == "volume":
        return value, measure, _Money(unit.currency, 1.0)
    try:
        per_energy = convert(1.0, unit, parse_unit(f"{unit.currency}/{_ENERGY}"))
    except Invalid as error:
        why = f"{product.key} is quoted in {product.unit}, which has no {_ENERGY}: send volume, in {measure}"
        raise InvalidParameters((f"positions.{place}.{name}", why, value)) from error
    volume = value if name == "mwh" else float(value * period.hours)
    return volume, _ENERGY, _Money(unit.currency, per_energy)


def _priced_in(product: StoredProduct, conversions: PriceConversions) -> Unit:
    """Return the unit of prices in the whole currency of the answer: GBP for a curve in pence."""
    unit = parse_unit(conversions.unit_of(product)[0])
    return unit if unit.currency is None else in_currency(unit, unit.currency)


async def _factors(
    reading: CurveReading, products: Sequence[StoredProduct], conversions: PriceConversions, span: Between
) -> Mapping[int, float]:
    """Return the factors from prices of products to prices in the whole currency of the answer, by curve id.

    Rates are those of the later trade date; the rate of a pair of currencies is read once.
    """
    dates = _dates(span)
    if not dates:
        return {}
    ones = pl.DataFrame(
        {"curve_id": [one.curve_id for one in products], "trade_date": dates[-1], "settle": 1.0},
        {"curve_id": pl.Int32, "trade_date": pl.Date, "settle": pl.Float64},
    )
    exchanged = (await converted(reading, ones, conversions, known=span.known))["settle"].to_list()
    factors: dict[int, float] = {}
    for one, factor in zip(products, exchanged, strict=True):
        shown = parse_unit(conversions.unit_of(one)[0])
        whole = 1.0 if shown.currency is None else convert(1.0, shown, _priced_in(one, conversions))
        factors[one.curve_id] = factor * whole
    return factors


def _explained(
    span: Between, before: pl.DataFrame, quotes: pl.DataFrame, period: Period, weight: Weight, tick: float
) -> Explained:
    if span.a is None or span.b is None:
        return replace(explain({}, {}), reason=no_earlier_date(span.b))
    of_a, of_b = (
        prices_by_method(quotes.filter(pl.col("trade_date") == day), period, weight, tick) for day in (span.a, span.b)
    )
    then = prices_by_method(before, period, weight, tick)
    return explain(then, {method: Path(of_a[method], of_b[method]) for method in METHODS})


def _rounded(changes: Sequence[PositionChange]) -> Sequence[PositionChange]:
    """Return the changes with rounded amounts, so that the amounts and all their sums are written exactly."""
    parts = [getattr(one.amount, name) for one in changes if one.amount is not None for name in COMPONENTS]
    decimals = decimals_of(parts)
    return [one if one.amount is None else replace(one, amount=one.amount.rounded(decimals)) for one in changes]


def _totals(changes: Sequence[PositionChange], *, by_bucket: bool = False) -> Sequence[Total]:
    """Return totals by currency, and with ``by_bucket`` by bucket, in the order of their first positions."""
    groups: dict[tuple[str | None, str], list[PositionChange]] = {}
    for one in changes:
        groups.setdefault((one.bucket if by_bucket else None, one.currency), []).append(one)
    totals: list[Total] = []
    for (bucket, currency), members in groups.items():
        amounts = [one.amount for one in members if one.amount is not None]
        amount = None
        if len(amounts) == len(members):
            amount = Components()
            for each in amounts:
                amount = amount.plus(each)
        totals.append(Total(currency, len(members), len(amounts), amount, bucket))
    return totals
