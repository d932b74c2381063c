"""The calendars of the package (``blocks.toml``), and look-up of a block by any of its names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from aurum.core.calendars.blocks import Block, Holidays
from aurum.core.errors import UnknownName
from aurum.core.names import nearest


@dataclass(frozen=True, slots=True)
class Calendar:
    """The blocks of a market. ``zone``: IANA name of the clock in which its days and hours are counted."""

    name: str
    title: str
    zone: str
    holidays: Holidays
    blocks: tuple[Block, ...]


@cache
def default_calendars() -> tuple[Calendar, ...]:
    """Return the calendars of ``blocks.toml``, in its order."""
    text = files("aurum.core.calendars").joinpath("blocks.toml").read_text(encoding="utf-8")
    return tuple(_calendar(table) for table in tomllib.loads(text)["calendar"])


def default_blocks() -> tuple[Block, ...]:
    """Return the blocks of all default calendars."""
    return tuple(block for calendar in default_calendars() for block in calendar.blocks)


def parse_block(calendar: str, name: str, blocks: Iterable[Block] | None = None) -> Block:
    """Return the block of a calendar by its name or an alias; case, blanks, ``-`` and ``_`` do not matter.

    ``blocks``: where to look, by default ``default_blocks()``. Of two blocks with the same name the first wins, so blocks that
    a user defines must come before those they replace. Raises ``UnknownName`` for the calendar or for the block.

    >>> parse_block("PJM", "on-peak").name, parse_block("pjm", "5x16").name
    ('ON_PEAK', 'ON_PEAK')
    """
    blocks = default_blocks() if blocks is None else tuple(blocks)
    within = [block for block in blocks if _folded(block.calendar) == _folded(calendar)]
    if not within:
        calendars = tuple(dict.fromkeys(block.calendar for block in blocks))
        raise UnknownName("calendar", calendar, nearest(calendar, calendars) or calendars)
    for block in within:
        if _folded(name) in map(_folded, _names(block)):
            return block
    names = [known for block in within for known in _names(block)]
    raise UnknownName(f"block of {within[0].calendar}", name, nearest(name, names) or tuple(names))


def _calendar(table: dict[str, Any]) -> Calendar:
    shared = {"calendar": table["name"], "zone": table["zone"], "holidays": table["holidays"]}
    blocks = tuple(Block.from_document(shared | block) for block in table["blocks"])
    return Calendar(table["name"], table["title"], table["zone"], Holidays(table["holidays"]), blocks)


def _names(block: Block) -> Iterator[str]:
    yield block.name
    yield from block.aliases


def _folded(name: str) -> str:
    return name.casefold().translate({ord(separator): None for separator in " -_"})
