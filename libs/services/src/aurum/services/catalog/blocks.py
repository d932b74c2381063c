"""Blocks of the catalog, such as ON_PEAK, and their hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from aurum.core.calendars import Block, block_hours, parse_block
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.catalog import Catalog

if TYPE_CHECKING:
    import polars as pl

_LONGEST = timedelta(days=3 * 366)
_FIRST, _LAST = date(1900, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A block and its hours in a span of local days. ``hours``: columns ``ts`` (UTC), ``day``, ``hour_ending``, ascending."""

    block: Block
    hours: pl.DataFrame


async def blocks(catalog: Catalog) -> list[Block]:
    """Return every block, ordered by calendar and name."""
    return [Block.from_document(document) for document in await catalog.blocks()]


async def calendars(catalog: Catalog) -> Mapping[str, Sequence[Block]]:
    """Return the blocks of each calendar, ordered by name."""
    by_calendar: dict[str, list[Block]] = defaultdict(list)
    for block in await blocks(catalog):
        by_calendar[block.calendar].append(block)
    return dict(sorted(by_calendar.items()))


async def calendar_blocks(catalog: Catalog, calendar: str) -> Sequence[Block]:
    """Return the blocks of one calendar, ordered by name. Raises ``UnknownName`` with the nearest calendars."""
    by_calendar = await calendars(catalog)
    if calendar not in by_calendar:
        raise UnknownName("calendar", calendar, nearest(calendar, by_calendar) or tuple(by_calendar))
    return by_calendar[calendar]


async def expand_block(catalog: Catalog, calendar: str, block: str, *, start: date, end: date) -> Expansion:
    """Return the hours of a block in the days ``[start, end)`` of the block's time zone. ``block``: its name or an alias.

    Raises ``InvalidParameters`` for a span that ends before it starts, is longer than three years or is not within 1900 to
    2200; ``UnknownName`` for an unknown calendar or block.
    """
    if start > end:
        raise InvalidParameters(("start", f"is after end {end}", str(start)))
    if end - start > _LONGEST:
        raise InvalidParameters(("end", f"is more than {_LONGEST.days} days after start: request shorter spans", str(end)))
    for name, day in (("start", start), ("end", end)):
        if not _FIRST <= day <= _LAST:
            raise InvalidParameters((name, f"must be a day from {_FIRST} to {_LAST}", str(day)))
    known = await blocks(catalog)
    names = sorted({entry.calendar for entry in known})
    if calendar not in names:
        raise UnknownName("calendar", calendar, nearest(calendar, names) or tuple(names))
    expanded = parse_block(calendar, block, known)
    return Expansion(expanded, block_hours(expanded, start, end))
