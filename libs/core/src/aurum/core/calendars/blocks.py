"""Blocks as data: named sets of hours of the local week, with or without holidays.

A block is a table of eight kinds of day (Monday to Sunday, holiday) by 24 hour endings. In a calendar with holidays, a holiday
is a kind of day of its own: one that falls on a Tuesday does not count as a Tuesday, so ``days = ["tue"]`` excludes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, TypeVar, cast

from aurum.core.errors import Invalid
from aurum.core.markettime import parse_zone

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
HOURS: Final = tuple(range(1, 25))
SLOTS: Final = frozenset(range(len(DAYS) * len(HOURS)))
"""All cells of the table: ``24 * day + hour_ending - 1``, with day 0 = Monday ... 6 = Sunday, 7 = holiday."""

T = TypeVar("T")


class InvalidBlock(Invalid):
    """A document that does not describe a block. Facts: ``field`` and ``value`` that are wrong.

    ``why``: the reason alone, where the field is named beside it.
    """

    def __init__(self, why: str, field: str, value: object) -> None:
        self.why = why
        self.value = value
        super().__init__(f"block {field}: {why}, got {value!r}", field=field, value=repr(value))


class Holidays(StrEnum):
    """The rule for the holidays of a calendar."""

    NERC = "nerc"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Window:
    """A set of kinds of day and of hour endings (1..24, local clock; hour ending 8 is 07:00 to 08:00)."""

    days: tuple[str, ...] = DAYS
    hours: tuple[int, ...] = HOURS

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", _ordered(self.days, DAYS, "days"))
        object.__setattr__(self, "hours", _ordered(self.hours, HOURS, "hours"))

    @property
    def slots(self) -> frozenset[int]:
        return frozenset(DAYS.index(day) * len(HOURS) + hour - 1 for day in self.days for hour in self.hours)


@dataclass(frozen=True, slots=True)
class Block:
    """A named set of hours within a calendar.

    ``zone``: IANA name of the clock in which days and hours are counted. ``windows``: the block is their union, or, when
    ``complement`` is true, all hours outside their union. ``aliases``: other names within the calendar.
    """

    calendar: str
    name: str
    zone: str
    windows: tuple[Window, ...]
    holidays: Holidays = Holidays.NONE
    complement: bool = False
    aliases: tuple[str, ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        for field in ("calendar", "name"):
            if not getattr(self, field):
                raise InvalidBlock("a name is needed", field, getattr(self, field))
        parse_zone(self.zone)
        if not self.slots:
            raise InvalidBlock("at least one hour is needed", "windows", [])

    @property
    def slots(self) -> frozenset[int]:
        """The cells of the table (see ``SLOTS``) that belong to the block."""
        union = frozenset[int]().union(*(window.slots for window in self.windows))
        return SLOTS - union if self.complement else union

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Block:
        """Return the block that a JSON or TOML document describes.

        Required: ``calendar``, ``name``, ``zone``, ``windows``: a list of ``{"days": ["mon", ...], "hours": [[8, 23], ...]}``
        with hour-ending ranges that include both ends; without ``days`` or ``hours``, all of them. Optional: ``holidays``
        ("nerc", "none"), ``complement``, ``aliases``, ``title``. Raises ``InvalidBlock``; ``UnknownName`` for a zone.
        """
        _refuse_unknown_members(document, cls.__dataclass_fields__, "document")
        holidays = _typed(document, "holidays", str, "none")
        if holidays not in tuple(Holidays):
            raise InvalidBlock(f"must be one of {', '.join(Holidays)}", "holidays", holidays)
        return cls(
            calendar=_typed(document, "calendar", str),
            name=_typed(document, "name", str),
            zone=_typed(document, "zone", str),
            windows=tuple(_window(item, f"windows.{place}") for place, item in enumerate(_items(document, "windows", dict))),
            holidays=Holidays(holidays),
            complement=_typed(document, "complement", bool, False),
            aliases=tuple(_items(document, "aliases", str)),
            title=_typed(document, "title", str, ""),
        )

    def to_document(self) -> dict[str, object]:
        """Return the block as JSON-representable values, which ``from_document`` reads back to an equal block."""
        return {
            "calendar": self.calendar,
            "name": self.name,
            "title": self.title,
            "aliases": list(self.aliases),
            "zone": self.zone,
            "holidays": str(self.holidays),
            "complement": self.complement,
            "windows": [{"days": list(window.days), "hours": _ranges(window.hours)} for window in self.windows],
        }


def _ordered(chosen: Iterable[T], universe: Sequence[T], field: str) -> tuple[T, ...]:
    """Return the chosen items, each once, in the order of the universe. Raises ``InvalidBlock`` for other or no items."""
    chosen = tuple(chosen)
    for item in chosen:
        if item not in universe:
            raise InvalidBlock(f"must be among {', '.join(map(str, universe))}", field, item)
    if not chosen:
        raise InvalidBlock("at least one is needed", field, [])
    return tuple(item for item in universe if item in chosen)


def _window(document: Mapping[str, object], place: str) -> Window:
    """Return a window. ``place``: its path in the document, which errors name."""
    _refuse_unknown_members(document, Window.__dataclass_fields__, place)
    try:
        days = _items(document, "days", str) if "days" in document else DAYS
        ranges = [_hours(item) for item in _items(document, "hours", list)] if "hours" in document else [HOURS]
        return Window(tuple(days), tuple(hour for hours in ranges for hour in hours))
    except InvalidBlock as error:
        raise InvalidBlock(error.why, f"{place}.{error.facts['field']}", error.value) from None


def _hours(ends: Sequence[object]) -> Sequence[int]:
    match ends:
        case [int(first), int(last)] if 1 <= first <= last <= 24:
            return range(first, last + 1)
        case _:
            raise InvalidBlock("must be [first, last] hour endings, 1 <= first <= last <= 24", "hours", ends)


def _ranges(hours: Sequence[int]) -> list[list[int]]:
    """Return ascending hours as inclusive ranges: (1, 2, 24) -> [[1, 2], [24, 24]]."""
    breaks = [(before, after) for before, after in pairwise(hours) if after != before + 1]
    firsts = [hours[0], *(after for _, after in breaks)]
    lasts = [*(before for before, _ in breaks), hours[-1]]
    return [[first, last] for first, last in zip(firsts, lasts, strict=True)]


def _refuse_unknown_members(document: Mapping[str, object], known: Iterable[str], field: str) -> None:
    known = tuple(known)
    unknown = [key for key in document if key not in known]
    if unknown:
        raise InvalidBlock(f"unknown members (known: {', '.join(known)})", field, unknown)


def _typed(document: Mapping[str, object], field: str, kind: type[T], default: T | None = None) -> T:
    value = document.get(field, default)
    if not isinstance(value, kind):
        raise InvalidBlock(f"must be a {kind.__name__}" if field in document else "is missing", field, value)
    return value


def _items(document: Mapping[str, object], field: str, kind: type) -> list[Any]:
    items = cast("list[object]", _typed(document, field, list, []))
    for item in items:
        if not isinstance(item, kind):
            raise InvalidBlock(f"must be a list of {kind.__name__}", field, item)
    return items
