"""Units of the vocabulary with all their spellings, those that administrators mapped among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.units import UnitInfo, known_units, parse_unit
from aurum.storage.ports.mappings import MappingReader


async def listed_units(reader: MappingReader) -> Sequence[UnitInfo]:
    """Return all units, in the order of the vocabulary. A mapped unit that is not quoted by itself comes after them."""
    further: dict[str, list[str]] = {}
    for one in await reader.mappings(kind=MappingKind.UNIT):
        further.setdefault(one.target, []).append(one.spelling)
    listed = [replace(one, aliases=(*one.aliases, *further.pop(one.text, ()))) for one in known_units()]
    others = [(parse_unit(text), spellings) for text, spellings in further.items()]
    return [*listed, *(UnitInfo(unit.text, unit.dimension, unit.currency, tuple(aliases)) for unit, aliases in others)]
