"""Blocks of the catalog, and the hours they are made of."""

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
    """A block and its hours in a span of local days: ``ts`` (UTC), ``day``, ``hour_ending``, ascending."""

    block: Block
    hours: pl.DataFrame


async def blocks(catalog: Catalog) -> list[Block]:
    """Return every block, by calendar and name."""
    return [Block.from_document(document) for document in await catalog.blocks()]


async def calendars(catalog: Catalog) -> Mapping[str, Sequence[Block]]:
    """Return the blocks of each calendar, calendars by name."""
    found: dict[str, list[Block]] = defaultdict(list)
    for block in await blocks(catalog):
        found[block.calendar].append(block)
    return dict(sorted(found.items()))


async def expand_block(catalog: Catalog, calendar: str, block: str, *, start: date, end: date) -> Expansion:
    """Return the hours of a block in the local days ``[start, end)`` of its clock. ``block``: its name or an alias.

    Raises ``InvalidParameters`` for a span that ends before it starts, is longer than three years or lies outside of 1900 to
    2200, ``UnknownName``.
    """
    if start > end:
        raise InvalidParameters(("start", f"is after end {end}", str(start)))
    if end - start > _LONGEST:
        raise InvalidParameters(("end", f"at most {_LONGEST.days} days at once", str(end)))
    for name, day in (("start", start), ("end", end)):
        if not _FIRST <= day <= _LAST:
            raise InvalidParameters((name, "must lie between 1900 and 2200", str(day)))
    known = await blocks(catalog)
    names = sorted({one.calendar for one in known})
    if calendar not in names:
        raise UnknownName("calendar", calendar, nearest(calendar, names) or tuple(names))
    found = parse_block(calendar, block, known)
    return Expansion(found, block_hours(found, start, end))
