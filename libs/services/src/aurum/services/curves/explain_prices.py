"""Prices that explanations compare: by each method, as known then and as known at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from aurum.core.curves import weights
from aurum.core.curves.explain import METHODS
from aurum.core.curves.overlaps import Weight
from aurum.core.curves.periods import Period
from aurum.core.curves.quotes import PriceFrom, price_columns
from aurum.core.curves.rolls import RollTerms
from aurum.core.curves.strips import NoHours, StripMethod, strip
from aurum.core.errors import InvalidParameters
from aurum.core.frames import UTC_US
from aurum.services.curves.known import LATEST, PREVIOUS, Known, next_trade_dates, quote_versions, quotes_of, trade_date_of
from aurum.services.curves.periods import delivery_period
from aurum.services.curves.prices import PriceConversions, converted
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

_INSTANT = timedelta(microseconds=1)
"""Resolution of known times."""


@dataclass(frozen=True, slots=True)
class Between:
    """The trade dates and the states of knowledge that an explanation compares.

    ``a``, ``b``: None: the curves have no such trade date. ``then``: the requested state of ``a``; None: by default.
    ``known``: the state of ``b``.
    """

    a: date | None
    b: date | None
    then: datetime | None
    known: Known


async def between(
    reading: CurveReading,
    products: Sequence[StoredProduct],
    *,
    a: date | str = PREVIOUS,
    b: date | str = LATEST,
    as_of_a: str | datetime | None = None,
    as_of_b: str | datetime | None = None,
    as_loaded: str | datetime | None = None,
    now: datetime,
) -> Between:
    """Return the trade dates that two parameters name for some products together, and their states of knowledge.

    Raises ``InvalidParameters``, also for dates or instants in the wrong order.
    """
    known = Known.parse(as_of_b, as_loaded, now=now, parameter="as_of_b")
    then = Known.parse(as_of_a, None, now=now, parameter="as_of_a").as_of
    if then is not None and then > (known.as_of or now):
        raise InvalidParameters(("as_of_a", "is after as_of_b, or in the future", then.isoformat()))
    later = await trade_date_of(reading, products, b, known, parameter="b")
    earlier = None
    if later is not None:
        earlier = await trade_date_of(reading, products, a, known, parameter="a", before=later)
    if earlier is not None and later is not None and earlier > later:
        raise InvalidParameters(("a", f"is after b {later}", str(earlier)))
    return Between(earlier, later, then, known)


async def prices_then(
    reading: CurveReading,
    products: Sequence[StoredProduct],
    span: Between,
    conversions: PriceConversions,
    field: str,
    *,
    following: Mapping[int, date] | None = None,
) -> tuple[Mapping[int, Known], pl.DataFrame]:
    """Return the states of knowledge in which the prices of ``a`` are read, by curve id, and these prices as ``priced`` does.

    By default a state is just before the first quotes of the next trade date became known, so that a correction which came
    earlier belongs to ``a`` itself. Where nothing of ``a`` was known by then, and where ``b`` is the same trade date, when its
    first quotes became known.
    ``following``: next trade dates that are known already, by curve id. There must be a trade date ``a``.
    """
    a = span.a
    assert a is not None
    if span.then is not None:
        known = Known(span.then, span.known.as_loaded)
        states = {one.curve_id: known for one in products}
        return states, await priced(reading, products, QuoteSpan(a, a), known, conversions, field)
    is_one_date = span.a == span.b
    later = {} if is_one_date else dict(following or {})
    if unknown := [one for one in products if not is_one_date and one.curve_id not in later]:
        later |= await next_trade_dates(reading, unknown, span.known, a)
    versions = await quote_versions(reading, products, QuoteSpan(trade_dates=tuple(sorted({a, *later.values()}))), span.known)
    states = _states(versions, a, later, span.known, products, is_one_date=is_one_date)
    # All versions are at hand: a read as of each state would be one for each venue.
    then = pl.DataFrame(
        {"curve_id": list(states), "then": [one.as_of for one in states.values()]}, {"curve_id": pl.Int32, "then": UTC_US}
    )
    known = pl.col("then").is_null() | (pl.col("known_at") <= pl.col("then"))
    stands = pl.col("superseded_at").is_null() | (pl.col("superseded_at") > pl.col("then"))
    in_force = versions.filter(pl.col("trade_date") == a).join(then, on="curve_id").filter(known & stands)
    by_state = {one: [curve for curve, state in states.items() if state == one] for one in dict.fromkeys(states.values())}
    if not conversions.rates:
        by_state = {span.known: list(states)}  # factors of units are the same at any time
    parts = [
        await converted(reading, in_force.filter(pl.col("curve_id").is_in(ids)), conversions, known=state)
        for state, ids in by_state.items()
    ]
    return states, _prices(pl.concat(parts), field)


def _states(
    versions: pl.DataFrame,
    a: date,
    following: Mapping[int, date],
    known: Known,
    products: Sequence[StoredProduct],
    *,
    is_one_date: bool,
) -> Mapping[int, Known]:
    firsts = versions.group_by("curve_id", "trade_date").agg(pl.col("known_at").min())
    first_known: dict[tuple[int, date], datetime] = {
        (curve, day): at for curve, day, at in firsts.select("curve_id", "trade_date", "known_at").rows()
    }
    states = {one.curve_id: known for one in products}
    if is_one_date:
        return states | {curve: Known(first, known.as_loaded) for (curve, day), first in first_known.items() if day == a}
    for curve, day in following.items():
        first, after = first_known.get((curve, a)), first_known.get((curve, day))
        if first is not None and after is not None:
            states[curve] = Known(max(after - _INSTANT, first), known.as_loaded)
    return states


async def priced(
    reading: CurveReading,
    products: Sequence[StoredProduct],
    span: QuoteSpan,
    known: Known,
    conversions: PriceConversions,
    field: str,
) -> pl.DataFrame:
    """Return the prices of some products as known at some state.

    Columns: ``curve_id``, ``trade_date``, ``delivery_start``, ``delivery_end``, ``price`` and ``price_from``.
    """
    quotes = await quotes_of(reading, products, span, known)
    return _prices(await converted(reading, quotes, conversions, known=known), field)


def _prices(quotes: pl.DataFrame, field: str) -> pl.DataFrame:
    return quotes.select("curve_id", "trade_date", "delivery_start", "delivery_end", **price_columns(field))


def mids_of(prices: pl.DataFrame, terms: Terms) -> Sequence[str]:
    """Return the labels of the periods whose price is the mean of bid and ask in the place of a settlement, by delivery."""
    mids = prices.filter(pl.col("price_from") == str(PriceFrom.MID))
    spans = mids.select("delivery_start", "delivery_end").unique().sort("delivery_start", "delivery_end").rows()
    return [delivery_period(terms, first, end).period.label for first, end in spans]


def prices_by_method(quotes: pl.DataFrame, period: Period, weight: Weight, tick: float) -> Mapping[StripMethod, float | None]:
    """Return the price of a period by each method, from the quotes of one trade date."""
    own = (pl.col("delivery_start") == period.first) & (pl.col("delivery_end") == period.end)
    quoted: list[float] = quotes.filter(own)["price"].drop_nulls().to_list()
    within = quotes.filter((pl.col("delivery_start") >= period.first) & (pl.col("delivery_end") <= period.end))
    if within.is_empty() or within.height == len(quoted):
        return {StripMethod.QUOTED: quoted[0] if quoted else None, StripMethod.FROM_FINER: None}
    try:
        made = strip(within, period, weight=weight, tick=tick)
    except NoHours:
        return dict.fromkeys(METHODS)
    finer = made.value if made.method is StripMethod.FROM_FINER else None
    return {StripMethod.QUOTED: made.quoted, StripMethod.FROM_FINER: finer}


def part_weight(product: StoredProduct, terms: Terms, roll_terms: RollTerms) -> Weight:
    """Return the weight of the parts of a period, by the weighting of the product. Raises ``InvalidParameters``."""
    try:
        return weights.part_weight(product.product.weighting, terms.calendar, terms.block, roll_terms.sessions)
    except weights.SessionsMissing as error:
        key = str(product.product.key)
        raise InvalidParameters(("curve", f"{key}: {error.detail}", key)) from error
