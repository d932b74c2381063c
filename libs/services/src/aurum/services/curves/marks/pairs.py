"""Marks of curves beside the prices of other curves: what is read for all pairs together, and what each pair makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from aurum.core.curves.marks import NAMED_MARKS
from aurum.core.curves.products import Weighting
from aurum.core.curves.quotes import PRICE, price_columns
from aurum.core.curves.sessions import SessionCalendar
from aurum.core.errors import InvalidParameters
from aurum.services.curves.known import Known, quotes_of
from aurum.services.curves.marks.own_strips import strips_of_marks
from aurum.services.curves.marks.reading import delivery_periods
from aurum.services.curves.periods import DeliveryPeriod, delivery_period
from aurum.services.curves.prices import PriceConversions, conversions_of, converted
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_by_curve
from aurum.services.curves.strips import Side, StripsPlan, sessions_of_venue, tiled_strips
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

COMPARED = pl.Schema(
    {
        **{name: NAMED_MARKS[name] for name in ("curve", "delivery_start", "delivery_end", "label", "kind")},
        **{name: NAMED_MARKS[name] for name in ("starts_at", "ends_at", "hours", "unit")},
        "other_curve": pl.String(),
        "value": pl.Float64(),
        "other": pl.Float64(),
        "method": pl.String(),
        "price_from": pl.String(),
    }
)
"""Marks beside other prices, in the unit of the mark. ``method``: ``quoted``, or that of the strip of the other price, or
``OWN_STRIP``. ``price_from``: what the other price is made from, a ``PriceFrom``."""
OWN_STRIP = "own_from_finer"
"""The other price is quoted, and the mark is the strip of finer marks."""
_BUILT = "the other curve quotes only periods that overlap it, and a curve that is built from them is not an independent price"
_SPAN = ["delivery_start", "delivery_end"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A curve of a set and another one. ``rows``: its marks that have a price, one at least. ``own``: None: it is no more."""

    curve: str
    own: StoredProduct | None
    other: StoredProduct
    rows: pl.DataFrame

    @property
    def unit(self) -> str:
        """The unit of the marks."""
        return self.rows["unit"][0]


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A mark, or a curve (``period`` None), that could not be compared, and why."""

    curve: str
    period: DeliveryPeriod | None
    other_curve: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PairPrices:
    """Prices that some pairs are compared with, on one trade date.

    ``quotes``: of the other curve of each pair by the key of its own, in the unit of the marks, with ``tick``; a pair without
    them is in ``refused``. ``terms``: by curve id. ``sessions``: of other curves that are weighted by them, by curve id, or why
    they are unknown.
    """

    trade_date: date
    known: Known
    quotes: Mapping[str, pl.DataFrame]
    terms: Mapping[int, Terms]
    sessions: Mapping[int, SessionCalendar | str]
    refused: Sequence[NotCompared]


async def read_pairs(reading: CurveReading, pairs: Sequence[Pair], trade_date: date, known: Known) -> PairPrices:
    """Read the prices that pairs are compared with: once for all pairs, and conversions once for each two units."""
    if not pairs:
        return PairPrices(trade_date, known, {}, {}, {}, ())
    others = _distinct(pair.other for pair in pairs)
    frame = await quotes_of(reading, others, QuoteSpan(trade_dates=(trade_date,)), known)
    ticks = {one.curve_id: one.product.tick for one in others}
    ticked = frame.with_columns(pl.col("curve_id").replace_strict(ticks, return_dtype=pl.Float64).alias("tick"))
    terms = await terms_by_curve(reading, _distinct([*others, *(pair.own for pair in pairs if pair.own is not None)]))
    refused: list[NotCompared] = []
    quotes: dict[str, pl.DataFrame] = {}
    by_units: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        if pair.other.curve_id in terms:
            by_units.setdefault((pair.other.product.unit, pair.unit), []).append(pair)
        else:
            refused.append(_refused(pair, "the delivery calendar or the block of the other curve is unknown"))
    for (_, unit), some in by_units.items():
        try:
            priced = await _priced(reading, ticked, some, unit, known)
        except InvalidParameters as error:
            refused += [_refused(pair, error.detail) for pair in some]
        else:
            quotes |= {pair.curve: priced.filter(pl.col("curve_id") == pair.other.curve_id) for pair in some}
    return PairPrices(trade_date, known, quotes, terms, await _sessions(reading, others), refused)


def beside(pair: Pair, prices: PairPrices) -> tuple[pl.DataFrame, Sequence[NotCompared]]:
    """Return the marks of a pair that has quotes beside the other prices, schema ``COMPARED``, and those without one."""
    quotes = prices.quotes[pair.curve]
    made = quotes.select(*_SPAN, **price_columns(PRICE)).rename({"price": "other"})
    exact = made.filter(pl.col("other").is_not_null())
    named = pair.rows.join(exact, on=_SPAN, how="left", maintain_order="left").with_columns(
        other_curve=pl.lit(str(pair.other.product.key)), method=pl.lit("quoted")
    )
    open_rows = named.filter(pl.col("other").is_null())
    strips, missing = _strips(pair, open_rows, quotes, prices)
    closed = open_rows.drop("other", "method", "price_from").join(strips, on=_SPAN, how="inner")
    frames = (named.filter(pl.col("other").is_not_null()), closed, _own_strips(pair, exact, prices))
    return pl.concat([frame.select(list(COMPARED)) for frame in frames]), missing


async def _priced(reading: CurveReading, quotes: pl.DataFrame, pairs: Sequence[Pair], unit: str, known: Known) -> pl.DataFrame:
    """Return the quotes of the other curves of some pairs, which have one unit, in the unit of the marks.

    Raises ``InvalidParameters``.
    """
    others = _distinct(pair.other for pair in pairs)
    own = quotes.filter(pl.col("curve_id").is_in([one.curve_id for one in others]))
    if others[0].product.unit == unit:
        return own
    conversions = await conversions_of(reading, others, unit, None)
    return await converted(reading, own, conversions, known=known, also=("tick",))


async def _sessions(reading: CurveReading, products: Sequence[StoredProduct]) -> Mapping[int, SessionCalendar | str]:
    """Return the sessions of the products that are weighted by them, or why they are unknown: once for each calendar."""
    calendars: dict[tuple[str | None, str | None], SessionCalendar | str] = {}
    sessions: dict[int, SessionCalendar | str] = {}
    for one in products:
        if one.product.weighting is not Weighting.SESSIONS:
            continue
        name = (one.product.sessions, one.tenant)
        if name not in calendars:
            try:
                calendars[name] = await sessions_of_venue(reading, one)
            except InvalidParameters as error:
                calendars[name] = error.detail
        sessions[one.curve_id] = calendars[name]
    return sessions


def _strips(
    pair: Pair, rows: pl.DataFrame, quotes: pl.DataFrame, prices: PairPrices
) -> tuple[pl.DataFrame, Sequence[NotCompared]]:
    """Return the strips of the other curve for marks of periods that it does not quote, and the marks that have none."""
    schema = {name: COMPARED[name] for name in (*_SPAN, "other", "method", "price_from")}
    if rows.is_empty():
        return pl.DataFrame(schema=schema), ()
    _, marked = delivery_periods(rows)
    other, terms, day = pair.other, prices.terms[pair.other.curve_id], prices.trade_date
    sessions = prices.sessions.get(other.curve_id)
    if isinstance(sessions, str):
        return pl.DataFrame(schema=schema), [_refused(pair, sessions, period) for period in marked]
    periods = [delivery_period(terms, first, end, day) for first, end in rows.select(_SPAN).rows()]
    plan = StripsPlan(
        [other],
        day,
        prices.known,
        Side.SETTLE,
        other.product.weighting,
        [terms],
        PriceConversions(),
        periods,
        sessions,
    )
    try:
        strips = tiled_strips(plan, quotes.select("curve_id", *_SPAN, "tick", **price_columns(PRICE)))
    except InvalidParameters as error:
        return pl.DataFrame(schema=schema), [_refused(pair, error.detail, period) for period in marked]
    priced: list[tuple[object, ...]] = []
    missing: list[NotCompared] = []
    for period, made in zip(marked, strips, strict=True):
        if made.value is not None:
            priced.append((period.period.first, period.period.end, made.value, str(made.method), made.price_from))
        else:
            reason = _BUILT if made.is_derivable else made.reason or "the other curve has no price"
            missing.append(_refused(pair, reason, period))
    return pl.DataFrame(priced, schema=schema, orient="row"), missing


def _own_strips(pair: Pair, exact: pl.DataFrame, prices: PairPrices) -> pl.DataFrame:
    """Return strips of marks beside the quotes of the other curve for periods that the set does not mark."""
    wanted = exact.join(pair.rows, on=_SPAN, how="anti")
    open_rows = pair.rows.join(exact, on=_SPAN, how="anti")
    # A quarter whose months are all compared says nothing more.
    within = wanted.join(open_rows.select(start="delivery_start", end="delivery_end"), how="cross").filter(
        (pl.col("start") >= pl.col("delivery_start")) & (pl.col("end") <= pl.col("delivery_end"))
    )
    spans = list(within.select(_SPAN).unique().sort(_SPAN).rows())
    if pair.own is None or pair.own.curve_id not in prices.terms or not spans:
        return pl.DataFrame(schema=COMPARED)
    strips = strips_of_marks(pair.rows, spans, pair.own, prices.terms[pair.own.curve_id], prices.trade_date)
    priced = strips.join(wanted, on=_SPAN, how="inner")
    named = {"curve": pair.curve, "unit": pair.unit, "other_curve": str(pair.other.product.key), "method": OWN_STRIP}
    return priced.with_columns(pl.lit(text, pl.String).alias(name) for name, text in named.items())


def _refused(pair: Pair, reason: str, period: DeliveryPeriod | None = None) -> NotCompared:
    return NotCompared(pair.curve, period, str(pair.other.product.key), reason)


def _distinct(products: Iterable[StoredProduct]) -> Sequence[StoredProduct]:
    return list({one.curve_id: one for one in products}.values())
