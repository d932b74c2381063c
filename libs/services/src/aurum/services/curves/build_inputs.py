"""The quotes of a build: stored ones of a trade date, or those of the question, by delivery period and block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from aurum.core.calendars import Block
from aurum.core.curves.calendars import DeliveryCalendar
from aurum.core.curves.period_labels import InvalidPeriod
from aurum.core.curves.period_spans import in_delivery_days
from aurum.core.curves.periods import Period, name_period
from aurum.core.curves.quotes import MOST, PRICE, PriceFrom, price_columns
from aurum.core.curves.reading_terms import ReadingTerms
from aurum.core.errors import InvalidParameters
from aurum.core.markettime import InvalidInstant, parse_day, parse_moment
from aurum.services.curves.build_question import MOST_QUOTES, InlineQuote
from aurum.services.curves.build_terms import BuildTerms
from aurum.services.curves.known import Known, quotes_of
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.curves import QuoteSpan

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Years of delivery days. Calendars cannot count days at the ends of time."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A price of a delivery period.

    ``block``: None: all hours. ``is_mid``: the price is the mean of bid and ask, because no settlement is stored. ``rest_of``:
    label of the quote in delivery that this is the rest of, or empty; ``scale``: as of ``core.curves.overlaps.Quoted``.
    """

    period: Period
    price: float
    block: Block | None = None
    is_mid: bool = False
    rest_of: str = ""
    scale: float = 1.0

    @property
    def label(self) -> str:
        """The label of the period, with the block if there is one: ``Q1-25 PEAK``; of a rest ``Feb-21 from 2021-02-25``."""
        if self.rest_of:
            return f"{self.rest_of} from {self.period.first}"
        return self.period.label if self.block is None else f"{self.period.label} {self.block.name}"

    @property
    def identity(self) -> tuple[date, date, str]:
        """The first day, the end and the block."""
        return self.period.first, self.period.end, "" if self.block is None else self.block.name


async def stored_quotes(
    reading: CurveReading, every: Sequence[BuildTerms], trade_date: date, known: Known, kinds: Sequence[str]
) -> list[Quoted]:
    """Return the priced quotes of a trade date of all curves, in the order of delivery.

    The price is the settlement; without one the mean of bid and ask. Quotes without either are left out. ``kinds``: only these
    kinds of period; empty: all. Raises ``InvalidParameters`` for an ``as_loaded`` out of reach, and for too many quotes.
    """
    by_id = {terms.stored.curve_id: terms for terms in every if terms.stored is not None}
    products = [terms.stored for terms in every if terms.stored is not None]
    frame = await quotes_of(reading, products, QuoteSpan(trade_dates=(trade_date,)), known)
    priced = frame.with_columns(**price_columns(PRICE)).filter(
        pl.col("price").is_not_null() & (pl.col("delivery_end") > pl.col("delivery_start"))
    )
    is_mid = pl.col("price_from") == str(PriceFrom.MID)
    rows = priced.select("curve_id", "delivery_start", "delivery_end", "price", is_mid).rows()
    quotes = [
        Quoted(name_period(first, end, seasons=by_id[curve].seasons, trade_date=trade_date), price, by_id[curve].block, is_mid)
        for curve, first, end, price, is_mid in rows
    ]
    wanted = [one for one in quotes if not kinds or one.period.kind in kinds]
    if len(wanted) > MOST_QUOTES:
        why = f"{len(wanted):,} quotes are stored on {trade_date}, and {MOST_QUOTES:,} can be built at once: name kinds"
        raise InvalidParameters(("kinds", why, ",".join(kinds) or None))
    return wanted


def inline_quotes(quotes: Sequence[InlineQuote], terms: BuildTerms, trade_date: date | None) -> list[Quoted]:
    """Return the quotes of a question. Raises ``InvalidParameters``, which names the quote by its place."""
    result = [_inline(quote, f"quotes.{place}", terms, trade_date) for place, quote in enumerate(quotes)]
    seen: dict[tuple[date, date, str], int] = {}
    for place, one in enumerate(result):
        if seen.setdefault(one.identity, place) != place and result[seen[one.identity]].price != one.price:
            why = f"{one.label} is quoted twice with different prices, also in quotes.{seen[one.identity]}: send it once"
            raise InvalidParameters((f"quotes.{place}.price", why, one.price))
    return [result[place] for place in seen.values()]


def parsed_period(text: str, field: str, terms: BuildTerms, trade_date: date | None) -> Period:
    """Return the period of a label. Raises ``InvalidParameters``, which names the field."""
    try:
        words = ReadingTerms(spellings=terms.reference.words)
        label = in_delivery_days(text, terms.calendar)
        period = words.period(label, seasons=terms.seasons, trade_date=trade_date)
    except InvalidPeriod as error:
        raise InvalidParameters((field, error.detail, text)) from error
    checked_day(period.first, field)
    checked_day(period.end, field)
    return period


def _inline(quote: InlineQuote, field: str, terms: BuildTerms, trade_date: date | None) -> Quoted:
    if abs(quote.price) >= MOST:
        why = f"is absurd: prices are below {MOST:,.0f}"
        raise InvalidParameters((f"{field}.price", why, quote.price))
    block = terms.block if quote.block is None else terms.block_named(quote.block, f"{field}.block")
    if quote.period is not None:
        if quote.start is not None or quote.end is not None:
            raise InvalidParameters((f"{field}.period", "send a period, or start and end, not both", quote.period))
        return Quoted(parsed_period(quote.period, f"{field}.period", terms, trade_date), quote.price, block)
    if quote.start is None or quote.end is None:
        raise InvalidParameters((field, "needs a period, or start and end", None))
    first = _delivery_day(quote.start, f"{field}.start", terms.calendar)
    end = _delivery_day(quote.end, f"{field}.end", terms.calendar)
    if end <= first:
        raise InvalidParameters((f"{field}.end", "must be after start", quote.end))
    return Quoted(name_period(first, end, seasons=terms.seasons, trade_date=trade_date), quote.price, block)


def checked_day(day: date, field: str) -> date:
    """Return a delivery day. Raises ``InvalidParameters`` for one in a year that no product delivers in."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidParameters((field, f"must be in a year from {FIRST_YEAR} to {LAST_YEAR}", day.isoformat()))
    return day


def _delivery_day(text: str, field: str, calendar: DeliveryCalendar) -> date:
    """Return the delivery day of a date, or the one that begins at an instant."""
    try:
        return checked_day(parse_day(text), field)
    except InvalidInstant:
        pass
    try:
        instant = parse_moment(text)
    except InvalidInstant as error:
        raise InvalidParameters(
            (field, f"must be a date, or the instant at which a delivery day begins: {error.detail}", text)
        ) from error
    checked_day(instant.date(), field)
    day = calendar.day_of(instant)
    if calendar.start_of(day) != instant:
        why = (
            f"is not the start of a delivery day of {calendar.name}, which begins at {calendar.day_start:%H:%M} {calendar.zone}"
        )
        raise InvalidParameters((field, why, text))
    return day
