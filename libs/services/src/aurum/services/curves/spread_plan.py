"""Resolution of questions about spreads: template, curves, trade dates, periods, units and exchange rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.curves.calendars import parse_delivery_calendar
from aurum.core.curves.period_labels import YEARS
from aurum.core.curves.spread_factors import (
    LegFactors,
    check_parameters,
    heat_rate_of,
)
from aurum.core.curves.spread_templates import LegUse, SpreadTemplate
from aurum.core.curves.spreads import Alignment, SpreadSide, december_weights
from aurum.core.errors import InvalidParameters
from aurum.core.units import Unit
from aurum.services.curves.forward_fx import FxPlan, check_fx, plan_fx
from aurum.services.curves.known import LATEST, PREVIOUS, Known, trade_dates_by_curve
from aurum.services.curves.periods import DeliveryPeriod, delivery_period, requested_period
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_by_curve
from aurum.services.curves.selection import curve_of
from aurum.services.curves.spread_legs import LegCurve, leg_curve
from aurum.services.curves.spread_question import MOST_PERIODS, FxKind, SpreadQuestion
from aurum.services.curves.spread_terms import NamedLeg, factors_of, heat_rate_unit_of, named_legs, template_of

_NEWEST = 250
"""Trade dates of each leg among which one that all of them have is sought."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LegPlan:
    """A resolved leg.

    ``curve``: None: its price is ``value``. ``spans``: the delivery periods whose prices are read; ``weights``: of them
    (columns) in the price of each period of the answer (rows). ``alignment``: how December contracts make a price; None: they
    do not. ``own``: its own delivery period; None: that of the row. ``fx``: None: its prices have the currency of the
    answer. ``fx_spans``: of forward rates, by period of the answer.
    """

    factors: LegFactors
    curve: LegCurve | None
    value: float | None
    spans: Sequence[DeliveryPeriod]
    weights: NDArray[np.float64]
    alignment: Alignment | None
    own: DeliveryPeriod | None
    fx: FxPlan | None
    fx_spans: Sequence[DeliveryPeriod]


@dataclass(frozen=True, slots=True)
class SpreadPlan:
    """A resolved question.

    ``trade_date``: of a question about one; None where no leg has a curve. ``first``, ``last``: of a question about a span.
    ``periods``: of the rows; None alone where every price is in the question, and no period. ``heat_rate_unit``: of implied
    heat rates; None: the spread has none.
    """

    template: SpreadTemplate
    question: SpreadQuestion
    legs: Sequence[LegPlan]
    periods: Sequence[DeliveryPeriod | None]
    known: Known
    unit: Unit
    trade_date: date | None
    is_span: bool
    heat_rate_unit: str | None
    curves: Sequence[LegCurve]

    @property
    def side(self) -> SpreadSide:
        return self.question.side

    @property
    def first(self) -> date | None:
        return self.question.first

    @property
    def last(self) -> date | None:
        return self.question.last

    @property
    def heat_rate(self) -> float | None:
        """MWh of fuel per MWh of power; None for spreads without a plant."""
        return heat_rate_of(self.question.parameters) if self.template.leg(LegUse.FUEL) is not None else None

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that the answer depends on beside the question, for entity tags."""
        curves = [(one.stored.tag, one.terms) for one in self.curves]
        rates = [one.fx.series.versions for one in self.legs if one.fx is not None and one.fx.series is not None]
        # A mapped spelling may name another unit later.
        units = (str(self.unit), *(str(one.factors.source) for one in self.legs))
        return (curves, rates, units, self.known, self.trade_date, self.first, self.last)


async def plan_spread(reading: CurveReading, question: SpreadQuestion) -> SpreadPlan:
    """Resolve a question about a spread, before any quote is read.

    Raises ``InvalidParameters``, and ``UnknownName`` for a curve that the caller cannot read.
    """
    template = template_of(question.template)
    named = named_legs(template, question)
    check_parameters(template, question.parameters)
    _check_fx(question, named)
    known = Known.parse(question.as_of, question.as_loaded, now=question.now)
    curves = await _curves(reading, question, named)
    trade_date = await _trade_date(reading, question, list(curves.values()), known)
    periods = _periods(template, question, named, curves, trade_date)
    answer, factors = await factors_of(reading, template, question, named, curves)
    legs: list[LegPlan] = []
    for one, constant in zip(named, factors, strict=True):
        legs.append(await _leg_plan(reading, question, one, constant, curves, periods, answer, trade_date))
    _check_trade_date(question, legs, trade_date)
    heat_rate_unit = heat_rate_unit_of(template, question.parameters, factors)
    return SpreadPlan(
        template, question, legs, periods, known, answer, trade_date, question.is_span, heat_rate_unit, list(curves.values())
    )


def _check_fx(question: SpreadQuestion, named: Sequence[NamedLeg]) -> None:
    check_fx(question.fx, "fx")
    for one in named:
        if one.question.fx is not None:
            check_fx(one.question.fx, f"{one.field}.fx")


async def _curves(reading: CurveReading, question: SpreadQuestion, named: Sequence[NamedLeg]) -> Mapping[str, LegCurve]:
    """Return the curves of legs and of exchange rates, by key. Raises ``UnknownName``, also for a product of another tenant."""
    legs = [(one.question.curve, f"{one.field}.curve") for one in named]
    rates = [(question.fx, "fx.curve"), *((one.question.fx, f"{one.field}.fx.curve") for one in named)]
    fields: dict[str, str] = {}
    for key, field in (*legs, *((None if fx is None else fx.curve, field) for fx, field in rates)):
        if key is not None:
            fields.setdefault(key, field)
    stored = [await curve_of(reading, key, field=field) for key, field in fields.items()]
    if not stored:
        return {}
    terms = await terms_by_curve(reading, stored)
    for one in stored:
        if one.curve_id not in terms:
            raise InvalidParameters(("legs", f"the terms of {one.product.key} are unknown", str(one.product.key)))
    return {str(one.product.key): await leg_curve(reading, one, terms[one.curve_id]) for one in stored}


async def _trade_date(reading: CurveReading, question: SpreadQuestion, curves: Sequence[LegCurve], known: Known) -> date | None:
    """Return the trade date of a question about one: ``latest`` is the newest on which every curve has quotes."""
    for name, day in (("trade_date", question.trade_date), ("from", question.first), ("to", question.last)):
        if isinstance(day, date) and day.year not in YEARS:
            raise InvalidParameters((name, f"must be in a year from {YEARS[0]} to {YEARS[-1]}", str(day)))
    if question.is_span:
        if question.trade_date is not None:
            why = "does not go with from and to: send one or the others"
            raise InvalidParameters(("trade_date", why, str(question.trade_date)))
        if question.first is not None and question.last is not None and question.first > question.last:
            raise InvalidParameters(("from", f"is after to {question.last}", str(question.first)))
        return None
    wanted = question.wanted_date
    if isinstance(wanted, date):
        return wanted
    if wanted not in (LATEST, PREVIOUS):
        raise InvalidParameters(("trade_date", f"must be a date, {LATEST} or {PREVIOUS}", wanted))
    if not curves:
        return None
    last_dates = {one.key: day for one in curves if (day := one.stored.last_trade_date) is not None}
    for one in curves:
        if one.key not in last_dates:
            raise InvalidParameters(("trade_date", f"{one.key} has no quotes: name a date", wanted))
    # After the last trade date of one curve there is no common one.
    newest = min(last_dates.values())
    if wanted == LATEST and known == Known() and newest == max(last_dates.values()):
        return newest
    stored = [one.stored for one in curves]
    frame = await trade_dates_by_curve(reading, stored, known, before=newest + _DAY, limit=_NEWEST)
    counts = frame.group_by("trade_date").agg(pl.col("curve_id").n_unique().alias("curves"))
    common = counts.filter(pl.col("curves") == len(curves))["trade_date"].sort(descending=True)
    place = 0 if wanted == LATEST else 1
    if len(common) <= place:
        names = ", ".join(one.key for one in curves)
        count = "none" if place == 0 or common.is_empty() else "only one"
        why = f"{count} of the {_NEWEST} trade dates up to {newest} has quotes of all of {names}: name a date"
        raise InvalidParameters(("trade_date", why, wanted))
    return common[place]


def _periods(
    template: SpreadTemplate,
    question: SpreadQuestion,
    named: Sequence[NamedLeg],
    curves: Mapping[str, LegCurve],
    trade_date: date | None,
) -> Sequence[DeliveryPeriod | None]:
    """Return the periods of the rows, by the delivery calendar of the leg that gives the answer its unit."""
    of_curves = [one for one in named if one.question.curve is not None]
    main = next((one for one in of_curves if one.leg.name == template.unit_of), None) or next(iter(of_curves), None)
    terms = _calendar_days() if main is None else curves[main.question.curve or ""].terms
    if question.periods:
        if of_curves and all(one.question.period is not None for one in of_curves):
            why = "do not apply: every leg has a period of its own"
            raise InvalidParameters(("periods", why, ",".join(question.periods)))
        periods = _each_period(terms, question.periods, trade_date)
        if len(periods) > MOST_PERIODS:
            raise InvalidParameters(("periods", f"must be at most {MOST_PERIODS}", len(periods)))
        return periods
    lacking = next((one for one in of_curves if one.question.period is None), None)
    if lacking is not None:
        why = f"are missing: name delivery periods such as Q1-25, or a period of {lacking.field}"
        raise InvalidParameters(("periods", why, None))
    if main is None:
        return [None]
    return [_period(terms, main.question.period or "", trade_date, f"{main.field}.period")]


def _each_period(terms: Terms, texts: Sequence[str], trade_date: date | None) -> Sequence[DeliveryPeriod]:
    names = dict.fromkeys(name.strip() for text in texts for name in text.split(","))
    return [_period(terms, name, trade_date, "periods") for name in names]


def _period(terms: Terms, text: str, trade_date: date | None, field: str) -> DeliveryPeriod:
    try:
        return requested_period(terms, text, trade_date=trade_date)
    except InvalidParameters as error:
        raise InvalidParameters((field, error.detail.partition(": ")[2], text)) from error


def _calendar_days() -> Terms:
    """Return the terms by which a period is counted when no leg has a calendar of its own."""
    return Terms(parse_delivery_calendar("fx"), None, None)


async def _leg_plan(
    reading: CurveReading,
    question: SpreadQuestion,
    one: NamedLeg,
    constant: LegFactors,
    curves: Mapping[str, LegCurve],
    periods: Sequence[DeliveryPeriod | None],
    answer: Unit,
    trade_date: date | None,
) -> LegPlan:
    curve = None if one.question.curve is None else curves[one.question.curve]
    own = None
    if curve is not None and one.question.period is not None:
        own = _period(curve.terms, one.question.period, trade_date, f"{one.field}.period")
    delivered = [own or period for period in periods]
    spans, weights, alignment = _spans(question, one, curve, delivered, trade_date, is_own=own is not None)
    fx, fx_spans = None, ()
    source, target = constant.source.currency, answer.currency
    if source is not None and target is not None and source != target:
        stated, field = (question.fx, "fx") if one.question.fx is None else (one.question.fx, f"{one.field}.fx")
        forward = None if stated.curve is None else curves[stated.curve]
        fx = await plan_fx(reading, stated, forward, source, target, field=field)
        if forward is not None:
            fx_spans = _counted(forward.terms, delivered, trade_date, field=f"{field}.curve")
    return LegPlan(constant, curve, one.question.value, spans, weights, alignment, own, fx, fx_spans)


def _spans(
    question: SpreadQuestion,
    one: NamedLeg,
    curve: LegCurve | None,
    delivered: Sequence[DeliveryPeriod | None],
    trade_date: date | None,
    *,
    is_own: bool,
) -> tuple[Sequence[DeliveryPeriod], NDArray[np.float64], Alignment | None]:
    """Return the spans whose prices a leg needs, and their weights in each period."""
    if curve is None:
        return (), np.zeros((len(delivered), 0)), None
    if one.leg.use is not LegUse.EMISSIONS or question.alignment is Alignment.PERIOD or is_own:
        counted = _counted(curve.terms, delivered, trade_date, field="periods")
        spans = list(dict.fromkeys(counted))
        weights = np.zeros((len(counted), len(spans)))
        weights[np.arange(len(counted)), [spans.index(each) for each in counted]] = 1
        return spans, weights, None
    of_periods = [
        december_weights(each.period.first, each.period.end, question.alignment) for each in delivered if each is not None
    ]
    years = sorted({year for weights in of_periods for year in weights})
    spans = [delivery_period(curve.terms, date(year, 12, 1), date(year + 1, 1, 1), trade_date) for year in years]
    return spans, np.array([[weights.get(year, 0.0) for year in years] for weights in of_periods]), question.alignment


def _counted(
    terms: Terms, delivered: Sequence[DeliveryPeriod | None], trade_date: date | None, *, field: str
) -> Sequence[DeliveryPeriod]:
    """Return the same delivery days by the calendar of another curve: seasons of two of them may differ, days do not."""
    missing = "are missing" if field == "periods" else "needs periods"
    if any(one is None for one in delivered):
        raise InvalidParameters((field, f"{missing}: name delivery periods such as Q1-25", None))
    return [delivery_period(terms, one.period.first, one.period.end, trade_date) for one in delivered if one is not None]


def _check_trade_date(question: SpreadQuestion, legs: Sequence[LegPlan], trade_date: date | None) -> None:
    """Refuse questions without a trade date that need one. Raises ``InvalidParameters``."""
    if question.is_span:
        if all(one.curve is None for one in legs):
            raise InvalidParameters(("from", "does not apply: no leg has a curve, whose trade dates there could be", None))
        return
    if trade_date is None and any(one.fx is not None and one.fx.kind is FxKind.TRADE_DATE for one in legs):
        why = "name a date: no leg has a curve, and exchange rates are those of the trade date"
        raise InvalidParameters(("trade_date", why, str(question.wanted_date)))
