"""Strips: prices of periods on a trade date, made of the quotes that tile them, with the exchange's own quote beside."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

import polars as pl

from aurum.core.curves.calendars import hours
from aurum.core.curves.products import Weighting
from aurum.core.curves.quotes import PRICE, PriceFrom, price_columns
from aurum.core.curves.sessions import SessionCalendar, SessionsUnknown
from aurum.core.curves.strips import Build, NoHours, Strip, StripMethod, off_peak, strip
from aurum.core.curves.weights import part_weight
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.services.curves.known import LATEST, Known, quotes_of, reason_without_quotes, trade_date_of
from aurum.services.curves.periods import DeliveryPeriod, delivery_period, requested_periods
from aurum.services.curves.prices import PriceConversions, conversions_of, converted
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, read_sessions, terms_of_product
from aurum.services.curves.strip_builds import derived_price
from aurum.storage.ports.curves import ProductFilter, QuoteSpan, StoredProduct

BASE, PEAK, OFF_PEAK = "base", "peak", "off_peak"
_SLACK = 1e-9


class Side(StrEnum):
    """The price that a strip is made of: settlements, or bids, or asks; of peak in an off-peak strip the other side."""

    SETTLE = "settle"
    """Settlements, and where a quote has none the mean of its bid and ask."""
    BID = "bid"
    ASK = "ask"


_OTHER_SIDE = {Side.BID: Side.ASK, Side.ASK: Side.BID}


@dataclass(frozen=True, slots=True)
class StripsQuestion:
    """A question about strips of a curve.

    ``periods``: their names, at least one. ``trade_date``: a date, ``latest`` or ``previous``. ``weighting``: None: that of the
    product. ``block``: another block of the same area and venue, or ``off_peak``; None: that of the curve.
    """

    now: datetime
    periods: Sequence[str]
    trade_date: date | str = LATEST
    as_of: str | datetime | None = None
    as_loaded: str | datetime | None = None
    weighting: Weighting | None = None
    block: str | None = None
    side: Side = Side.SETTLE
    unit: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class StripsPlan:
    """A resolved question. ``legs``: the curve of the strips; for off-peak that of base and that of peak.

    ``trade_date``: None: the curve has no quotes. ``terms``: of each leg. ``periods``: with the hours of the requested block.
    ``sessions``: for the weighting by sessions, else None.
    """

    legs: Sequence[StoredProduct]
    trade_date: date | None
    known: Known
    side: Side
    weighting: Weighting
    terms: Sequence[Terms]
    conversions: PriceConversions
    periods: Sequence[DeliveryPeriod]
    sessions: SessionCalendar | None = None

    @property
    def is_off_peak(self) -> bool:
        """Whether the strips are of the hours outside the peak block."""
        return len(self.legs) > 1

    @property
    def block(self) -> str:
        """The block that the strips are of."""
        return OFF_PEAK if self.is_off_peak else self.legs[0].product.key.block

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that the answer depends on beside the question, for entity tags."""
        legs = [one.tag for one in self.legs]
        return (legs, self.conversions.versions, self.terms, self.known, self.trade_date)


@dataclass(frozen=True, slots=True)
class StripPart:
    """A part of a strip. ``block``: empty unless the strip is made of blocks."""

    period: DeliveryPeriod
    weight: float
    value: float
    block: str = ""


@dataclass(frozen=True, slots=True)
class PeriodStrip:
    """The strip of one period.

    ``value``: None where the quotes do not give it; ``reason`` then says why. ``price_from``: what ``value`` is made from;
    None: bids or asks.
    """

    period: DeliveryPeriod
    value: float | None
    quoted: float | None
    difference: float | None
    method: StripMethod | None
    coverage: float
    parts: Sequence[StripPart]
    reason: str | None
    is_consistent: bool
    price_from: PriceFrom | None = None

    @property
    def is_derivable(self) -> bool:
        """Whether quotes cover the period and do not tile it: a build of the curve has its price."""
        return self.value is None and self.coverage > 1 - _SLACK


async def plan_strips(reading: CurveReading, product: StoredProduct, question: StripsQuestion) -> StripsPlan:
    """Resolve a question about strips, before any quote is read. Raises ``InvalidParameters``."""
    known = Known.parse(question.as_of, question.as_loaded, now=question.now)
    legs = await _legs(reading, product, question.block)
    terms = [await terms_of_product(reading, one) for one in legs]
    weighting = question.weighting or legs[0].product.weighting
    sessions = await sessions_of_venue(reading, legs[0]) if weighting is Weighting.SESSIONS else None
    conversions = await conversions_of(reading, legs, question.unit, question.currency)
    trade_date = await trade_date_of(reading, legs, question.trade_date, known)
    periods = requested_periods(terms[0], question.periods, trade_date=trade_date)
    return StripsPlan(legs, trade_date, known, question.side, weighting, terms, conversions, periods, sessions)


async def read_strips(reading: CurveReading, plan: StripsPlan) -> Sequence[PeriodStrip]:
    """Return the strip of each period of a plan, in its order. Raises ``InvalidParameters`` for a period without hours."""
    frame = await _prices(reading, plan)
    strips = tiled_strips(plan, frame)
    if frame.is_empty() and plan.trade_date is not None:
        span = QuoteSpan(plan.trade_date, plan.trade_date)
        why = await reason_without_quotes(reading, plan.legs, span, plan.known)
        return [replace(one, reason=why) for one in strips]
    if plan.trade_date is None or not any(one.is_derivable for one in strips):
        return strips
    return await asyncio.to_thread(_derived, plan, frame, plan.trade_date, strips)


def tiled_strips(plan: StripsPlan, frame: pl.DataFrame) -> Sequence[PeriodStrip]:
    """Return the strip of each period of a plan, in its order, without a price where no quotes tile it.

    ``frame``: ``curve_id``, ``delivery_start``, ``delivery_end``, ``price``, ``price_from`` and ``tick`` of the legs on the
    trade date. Raises ``InvalidParameters`` for a period without hours.
    """
    return [_strip_of(plan, frame, one) for one in plan.periods]


async def _legs(reading: CurveReading, product: StoredProduct, block: str | None) -> Sequence[StoredProduct]:
    """Return the curves that the strips of a block are made of, shared ones of a shared one. Raises ``InvalidParameters``."""
    key = product.product.key
    if block is None or _folded(block) == _folded(key.block):
        return [product]
    pattern = f"{key.commodity}:{key.area}:*:{key.venue}"
    siblings = await reading.curves.products(ProductFilter(keys=(pattern,)), tenant=product.tenant)
    by_block = {_folded(one.product.key.block): one for one in siblings}
    wanted = _folded(block)
    is_off_peak = wanted == _folded(OFF_PEAK)
    # A venue may list off-peak and quote only base and peak, which say the same.
    has_parts = is_off_peak and BASE in by_block and PEAK in by_block
    if wanted in by_block and not (has_parts and by_block[wanted].first_trade_date is None):
        return [by_block[wanted]]
    if is_off_peak:
        missing = next((name for name in (BASE, PEAK) if name not in by_block), None)
        if missing is None:
            return [by_block[BASE], by_block[PEAK]]
        why = f"needs base and peak of {key.area} at {key.venue}, and there is no curve of {missing}"
        raise InvalidParameters(("block", why, block))
    names = [one.product.key.block for one in siblings]
    why = f"{key.venue} quotes no block {block!r} of {key.area}; its blocks: {', '.join(names)}"
    raise InvalidParameters(("block", why, block), nearest=list(nearest(block, names)))


def _folded(block: str) -> str:
    return block.lower().replace("-", "").replace("_", "")


async def _prices(reading: CurveReading, plan: StripsPlan) -> pl.DataFrame:
    """Return the prices of the legs on the trade date.

    Columns: ``curve_id``, ``delivery_start``, ``delivery_end``, ``price``, ``price_from`` and ``tick``.

    Off-peak is base less peak: its bid is made of the bid of base and the ask of peak, and its ask the other way round.
    """
    schema = {
        "curve_id": pl.Int32,
        "delivery_start": pl.Date,
        "delivery_end": pl.Date,
        "price": pl.Float64,
        "price_from": pl.String,
        "tick": pl.Float64,
    }
    if plan.trade_date is None:
        return pl.DataFrame(schema=schema)
    span = QuoteSpan(plan.trade_date, plan.trade_date)
    frame = await quotes_of(reading, plan.legs, span, plan.known)
    ticks = {one.curve_id: one.product.tick for one in plan.legs}
    frame = frame.with_columns(pl.col("curve_id").replace_strict(ticks, return_dtype=pl.Float64).alias("tick"))
    priced = await converted(reading, frame, plan.conversions, known=plan.known, also=("tick",))
    columns = dict(price_columns(PRICE if plan.side is Side.SETTLE else plan.side))
    if plan.is_off_peak and plan.side in _OTHER_SIDE:
        is_peak = pl.col("curve_id") == plan.legs[1].curve_id
        columns["price"] = pl.when(is_peak).then(pl.col(_OTHER_SIDE[plan.side])).otherwise(columns["price"])
    return priced.with_columns(**columns).select(*schema)


def _derived(plan: StripsPlan, frame: pl.DataFrame, trade_date: date, strips: Sequence[PeriodStrip]) -> Sequence[PeriodStrip]:
    """Return the strips, with those that quotes cover but do not tile from a build of their curve."""
    builds = [
        derived_price(
            _quotes_of_leg(plan, frame, place), trade_date, terms, _build_weighting(plan, place), _tick(plan, frame, place)
        )
        for place, terms in enumerate(plan.terms)
    ]
    return [
        _strip_of(plan, frame, period, builds) if one.is_derivable else one
        for period, one in zip(plan.periods, strips, strict=True)
    ]


def _build_weighting(plan: StripsPlan, place: int) -> Weighting:
    """Return the weighting of a build, whose cells have hours and days, but are no parts of a strip nor sessions."""
    if plan.weighting in (Weighting.HOURS, Weighting.DAYS):
        return plan.weighting
    return plan.legs[place].product.weighting


def _strip_of(
    plan: StripsPlan, frame: pl.DataFrame, period: DeliveryPeriod, builds: Sequence[Build] | None = None
) -> PeriodStrip:
    return _off_peak(plan, frame, period, builds) if plan.is_off_peak else _leg(plan, frame, period, 0, builds)


def _quotes_of_leg(plan: StripsPlan, frame: pl.DataFrame, place: int) -> pl.DataFrame:
    return frame if len(plan.legs) == 1 else frame.filter(pl.col("curve_id") == plan.legs[place].curve_id)


def _tick(plan: StripsPlan, frame: pl.DataFrame, place: int) -> float:
    """Return the tick of a leg in the unit and the currency of the prices of a frame."""
    ticks = _quotes_of_leg(plan, frame, place)["tick"]
    return ticks[0] if len(ticks) else plan.legs[place].product.tick


def _leg(
    plan: StripsPlan, frame: pl.DataFrame, period: DeliveryPeriod, place: int, builds: Sequence[Build] | None
) -> PeriodStrip:
    terms = plan.terms[place]
    quotes = _quotes_of_leg(plan, frame, place)
    try:
        made = strip(
            quotes,
            period.period,
            weight=part_weight(plan.weighting, terms.calendar, terms.block, plan.sessions),
            tick=_tick(plan, frame, place),
            build=None if builds is None else builds[place],
            hours=lambda first, end: hours(terms.calendar, first, end, terms.block),
        )
    except NoHours as error:
        raise InvalidParameters(("period", error.detail, period.period.label)) from error
    except SessionsUnknown as error:
        raise InvalidParameters(("weighting", error.detail, str(plan.weighting))) from error
    return replace(_named(made, period, terms, plan.trade_date), price_from=_price_from(made, quotes))


def _price_from(made: Strip, quotes: pl.DataFrame) -> PriceFrom | None:
    """Return what a strip is made from: ``mid`` where one of its parts is, or where it is built one of all quotes."""
    mids: list[tuple[date, date]] = (
        quotes.filter(pl.col("price_from") == str(PriceFrom.MID)).select("delivery_start", "delivery_end").rows()
    )
    if made.value is None or (not mids and quotes["price_from"].null_count() == quotes.height):
        return None
    parts = {(one.first, one.end) for one in made.parts}
    return PriceFrom.MID if (parts.intersection(mids) if parts else mids) else PriceFrom.SETTLE


def _named(made: Strip, period: DeliveryPeriod, terms: Terms, trade_date: date | None) -> PeriodStrip:
    parts = [
        StripPart(delivery_period(terms, part.first, part.end, trade_date), part.weight, part.value) for part in made.parts
    ]
    reason = made.reason if trade_date is not None or made.value is not None else "the curve has no quotes"
    return PeriodStrip(
        period, made.value, made.quoted, made.difference, made.method, made.coverage, parts, reason, made.is_consistent
    )


def _off_peak(plan: StripsPlan, frame: pl.DataFrame, period: DeliveryPeriod, builds: Sequence[Build] | None) -> PeriodStrip:
    """Return the strip of the hours outside the peak block."""
    legs = [_leg(plan, frame, period, place, builds) for place in (0, 1)]
    base_hours, peak_hours = (
        hours(terms.calendar, period.period.first, period.period.end, terms.block) for terms in plan.terms
    )
    outside = DeliveryPeriod(period.period, period.start, period.end, base_hours - peak_hours)
    coverage = min(one.coverage for one in legs)
    base, peak = (one.value for one in legs)
    if base is None or peak is None:
        reason = "; ".join(f"{name}: {one.reason}" for name, one in zip((BASE, PEAK), legs, strict=True) if one.value is None)
        return PeriodStrip(outside, None, None, None, None, coverage, (), reason, is_consistent=True)
    try:
        value = off_peak(base, base_hours, peak, peak_hours)
    except NoHours as error:
        of_base, of_peak = (one.product for one in plan.legs)
        why = (
            f"cannot be off-peak: {of_peak.key} delivers in {peak_hours:g} hours of {period.period.label} "
            f"(calendar_block: {of_peak.block or 'all hours'}), and {of_base.key} in {base_hours:g}: no hours are left outside"
        )
        raise InvalidParameters(("block", why, OFF_PEAK)) from error
    within = DeliveryPeriod(period.period, period.start, period.end, peak_hours)
    parts = [StripPart(period, base_hours, base, BASE), StripPart(within, -peak_hours, peak, PEAK)]
    consistent = all(one.is_consistent for one in legs)
    made = PriceFrom.MID if PriceFrom.MID in (one.price_from for one in legs) else legs[0].price_from
    return PeriodStrip(outside, value, None, None, StripMethod.FROM_BLOCKS, coverage, parts, None, consistent, made)


async def sessions_of_venue(reading: CurveReading, stored: StoredProduct) -> SessionCalendar:
    """Return the sessions of the venue of a product. Raises ``InvalidParameters`` where they are unknown."""
    name = stored.product.sessions
    if name is None:
        why = f"does not apply to {stored.product.key}: the sessions of its venue are unknown"
        raise InvalidParameters(("weighting", why, str(Weighting.SESSIONS)))
    try:
        return await read_sessions(reading, stored, name)
    except UnknownName as error:
        raise InvalidParameters(("weighting", error.detail, str(Weighting.SESSIONS))) from error
