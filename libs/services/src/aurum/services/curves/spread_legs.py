"""Prices of the legs of a spread on some trade dates.

A leg is priced by the quote of its delivery period, which is what can be traded; where there is none, by the strip of finer
ones, and where no strip tiles it, by the curve that is built from the quotes of the trade date.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.curves.calendars import hours
from aurum.core.curves.products import Weighting
from aurum.core.curves.quotes import PRICE, PriceFrom, price_columns
from aurum.core.curves.sessions import SessionCalendar, SessionsUnknown
from aurum.core.curves.spreads import CONTRACT_DAY, SpreadSide
from aurum.core.curves.strips import NoHours, StripMethod, strip_history
from aurum.core.curves.weights import part_weight
from aurum.core.errors import InvalidParameters
from aurum.services.curves.known import Known, quotes_of
from aurum.services.curves.periods import DeliveryPeriod
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms
from aurum.services.curves.strip_builds import derived_price
from aurum.services.curves.strips import Side, sessions_of_venue
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

SPAN_PRICES = pl.Schema(
    {
        "date": pl.UInt32(),
        "span": pl.UInt32(),
        "contract": pl.String(),
        "price": pl.Float64(),
        "price_from": pl.String(),
        "method": pl.String(),
        "reason": pl.String(),
    }
)
"""Prices of spans: ``date`` and ``span`` are places among the trade dates and the spans. ``contract``: label of the period that
has the price. ``price_from``: ``mid`` where it is made of the mean of a bid and an ask, else ``settle``; null without a price,
and on sides other than that of settlements. ``reason``: why there is no price."""

CONTRACTS = pl.List(
    pl.Struct({"contract": pl.String(), "weight": pl.Float64(), "price": pl.Float64(), "in_place_of": pl.String()})
)
"""The contracts that make the price of a row. ``in_place_of``: the contract before it, which has expired; else null."""

MOST_BUILDS = 1_000
"""Most curves of one question that are built: one for each curve, side and trade date whose quotes do not tile a span."""
MOST_QUOTES = 2_000_000
"""Most quotes that are read for one question."""
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class LegCurve:
    """A curve that a leg, or an exchange rate, has its prices from. ``sessions``: for strips weighted by them, else None."""

    stored: StoredProduct
    terms: Terms
    sessions: SessionCalendar | None = None

    @property
    def key(self) -> str:
        return str(self.stored.product.key)


@dataclass(frozen=True, slots=True)
class SpanRequest:
    """The prices of some spans of a curve that a spread needs."""

    curve: LegCurve
    spans: Sequence[DeliveryPeriod]
    side: SpreadSide

    @property
    def name(self) -> SpanName:
        """The request as a key: legs that need the same prices share them."""
        return self.curve.key, self.side, tuple(self.spans)


SpanName = tuple[str, SpreadSide, tuple[DeliveryPeriod, ...]]


async def leg_curve(reading: CurveReading, stored: StoredProduct, terms: Terms) -> LegCurve:
    """Return a curve with what its strips need."""
    by_sessions = stored.product.weighting is Weighting.SESSIONS
    return LegCurve(stored, terms, await sessions_of_venue(reading, stored) if by_sessions else None)


async def quotes_between(
    reading: CurveReading, curves: Sequence[LegCurve], first: date | None, last: date | None, known: Known
) -> Mapping[str, pl.DataFrame]:
    """Return the quotes of some curves on the trade dates of a span, by key of the curve.

    Raises ``InvalidParameters`` for more than ``MOST_QUOTES`` of all curves together.
    """
    if not curves:
        return {}
    span = QuoteSpan(first, last, most=MOST_QUOTES)
    frame = await quotes_of(reading, [one.stored for one in curves], span, known)
    if frame.height > MOST_QUOTES:
        why = f"the curves have more than {MOST_QUOTES:,} quotes from then on: request a shorter span of trade dates"
        raise InvalidParameters(("from", why, None if first is None else str(first)))
    by_id = frame.partition_by("curve_id", as_dict=True)
    return {one.key: by_id.get((one.stored.curve_id,), frame.clear()) for one in curves}


async def prices_through(
    requests: Sequence[SpanRequest], quotes: Mapping[str, pl.DataFrame], dates: pl.Series, first: date | None
) -> Mapping[SpanName, pl.DataFrame]:
    """Return the prices of the spans of some requests on each trade date: ``SPAN_PRICES``, by the name of the request.

    ``quotes``: by key of a curve. ``dates``: ascending. ``first``: of the question. A curve is built once for each trade date
    and side, for all spans. Raises ``InvalidParameters``, before anything is built for more than ``MOST_BUILDS``.
    """
    return await asyncio.to_thread(_through, {one.name: one for one in requests}, quotes, dates, first)


def with_carried(prices: pl.DataFrame, spans: Sequence[DeliveryPeriod], dates: pl.Series) -> pl.DataFrame:
    """Return the prices of December contracts; one that has expired has the price of the first listed after it.

    ``prices``: ``SPAN_PRICES``. ``spans``: Decembers, ascending. ``dates``: the trade dates.
    """
    days = pl.DataFrame({"day": dates}, {"day": pl.Date}).with_row_index("date")
    contracts = pl.DataFrame({"expires": [one.period.first.replace(day=CONTRACT_DAY[1]) for one in spans]}).with_row_index(
        "span"
    )
    placed = prices.join(days, on="date").join(contracts, on="span").sort("date", "span")
    following = ("contract", "price", "price_from", "method")
    listed = [pl.when(pl.col("price").is_not_null()).then(name).alias(f"listed_{name}") for name in following]
    filled = placed.with_columns(listed).with_columns(
        pl.col(f"listed_{name}").backward_fill().over("date") for name in following
    )
    is_carried = pl.col("price").is_null() & (pl.col("expires") <= pl.col("day")) & pl.col("listed_price").is_not_null()
    return filled.with_columns(
        *(pl.when(is_carried).then(f"listed_{name}").otherwise(name).alias(name) for name in following),
        reason=pl.when(~is_carried).then("reason"),
    ).select(list(SPAN_PRICES))


def of_periods(prices: pl.DataFrame, weights: NDArray[np.float64]) -> pl.DataFrame:
    """Return the price of each row, by date, then period, where each period has one span: the columns of ``mixed``."""
    places = pl.DataFrame({"span": weights.argmax(axis=1).astype(np.uint32)}).with_row_index("period")
    rows = places.join(prices, on="span").with_columns(contracts=pl.lit(None, CONTRACTS)).sort("date", "period")
    return rows.select("date", "period", "price", "price_from", "method", "reason", "contracts")


def mixed(
    prices: pl.DataFrame, weights: NDArray[np.float64], spans: Sequence[DeliveryPeriod], dates: int, *, method: str
) -> pl.DataFrame:
    """Return the price of each row, by date, then period: the weighted sum of spans.

    ``prices``: ``SPAN_PRICES``. ``weights``: by period (rows) and span (columns); a weight of 0 needs no price. ``method``:
    how several spans make a price. Columns: ``date``, ``period``, ``price``, ``price_from``, ``method``, ``reason`` and
    ``contracts`` (``CONTRACTS``).
    """
    # Without a trade date no span has a part.
    by_span = prices.sort("span", "date").partition_by("span", as_dict=True)
    rows: list[pl.DataFrame] = []
    for period, row in enumerate(weights):
        used = [int(place) for place in np.flatnonzero(row)]
        frame = pl.DataFrame({"date": np.arange(dates, dtype=np.uint32), "period": np.full(dates, period, np.uint32)})
        for place in used:
            frame = frame.hstack(
                by_span.get((place,), prices.clear()).drop("date", "span").select(pl.all().name.suffix(f"_{place}"))
            )
        parts = [_contract(spans[place], float(row[place]), place) for place in used]
        columns = {
            "price": pl.sum_horizontal((pl.col(f"price_{place}") * float(row[place]) for place in used), ignore_nulls=False),
            "price_from": _made_from([pl.col(f"price_from_{place}") for place in used]),
            "method": pl.lit(method),
            "reason": pl.coalesce(pl.format(f"{spans[place].period.label}: {{}}", f"reason_{place}") for place in used),
            "contracts": pl.concat_list(*parts).cast(CONTRACTS),
        }
        rows.append(frame.select("date", "period", **columns))
    return pl.concat(rows).sort("date", "period")


def _made_from(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Return what a price is made from: ``mid`` where a part is one; null where a part has no price."""
    is_mid = pl.any_horizontal(part == str(PriceFrom.MID) for part in parts)
    made = pl.when(is_mid).then(pl.lit(str(PriceFrom.MID))).otherwise(pl.lit(str(PriceFrom.SETTLE)))
    return pl.when(pl.all_horizontal(part.is_not_null() for part in parts)).then(made)


def _contract(span: DeliveryPeriod, weight: float, place: int) -> pl.Expr:
    contract, label = pl.col(f"contract_{place}"), span.period.label
    return pl.struct(
        contract=contract,
        weight=pl.lit(weight),
        price=pl.col(f"price_{place}"),
        in_place_of=pl.when(contract != label).then(pl.lit(label)),
    )


def _sides(side: SpreadSide) -> Sequence[Side]:
    return (Side.BID, Side.ASK) if side is SpreadSide.MID else (Side(side.value),)


def _middle(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the prices of a side, or the means of those of two."""
    if len(parts) == 1:
        return parts[0]
    bid, ask = parts
    both = bid.hstack(ask.select(pl.col("price", "method", "reason").name.suffix("_ask")))
    return both.with_columns(
        price=(pl.col("price") + pl.col("price_ask")) / 2,
        method=pl.coalesce("method", "method_ask"),
        reason=pl.coalesce("reason", "reason_ask"),
    ).select(list(SPAN_PRICES))


@dataclass(frozen=True, slots=True)
class _Tiled:
    """A curve on one side: its quotes, and what they say of each span without a build (``STRIP_HISTORY``).

    ``priced``: ``trade_date``, ``delivery_start``, ``delivery_end``, ``price``, ``price_from``. ``histories``: with
    ``price_from``.
    """

    curve: LegCurve
    side: Side
    priced: pl.DataFrame
    histories: dict[DeliveryPeriod, pl.DataFrame]

    def open_dates(self, span: DeliveryPeriod) -> Sequence[date]:
        """Return the trade dates whose quotes cover a span and do not tile it."""
        is_open = pl.col("value").is_null() & (pl.col("coverage") > 1 - _SLACK)
        return self.histories[span].filter(is_open)["trade_date"].to_list()


def _through(
    requests: Mapping[SpanName, SpanRequest], quotes: Mapping[str, pl.DataFrame], dates: pl.Series, first: date | None
) -> Mapping[SpanName, pl.DataFrame]:
    tiled: dict[tuple[str, Side], _Tiled] = {}
    for one in requests.values():
        for side in _sides(one.side):
            known = tiled.setdefault((one.curve.key, side), _tiled(one.curve, quotes[one.curve.key], side))
            for span in one.spans:
                if span not in known.histories:
                    known.histories[span] = _history(known, span)
    builds = sum(len({day for span in one.histories for day in one.open_dates(span)}) for one in tiled.values())
    if builds > MOST_BUILDS:
        why = (
            f"quotes do not tile the periods, and {builds:,} curves would be built, of {MOST_BUILDS:,} at most: request a "
            "shorter span of trade dates, or periods that are quoted"
        )
        raise InvalidParameters(("from", why, None if first is None else str(first)))
    prices = {key: _with_builds(one) for key, one in tiled.items()}
    return {
        name: _middle([_spans(one, prices[one.curve.key, side], dates, side) for side in _sides(one.side)])
        for name, one in requests.items()
    }


def _tiled(curve: LegCurve, quotes: pl.DataFrame, side: Side) -> _Tiled:
    prices = price_columns(PRICE if side is Side.SETTLE else side.value)
    return _Tiled(curve, side, quotes.select("trade_date", "delivery_start", "delivery_end", **prices), {})


def _history(tiled: _Tiled, span: DeliveryPeriod) -> pl.DataFrame:
    try:
        history = _strips(tiled.curve, tiled.priced, span)
        share = pl.lit(_share_of_mids(tiled, span))
    except NoHours as error:
        raise InvalidParameters(("periods", error.detail, span.period.label)) from error
    except SessionsUnknown as error:
        raise InvalidParameters(("legs", error.detail, tiled.curve.key)) from error
    value, is_quoted = pl.coalesce("quoted", "value"), pl.col("quoted").is_not_null()
    source = pl.when(share > 0).then(pl.lit(str(PriceFrom.MID))).otherwise(pl.lit(str(PriceFrom.SETTLE)))
    return history.with_columns(
        value=value,
        method=pl.when(is_quoted).then(pl.lit(str(StripMethod.QUOTED))).otherwise(pl.col("method").cast(pl.String)),
        price_from=pl.when(value.is_not_null() & (tiled.side is Side.SETTLE)).then(source),
    )


def _share_of_mids(tiled: _Tiled, span: DeliveryPeriod) -> pl.Series | float:
    """Return the weight of means of bid and ask in the price of a span on each trade date, above 0 where there are any."""
    is_mid = pl.col("price_from") == str(PriceFrom.MID)
    marked = tiled.priced.with_columns(price=is_mid.cast(pl.Float64))
    if not marked["price"].sum():
        return 0.0
    return _strips(tiled.curve, marked, span).select(pl.coalesce("quoted", "value")).to_series()


def _strips(curve: LegCurve, quotes: pl.DataFrame, span: DeliveryPeriod) -> pl.DataFrame:
    terms = curve.terms
    weight = part_weight(curve.stored.product.weighting, terms.calendar, terms.block, curve.sessions)
    return strip_history(
        quotes, span.period, weight=weight, hours=lambda first, end: hours(terms.calendar, first, end, terms.block)
    )


def _with_builds(tiled: _Tiled) -> Mapping[DeliveryPeriod, pl.DataFrame]:
    """Return the strips of the spans, with the prices of built curves where quotes cover a span and do not tile it."""
    spans_of: dict[date, list[DeliveryPeriod]] = {}
    for span in tiled.histories:
        for day in tiled.open_dates(span):
            spans_of.setdefault(day, []).append(span)
    built: dict[DeliveryPeriod, list[tuple[date, float | None, str | None]]] = {}
    product = tiled.curve.stored.product
    for day, spans in spans_of.items():
        frame = tiled.priced.filter(pl.col("trade_date") == day)
        price = derived_price(frame, day, tiled.curve.terms, product.weighting, product.tick)
        made = PriceFrom.MID if (frame["price_from"] == str(PriceFrom.MID)).any() else PriceFrom.SETTLE
        for span in spans:
            built.setdefault(span, []).append((day, price(span.period), made if tiled.side is Side.SETTLE else None))
    return {
        span: history.update(_of_builds(built[span]), on="trade_date") if span in built else history
        for span, history in tiled.histories.items()
    }


def _of_builds(prices: Sequence[tuple[date, float | None, str | None]]) -> pl.DataFrame:
    """Return ``trade_date``, ``value``, ``price_from`` and ``method`` of the dates whose built curve gives a price."""
    schema = {"trade_date": pl.Date, "value": pl.Float64, "price_from": pl.String}
    made = pl.DataFrame(prices, schema=schema, orient="row").drop_nulls("value")
    return made.with_columns(method=pl.lit(str(StripMethod.FROM_BUILD)))


def _spans(
    request: SpanRequest, histories: Mapping[DeliveryPeriod, pl.DataFrame], dates: pl.Series, side: Side
) -> pl.DataFrame:
    """Return the price of each span of a request on each trade date: ``SPAN_PRICES``."""
    labels = pl.DataFrame({"contract": [one.period.label for one in request.spans]}).with_row_index("span")
    made = pl.concat(histories[span].with_columns(span=pl.lit(place, pl.UInt32)) for place, span in enumerate(request.spans))
    rows = pl.DataFrame({"trade_date": dates}).with_row_index("date").join(labels, how="cross", maintain_order="left_right")
    joined = rows.join(made, on=["trade_date", "span"], how="left", maintain_order="left")
    prefix = "" if side is Side.SETTLE else f"{side}: "
    reason = pl.when(pl.col("value").is_null()).then(pl.concat_str(pl.lit(prefix), _why_none(request.curve.key)))
    return joined.with_columns(price="value", reason=reason).select(list(SPAN_PRICES))


def _why_none(key: str) -> pl.Expr:
    """Return the reason why the quotes of a curve do not give the price of the period ``contract``."""
    untiled = "quotes do not tile {}, and the curve built from those ahead of their delivery does not cover it"
    coverage = pl.col("coverage")
    return (
        pl.when(coverage.is_null())
        .then(pl.lit(f"{key} has no quotes on this trade date"))
        .when(coverage == 0)
        .then(pl.format("no priced quote covers any of {}", "contract"))
        .when(coverage < 1 - _SLACK)
        .then(pl.format("priced quotes cover {} % of {}", (coverage * 100).round(4), "contract"))
        .otherwise(pl.format(untiled, "contract"))
    )
