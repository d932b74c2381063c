"""Differences of the quotes of many curves between two trade dates, matched by delivery period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import polars as pl

from aurum.core.curves.diff import DiffOrder, diff_quotes
from aurum.core.curves.quotes import PRICE, PriceFrom, price_columns
from aurum.services.curves.known import (
    LATEST,
    PREVIOUS,
    Known,
    check_trade_dates,
    no_earlier_date,
    quotes_of,
    trade_date_of,
)
from aurum.services.curves.periods import DeliveryPeriod, of_kinds, with_periods
from aurum.services.curves.prices import PriceConversions, conversions_of, converted
from aurum.services.curves.quotes import check_price_field, kinds_of
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_by_curve
from aurum.storage.ports.curves import QuoteSpan, StoredProduct


@dataclass(frozen=True, slots=True)
class DiffQuestion:
    """A question about the moves from trade date ``a`` to ``b``: dates, ``latest``, or ``previous``.

    ``latest`` is the newest trade date with data of any of the curves, ``previous`` the one before: for ``a`` before ``b``.
    ``field``: the price that is compared, one of ``PRICE_FIELDS``. ``kinds``: kinds of periods; empty: all. ``limit``: most
    rows; None: all.
    """

    now: datetime
    a: date | str = PREVIOUS
    b: date | str = LATEST
    field: str = PRICE
    as_of: str | datetime | None = None
    as_loaded: str | datetime | None = None
    kinds: Sequence[str] = ()
    unit: str | None = None
    currency: str | None = None
    order: DiffOrder = DiffOrder.MOVE
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class DiffPlan:
    """A resolved question. ``a``, ``b``: None: the curves have no such trade date."""

    products: Sequence[StoredProduct]
    a: date | None
    b: date | None
    known: Known
    question: DiffQuestion
    conversions: PriceConversions
    terms: Mapping[int, Terms]

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that the answer depends on beside the question, for entity tags."""
        products = [one.tag for one in self.products]
        return (products, self.conversions.versions, [*dict.fromkeys(self.terms.values())], self.known, self.a, self.b)


@dataclass(frozen=True, slots=True)
class DiffAnswer:
    """Moves. ``frame``: ``curve_id``, ``period`` (place in ``periods``), ``a``, ``b``, ``move``, ``relative``, ``status``.

    Also ``a_from`` and ``b_from``, a ``PriceFrom`` each: null for another field than ``PRICE``, and without a price.
    ``total``: number of rows before ``limit``. ``known_at``: since when the newest quote has been known; None without any.
    ``reason``: why there is nothing to compare; None: there is.
    """

    plan: DiffPlan
    frame: pl.DataFrame
    periods: Sequence[DeliveryPeriod]
    total: int
    known_at: datetime | None
    reason: str | None = None

    @property
    def mids(self) -> Sequence[tuple[int, str]]:
        """Curve id and label of the periods one of whose prices is the mean of bid and ask in the place of a settlement."""
        is_mid = pl.any_horizontal(pl.col(name) == str(PriceFrom.MID) for name in ("a_from", "b_from"))
        named: list[tuple[int, int]] = self.frame.filter(is_mid).select("curve_id", "period").rows()
        return [(curve_id, self.periods[place].period.label) for curve_id, place in named]


async def plan_diff(reading: CurveReading, products: Sequence[StoredProduct], question: DiffQuestion) -> DiffPlan:
    """Resolve a question about moves, before any quote is read. Raises ``InvalidParameters``."""
    check_price_field(question.field)
    kinds_of(question.kinds)
    known = Known.parse(question.as_of, question.as_loaded, now=question.now)
    terms = await terms_by_curve(reading, products)
    products = [one for one in products if one.curve_id in terms]
    conversions = await conversions_of(reading, products, question.unit, question.currency)
    b = await trade_date_of(reading, products, question.b, known, parameter="b")
    a = await trade_date_of(reading, products, question.a, known, parameter="a", before=b) if b is not None else None
    return DiffPlan(products, a, b, known, question, conversions, terms)


async def read_diff(reading: CurveReading, plan: DiffPlan) -> DiffAnswer:
    """Read the moves of a plan.

    Raises ``InvalidParameters`` for a day without an exchange rate, and for a requested date on which no curve has a quote.
    """
    frame, known_at = await _quotes(reading, plan)
    requested = {"a": plan.question.a, "b": plan.question.b}
    await check_trade_dates(reading, plan.products, requested, set(frame["trade_date"]), plan.known)
    moves = diff_quotes(
        frame.filter(pl.col("trade_date") == pl.lit(plan.a, pl.Date)),
        frame.filter(pl.col("trade_date") == pl.lit(plan.b, pl.Date)),
        order=plan.question.order,
    )
    ids = pl.Series([one.curve_id for one in plan.products], dtype=pl.Int32)
    # The rest of a month is named by the trade date of its quote: the later one, unless only the earlier one has it.
    dated = moves.with_columns(
        curve_id=ids.gather(moves["curve"]) if ids.len() else pl.lit(None, pl.Int32),
        trade_date=pl.when(pl.col("status") == "expired").then(pl.lit(plan.a, pl.Date)).otherwise(pl.lit(plan.b, pl.Date)),
    )
    placed, periods = with_periods(dated, plan.terms)
    if kinds := kinds_of(plan.question.kinds):
        placed = of_kinds(placed, periods, kinds)
    shown = placed if plan.question.limit is None else placed.head(plan.question.limit)
    columns = ("curve_id", "period", "a", "b", "move", "relative", "status", "a_from", "b_from")
    reason = no_earlier_date(plan.b) if plan.a is None else None
    return DiffAnswer(plan, shown.select(*columns), periods, placed.height, known_at, reason)


async def _quotes(reading: CurveReading, plan: DiffPlan) -> tuple[pl.DataFrame, datetime | None]:
    """Return ``curve`` (place among the products), the delivery, ``price``, ``price_from`` and ``trade_date``.

    With them: since when the newest quote has been known.
    """
    dates = tuple(sorted({day for day in (plan.a, plan.b) if day is not None}))
    schema = {
        "curve": pl.UInt32,
        "delivery_start": pl.Date,
        "delivery_end": pl.Date,
        "price": pl.Float64,
        "price_from": pl.String,
        "trade_date": pl.Date,
    }
    if not dates:
        return pl.DataFrame(schema=schema), None
    frame = await quotes_of(reading, plan.products, QuoteSpan(trade_dates=dates), plan.known)
    priced = await converted(reading, frame, plan.conversions, known=plan.known)
    places = {one.curve_id: place for place, one in enumerate(plan.products)}
    place = pl.col("curve_id").replace_strict(places, return_dtype=pl.UInt32)
    placed = priced.with_columns(place.alias("curve"), **price_columns(plan.question.field)).select(*schema)
    return placed, cast("datetime | None", frame["known_at"].max())
