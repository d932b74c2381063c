"""Products: what is traded, with the terms by which its quotes are read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aurum.core.curves.keys import CurveKey


class Weighting(StrEnum):
    """How the parts of a strip are weighted."""

    HOURS = "hours"
    """By the hours of the product's block: power."""
    DAYS = "days"
    """By delivery days: gas and oil."""
    EQUAL = "equal"
    """Every part alike: strips of some brokers."""
    SESSIONS = "sessions"
    """By the sessions of the venue within the part: averages of daily fixings."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product.

    ``currency``: ISO 4217 code, None where none applies. ``unit``: of prices, e.g. ``EUR/MWh``. ``tick``: smallest step of a
    price, in ``unit``. ``lot``: contract size, as the venue states it, or empty. ``calendar``: name of its
    ``DeliveryCalendar``. ``block``: name of its block in the block calendar of that calendar, e.g. ``PEAK``; None: all hours.
    ``seasons``: name of its season family; None: it has no seasons. ``sessions``: name of the venue's session calendar; None:
    unknown. ``listing``, ``expiry``: the venue's rules in words, or empty. ``settles_on``: key of the series of spot prices
    that it settles against; None: unknown.
    """

    key: CurveKey
    title: str
    currency: str | None
    unit: str
    tick: float
    calendar: str
    block: str | None = None
    weighting: Weighting = Weighting.HOURS
    seasons: str | None = None
    sessions: str | None = None
    lot: str = ""
    listing: str = ""
    expiry: str = ""
    settles_on: str | None = None

    def to_document(self) -> dict[str, object]:
        """Return the product as JSON-representable values, which ``read_product`` reads back to an equal product."""
        return {
            "key": str(self.key),
            "title": self.title,
            "currency": self.currency,
            "unit": self.unit,
            "tick": self.tick,
            "calendar": self.calendar,
            "block": self.block,
            "weighting": str(self.weighting),
            "seasons": self.seasons,
            "sessions": self.sessions,
            "lot": self.lot,
            "listing": self.listing,
            "expiry": self.expiry,
            "settles_on": self.settles_on,
        }


def default_weighting(commodity: str) -> Weighting:
    """Return the weighting of strips of a commodity: power by the hours of the block, all others by delivery days."""
    return Weighting.HOURS if commodity in _BY_HOURS else Weighting.DAYS


_BY_HOURS = ("power", "spark")
