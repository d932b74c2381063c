"""The state of the store that a question is about, and the trade dates that it has data on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from aurum.core.errors import InvalidParameters
from aurum.services.curves.reading import CurveReading
from aurum.services.observations import parse_known
from aurum.storage.ports.curves import QuoteSpan, StoredProduct
from aurum.storage.ports.recordings import NotRecorded

LATEST, PREVIOUS = "latest", "previous"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Known:
    """The state of knowledge: ``as_of``, inclusive, UTC; None: now. ``as_loaded``: the store as it stood then; None: now."""

    as_of: datetime | None = None
    as_loaded: datetime | None = None

    @classmethod
    def parse(
        cls, as_of: str | datetime | None, as_loaded: str | datetime | None, *, now: datetime, parameter: str = "as_of"
    ) -> Known:
        """Return the state that two parameters name, relative times counted from ``now``. Raises ``InvalidParameters``.

        ``parameter``: the name of the first of them.
        """
        return cls(parse_known(parameter, as_of, now=now), parse_known("as_loaded", as_loaded, now=now))


async def quotes_of(reading: CurveReading, products: Sequence[StoredProduct], span: QuoteSpan, known: Known) -> pl.DataFrame:
    """Return the quotes of some products, schema ``QUOTES``. Raises ``InvalidParameters`` for an ``as_loaded`` out of reach."""
    ids = [one.curve_id for one in products]
    try:
        return await reading.curves.quotes(ids, span, as_of=known.as_of, as_loaded=known.as_loaded)
    except NotRecorded as error:
        raise _out_of_reach(error, known) from error


async def quote_versions(
    reading: CurveReading, products: Sequence[StoredProduct], span: QuoteSpan, known: Known
) -> pl.DataFrame:
    """Return all known versions of quotes of some products, schema ``QUOTE_VERSIONS``. Raises as ``quotes_of`` does."""
    ids = [one.curve_id for one in products]
    try:
        return await reading.curves.versions(ids, span, as_of=known.as_of, as_loaded=known.as_loaded)
    except NotRecorded as error:
        raise _out_of_reach(error, known) from error


async def trade_dates_by_curve(
    reading: CurveReading,
    products: Sequence[StoredProduct],
    known: Known,
    *,
    before: date | None = None,
    limit: int | None = None,
) -> pl.DataFrame:
    """Return the trade dates of some products, schema ``TRADE_DATES``.

    ``before``: only earlier ones. ``limit``: most of each product, the newest. Raises ``InvalidParameters`` for an
    ``as_loaded`` out of reach.
    """
    ids = [one.curve_id for one in products]
    try:
        return await reading.curves.trade_dates(ids, before=before, limit=limit, as_of=known.as_of, as_loaded=known.as_loaded)
    except NotRecorded as error:
        raise _out_of_reach(error, known) from error


async def trade_date_of(
    reading: CurveReading,
    products: Sequence[StoredProduct],
    wanted: date | str,
    known: Known,
    *,
    parameter: str = "trade_date",
    before: date | None = None,
) -> date | None:
    """Return the trade date that a parameter names for some products together; None where they have no such date.

    ``wanted``: a date, ``latest`` (the newest trade date with data) or ``previous`` (the one before it). ``before``: only
    earlier trade dates count. Raises ``InvalidParameters``.
    """
    if isinstance(wanted, date):
        return wanted
    if wanted not in (LATEST, PREVIOUS):
        raise InvalidParameters((parameter, f"must be a date, {LATEST} or {PREVIOUS}", wanted))
    place = 0 if wanted == LATEST or before is not None else 1
    if place == 0 and before is None and known == Known():
        return max((one.last_trade_date for one in products if one.last_trade_date is not None), default=None)
    dates = await _newest_dates(reading, products, known, before=before, count=place + 1)
    return dates[place] if len(dates) > place else None


async def trade_dates_of(
    reading: CurveReading, product: StoredProduct, known: Known, first: date | None = None, last: date | None = None
) -> pl.Series:
    """Return the trade dates of a product, ascending. ``first``, ``last``: only from and to these, both included.

    Raises ``InvalidParameters`` for an ``as_loaded`` out of reach.
    """
    frame = await trade_dates_by_curve(reading, [product], known, before=None if last is None else last + _DAY)
    dates = frame["trade_date"].sort()
    return dates if first is None else dates.filter(dates >= first)


async def next_trade_dates(
    reading: CurveReading, products: Sequence[StoredProduct], known: Known, after: date
) -> Mapping[int, date]:
    """Return the first trade date after a day, by curve id, of products that have one. Raises as ``trade_dates_of`` does."""
    frame = await trade_dates_by_curve(reading, products, known)
    later = frame.filter(pl.col("trade_date") > after).group_by("curve_id").agg(pl.col("trade_date").min())
    return dict(later.select("curve_id", "trade_date").rows())


async def check_trade_dates(
    reading: CurveReading,
    products: Sequence[StoredProduct],
    requested: Mapping[str, date | str],
    quoted: Collection[date],
    known: Known,
) -> None:
    """Refuse dates on which none of the products has a quote. ``latest`` and ``previous`` always have one.

    ``requested``: by parameter. ``quoted``: trade dates of the quotes that were read. Raises ``InvalidParameters``.
    """
    for parameter, day in requested.items():
        if isinstance(day, date) and day not in quoted:
            why, nearest = await _without_quotes(reading, products, known, day, day)
            raise InvalidParameters((parameter, why, str(day)), nearest=list(map(str, nearest)))


async def reason_without_quotes(
    reading: CurveReading, products: Sequence[StoredProduct], span: QuoteSpan | None, known: Known
) -> str:
    """Return why an answer has no quotes: which trade dates are nearest, or that the requested periods are not quoted.

    ``span``: of the answer; None: the products have no such trade date.
    """
    if span is None:
        return "no such trade date has quotes"
    first, last = span.first or date.min, span.last or date.max
    why, nearest = await _without_quotes(reading, products, known, first, last)
    if nearest and first <= nearest[0] <= last:
        on = f"on {first}" if first == last else "on these trade dates"
        return f"none of the requested periods is quoted {on}"
    return why


def no_earlier_date(b: date | None) -> str:
    """Return why there is no trade date ``a`` before ``b``. None: there is no ``b`` either."""
    return "the curves have no quotes" if b is None else f"{b} is the first trade date with quotes: there is none before it"


async def _without_quotes(
    reading: CurveReading, products: Sequence[StoredProduct], known: Known, first: date, last: date
) -> tuple[str, Sequence[date]]:
    """Return a sentence about trade dates without quotes, and those with quotes: one within them, else the nearest two."""
    frame = await trade_dates_by_curve(reading, products, known)
    dates = frame["trade_date"].unique().sort()
    within = dates.filter((dates >= first) & (dates <= last))
    around = [*dates.filter(dates < first).tail(1), *dates.filter(dates > last).head(1)]
    nearest: list[date] = within.head(1).to_list() or around
    on = f"on {first}" if first == last else "on these trade dates"
    if not nearest:
        return f"no quotes {on}, and on no other trade date", nearest
    return f"no quotes {on}; nearest trade dates: {', '.join(map(str, nearest))}", nearest


async def _newest_dates(
    reading: CurveReading, products: Sequence[StoredProduct], known: Known, *, before: date | None, count: int
) -> Sequence[date]:
    """Return the newest trade dates with data of any of the products, newest first, ``count`` at most."""
    frame = await trade_dates_by_curve(reading, products, known, before=before, limit=count)
    return frame["trade_date"].unique().sort(descending=True).head(count).to_list()


def _out_of_reach(error: NotRecorded, known: Known) -> InvalidParameters:
    shown = known.as_loaded.isoformat() if known.as_loaded is not None else None
    return InvalidParameters(("as_loaded", error.detail, shown), **dict(error.facts))
