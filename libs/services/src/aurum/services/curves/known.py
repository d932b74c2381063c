"""The state of the store that a question is about, and the trade dates that it has data on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from aurum.core.errors import InvalidParameters
from aurum.services.curves.reading import CurveReading
from aurum.services.observations import parse_known
from aurum.storage.ports.curves import QuoteSpan, StoredProduct
from aurum.storage.ports.recordings import NotRecorded

LATEST, PREVIOUS = "latest", "previous"


@dataclass(frozen=True, slots=True)
class Known:
    """The state of knowledge: ``as_of``, inclusive, UTC; None: now. ``as_loaded``: the store as it stood then; None: now."""

    as_of: datetime | None = None
    as_loaded: datetime | None = None

    @classmethod
    def parse(cls, as_of: str | datetime | None, as_loaded: str | datetime | None, *, now: datetime) -> Known:
        """Return the state that two parameters name, relative times counted from ``now``. Raises ``InvalidParameters``."""
        return cls(parse_known("as_of", as_of, now=now), parse_known("as_loaded", as_loaded, now=now))


async def quotes_of(reading: CurveReading, products: Sequence[StoredProduct], span: QuoteSpan, known: Known) -> pl.DataFrame:
    """Return the quotes of some products, schema ``QUOTES``. Raises ``InvalidParameters`` for an ``as_loaded`` out of reach."""
    ids = [one.curve_id for one in products]
    try:
        return await reading.curves.quotes(ids, span, as_of=known.as_of, as_loaded=known.as_loaded)
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


async def _newest_dates(
    reading: CurveReading, products: Sequence[StoredProduct], known: Known, *, before: date | None, count: int
) -> Sequence[date]:
    """Return the newest trade dates with data of any of the products, newest first, ``count`` at most."""
    ids = [one.curve_id for one in products]
    try:
        frame = await reading.curves.trade_dates(ids, before=before, limit=count, as_of=known.as_of, as_loaded=known.as_loaded)
    except NotRecorded as error:
        raise _out_of_reach(error, known) from error
    return frame["trade_date"].unique().sort(descending=True).head(count).to_list()


def _out_of_reach(error: NotRecorded, known: Known) -> InvalidParameters:
    shown = known.as_loaded.isoformat() if known.as_loaded is not None else None
    return InvalidParameters(("as_loaded", error.detail, shown), **dict(error.facts))
