"""Exchange rates of the legs of a spread: of the trade date, of a forward curve of the pair, or as the question states them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from aurum.core.currency import MissingRate
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.units import parse_unit
from aurum.services.curves.exchange_rates import day_rates, market_pair, refused_rate
from aurum.services.curves.known import Known
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.spread_legs import LegCurve
from aurum.services.curves.spread_question import FxKind, FxQuestion
from aurum.services.observations.rates import RateSeries, rate_series

RATES = pl.Schema({"date": pl.UInt32(), "rate": pl.Float64(), "shown": pl.Float64(), "fx_date": pl.Date()})
"""Rates of trade dates. ``rate``: price of one unit of the leg's currency in that of the answer. ``shown``: of the pair."""

_PAIR = re.compile(r"([A-Z]{3})/?([A-Z]{3})")
_MOST_RATE = 1e6


@dataclass(frozen=True, slots=True)
class FxPlan:
    """The exchange of prices in ``source`` to ``target``, ISO 4217 codes.

    ``pair``: base and quote currency: the rate shown is the price of one unit of the base in the quote currency. ``field``: of
    the question, for errors. One of ``series`` (rates of trade dates), ``curve`` (forward rates) and ``rate`` is set.
    """

    kind: FxKind
    source: str
    target: str
    pair: tuple[str, str]
    field: str
    series: RateSeries | None = None
    curve: LegCurve | None = None
    rate: float | None = None

    @property
    def is_inverted(self) -> bool:
        """Whether the rate shown is the price of the answer's currency in the leg's."""
        return self.pair[0] == self.target

    @property
    def name(self) -> str:
        return "".join(self.pair)


async def plan_fx(
    reading: CurveReading, question: FxQuestion, curve: LegCurve | None, source: str, target: str, *, field: str
) -> FxPlan:
    """Return the exchange of prices from one currency to another. ``curve``: of a question about a curve.

    Raises ``InvalidParameters`` for rates of another pair, and for a pair that the store has no rates of.
    """
    match question.kind:
        case FxKind.TRADE_DATE:
            try:
                series = await rate_series(reading.observations.catalog, source, target)
            except InvalidParameters as error:
                why = f"needs {source} to {target}: {error.detail.partition(': ')[2]}; or send a rate or a curve in {field}"
                raise InvalidParameters((field, why, str(question.kind))) from error
            return FxPlan(question.kind, source, target, market_pair(source, target), field, series=series)
        case FxKind.CURVE:
            assert curve is not None
            pair = _pair_of_curve(curve, field)
            _check_pair(pair, source, target, f"{field}.curve", curve.key)
            return FxPlan(question.kind, source, target, pair, field, curve=curve)
        case FxKind.RATE:
            assert question.rate is not None
            assert question.pair is not None
            pair = _parsed_pair(question.pair, f"{field}.pair")
            _check_pair(pair, source, target, f"{field}.pair", question.pair)
            return FxPlan(question.kind, source, target, pair, field, rate=question.rate)


def check_fx(question: FxQuestion, field: str) -> None:
    """Refuse a member that the kind of a rate has no use for, and a missing one. Raises ``InvalidParameters``."""
    needed = {FxKind.TRADE_DATE: (), FxKind.CURVE: ("curve",), FxKind.RATE: ("rate", "pair")}[question.kind]
    for name in ("curve", "rate", "pair"):
        value = getattr(question, name)
        if (value is None) is (name in needed):
            why = "is missing" if value is None else "does not apply"
            raise InvalidParameters((f"{field}.{name}", f"{why}: kind is {question.kind}", value))
    if question.rate is not None and not 1 / _MOST_RATE <= question.rate <= _MOST_RATE:
        raise InvalidParameters((f"{field}.rate", f"must be from {1 / _MOST_RATE:f} to {_MOST_RATE:,.0f}", question.rate))
    if question.pair is not None:
        _parsed_pair(question.pair, f"{field}.pair")


async def rates_on(reading: CurveReading, plan: FxPlan, dates: pl.Series, known: Known) -> pl.DataFrame:
    """Return the rate of each trade date: ``RATES``. ``dates``: ascending.

    Raises ``InvalidParameters`` for a trade date without its rate.
    """
    assert plan.series is not None
    try:
        rates = await day_rates(reading, plan.series, dates, known)
    except MissingRate as error:
        raise refused_rate(error, plan.series, plan.field, str(plan.kind), "send a rate or a curve") from error
    shown = 1 / pl.col("rate") if plan.is_inverted else pl.col("rate")
    return rates.with_row_index("date").select("date", "rate", shown.alias("shown"), fx_date="rate_day")


def factor_of(plan: FxPlan, shown: pl.Expr) -> pl.Expr:
    """Return the price of one unit of the leg's currency in that of the answer, from the rate of the pair."""
    return 1 / shown if plan.is_inverted else shown


def _parsed_pair(text: str, field: str) -> tuple[str, str]:
    match = _PAIR.fullmatch(text)
    if match is None or match[1] == match[2]:
        why = "must be two ISO 4217 codes such as EURUSD: the rate is the price of one euro in dollars"
        raise InvalidParameters((field, why, text))
    for code in match.groups():
        try:
            known = parse_unit(code)
        except UnknownName as error:
            raise InvalidParameters((field, error.detail, text), nearest=list(error.nearest)) from error
        if known.currency != code:
            raise InvalidParameters((field, f"{code} is not the code of a currency", text))
    return match[1], match[2]


def _pair_of_curve(curve: LegCurve, field: str) -> tuple[str, str]:
    """Return the pair of a curve whose unit is that of an exchange rate: ``USD/EUR`` is the price of a euro in dollars."""
    unit = parse_unit(curve.stored.product.unit)
    if unit.dimension != "exchange rate":
        why = f"is not a curve of exchange rates: its unit is {unit}, and must be one such as USD/EUR"
        raise InvalidParameters((f"{field}.curve", why, curve.key))
    quote, _, base = unit.text.partition("/")
    return base, quote


def _check_pair(pair: Sequence[str], source: str, target: str, field: str, value: str) -> None:
    if set(pair) != {source, target}:
        why = f"is of {''.join(pair)}, and the leg needs {source} to {target}"
        raise InvalidParameters((field, why, value))
