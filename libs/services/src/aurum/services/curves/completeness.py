"""Completeness of quotes: the sessions of a venue beside the trade dates that a curve has, as a whole and by kind of period."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from aurum.core.curves.periods import PeriodKind, name_period
from aurum.core.curves.sessions import SessionCalendar, SessionsUnknown, sessions_of
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.curves.known import Known, quotes_of
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, read_sessions
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

_SHOWN = 20
_MOST_QUOTES = 2_000_000
"""Quotes of a curve whose kinds are counted."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Completeness:
    """Trade dates of a curve beside the sessions of its venue, from the first to the last trade date.

    ``calendar``: of sessions. ``missing``: sessions without quotes, the newest ones. ``missing_count``: of all of them.
    ``outside``: trade dates that are no sessions, likewise.
    """

    calendar: str
    expected: int
    received: int
    missing_count: int
    missing: Sequence[date]
    outside_count: int
    outside: Sequence[date]


@dataclass(frozen=True, slots=True)
class KindCompleteness:
    """Completeness of the quotes of one kind of period, from its first trade date to the last one of the curve."""

    kind: PeriodKind
    quotes: int
    completeness: Completeness


async def completeness_of(
    reading: CurveReading, stored: StoredProduct, calendar: SessionCalendar | None
) -> Completeness | None:
    """Return the completeness of a curve; None for one without quotes, or without known sessions of its venue."""
    first, last = stored.first_trade_date, stored.last_trade_date
    if calendar is None or first is None or last is None:
        return None
    dates = (await reading.curves.trade_dates([stored.curve_id]))["trade_date"].to_list()
    return compare_sessions(calendar, dates, first, last)


async def completeness_by_kind(
    reading: CurveReading, stored: StoredProduct, terms: Terms, calendar: SessionCalendar | None, known: Known | None = None
) -> Sequence[KindCompleteness]:
    """Return the completeness of each kind of period that a curve quotes, in the order of ``PeriodKind``.

    Months may be complete while quarters are not: an exchange publishes them in files of their own. A kind that is no longer
    quoted lacks the sessions up to the curve's last one. Empty without known sessions of the venue. Raises
    ``InvalidParameters``, also for a curve with too many quotes.
    """
    if calendar is None:
        return ()
    quotes = await quotes_of(reading, [stored], QuoteSpan(most=_MOST_QUOTES), known or Known())
    if quotes.height > _MOST_QUOTES:
        why = f"cannot be counted: {stored.product.key} has more than {_MOST_QUOTES:,} quotes"
        raise InvalidParameters(("by_kind", why, str(stored.product.key)))
    return await asyncio.to_thread(_by_kind, quotes, terms, calendar)


async def sessions_of_curve(reading: CurveReading, stored: StoredProduct) -> SessionCalendar | None:
    """Return the sessions of the venue of a curve; None where they are unknown."""
    name = stored.product.sessions
    if name is None:
        return None
    try:
        return await read_sessions(reading, stored, name)
    except UnknownName:
        return None


def compare_sessions(calendar: SessionCalendar, dates: Collection[date], first: date, last: date) -> Completeness | None:
    """Return trade dates beside the sessions from ``first`` to ``last``; None where the calendar does not reach."""
    try:
        sessions = sessions_of(calendar, first, last + _DAY)
    except SessionsUnknown:
        return None
    missing = sorted(set(sessions).difference(dates), reverse=True)
    outside = sorted(set(dates).difference(sessions), reverse=True)
    return Completeness(
        calendar.name,
        expected=len(sessions),
        received=len(dates),
        missing_count=len(missing),
        missing=missing[:_SHOWN],
        outside_count=len(outside),
        outside=outside[:_SHOWN],
    )


def _by_kind(quotes: pl.DataFrame, terms: Terms, calendar: SessionCalendar) -> Sequence[KindCompleteness]:
    last = quotes["trade_date"].max()
    if not isinstance(last, date):
        return ()
    counted = _with_kinds(quotes, terms).group_by("kind", "trade_date").agg(pl.len().alias("quotes"))
    kinds: list[KindCompleteness] = []
    for kind in PeriodKind:
        of_kind = counted.filter(pl.col("kind") == str(kind))
        first = of_kind["trade_date"].min()
        if isinstance(first, date):
            one = compare_sessions(calendar, of_kind["trade_date"].to_list(), first, last)
            if one is not None:
                kinds.append(KindCompleteness(kind, int(of_kind["quotes"].sum()), one))
    return kinds


def _with_kinds(quotes: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Return quotes with the kind of their period, which is named once for each span."""
    spans = quotes.select("delivery_start", "delivery_end").unique()
    kinds = [str(name_period(first, end, seasons=terms.seasons).kind) for first, end in spans.rows()]
    named = spans.with_columns(pl.Series("kind", kinds, pl.String))
    return quotes.join(named, on=["delivery_start", "delivery_end"], how="left")
