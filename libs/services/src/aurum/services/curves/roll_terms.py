"""Terms by which the contracts of a curve roll, and the tenor and the rule that a request names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from aurum.core.curves.expiries import FORMS, read_expiry
from aurum.core.curves.rolls import InvalidRoll, RollBasis, RollRule, RollTerms, check_roll, parse_roll
from aurum.core.curves.sessions import SessionCalendar
from aurum.core.curves.tenors import InvalidTenor, Tenor, TenorKind, parse_tenor, periods_after
from aurum.core.errors import Invalid, InvalidParameters
from aurum.services.curves.known import Known, quotes_of
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, sessions_by_curve
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

_ANY_DAY = date(2025, 1, 1)


async def roll_terms_of(reading: CurveReading, stored: StoredProduct, terms: Terms, roll: str, known: Known) -> RollTerms:
    """Return the terms by which the contracts of a product roll. See ``roll_terms_by_curve``."""
    return (await roll_terms_by_curve(reading, [stored], {stored.curve_id: terms}, roll, known))[stored.curve_id]


async def roll_terms_by_curve(
    reading: CurveReading, products: Sequence[StoredProduct], terms: Mapping[int, Terms], roll: str, known: Known
) -> Mapping[int, RollTerms]:
    """Return the terms by which the contracts of some products roll, by curve id: seasons, sessions and last trading days.

    ``terms``: of each of them. ``roll``: the requested rule. A venue may have traded on a day that its calendar calls closed:
    where the rule counts sessions, a day with known quotes of the curve is one. Raises as ``known.quotes_of`` does.
    """
    # Without sessions a rule that needs them refuses.
    sessions = await sessions_by_curve(reading, products)
    counts = roll.strip().casefold() != RollBasis.CALENDAR
    traded: Mapping[int, tuple[date, ...]] = await _traded(reading, products, sessions, known) if counts else {}
    return {
        one.curve_id: RollTerms(
            terms[one.curve_id].seasons,
            sessions.get(one.curve_id),
            read_expiry(one.product.expiry),
            traded.get(one.curve_id, ()),
        )
        for one in products
    }


async def _traded(
    reading: CurveReading, products: Sequence[StoredProduct], sessions: Mapping[int, SessionCalendar], known: Known
) -> Mapping[int, tuple[date, ...]]:
    """Return the days with quotes that the calendars of sessions call closed, by curve id."""
    quoted = [one for one in products if one.curve_id in sessions and one.first_trade_date is not None]
    days = sorted({day for one in quoted for day in _closed_between(sessions[one.curve_id], one)})
    if not days:
        return {}
    quotes = await quotes_of(reading, quoted, QuoteSpan(trade_dates=tuple(days)), known)
    traded: dict[int, list[date]] = {}
    for curve_id, day in quotes.select("curve_id", "trade_date").unique().sort("curve_id", "trade_date").rows():
        if day in sessions[curve_id].closed:
            traded.setdefault(curve_id, []).append(day)
    return {curve_id: tuple(of_curve) for curve_id, of_curve in traded.items()}


def _closed_between(calendar: SessionCalendar, stored: StoredProduct) -> Iterator[date]:
    first, last = stored.first_trade_date, stored.last_trade_date
    return (day for day in calendar.closed if first is not None and last is not None and first <= day <= last)


def requested_tenor(text: str, terms: RollTerms, *, parameter: str = "front") -> Tenor:
    """Return the tenor that a parameter names. Raises ``InvalidParameters``, also for one that the product does not have."""
    try:
        tenor = parse_tenor(text)
        if tenor.kind is TenorKind.SEASON:
            periods_after(tenor.kind, _ANY_DAY, terms.seasons)
    except InvalidTenor as error:
        raise InvalidParameters((parameter, error.detail, text), **dict(error.facts)) from error
    return tenor


def requested_roll(text: str, stored: StoredProduct, terms: RollTerms, tenor: Tenor) -> RollRule:
    """Return the rule that the parameter ``roll`` names.

    Raises ``InvalidParameters``, also for one that the tenor or the product cannot follow.
    """
    try:
        rule = parse_roll(text)
        is_dated = rule.basis is RollBasis.LAST_TRADING_DAY and tenor.is_counted and tenor.kind is not TenorKind.WEEK
        if is_dated and (terms.expiry is None or not terms.expiry.has(tenor.kind)):
            raise roll_refused(_without_expiry(rule, stored, tenor), text)
        check_roll(tenor, rule, terms)
    except InvalidRoll as error:
        raise roll_refused(error, text) from error
    return rule


def roll_refused(error: Invalid, text: str) -> InvalidParameters:
    """Return the error about the parameter ``roll`` that a rule is refused with."""
    return InvalidParameters(("roll", error.detail, text), **dict(error.facts))


def _without_expiry(rule: RollRule, stored: StoredProduct, tenor: Tenor) -> InvalidRoll:
    words = stored.product.expiry
    stated = f"its expiry, {words!r}, states no rule of {tenor}" if words else "it states no expiry"
    why = f"the last trading days of {stored.product.key} are unknown: {stated}. Send calendar or days_before:n"
    return InvalidRoll(str(rule), f"{why}, or a product whose expiry is such as {FORMS[0]!r}")
