"""Units in requests, in a spelling of the vocabulary or in one that administrators mapped."""

from __future__ import annotations

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.reading_terms import folded_words
from aurum.core.errors import UnknownName
from aurum.core.units import parse_unit
from aurum.storage.ports.catalog import Catalog


async def known_unit(text: str, catalog: Catalog) -> str:
    """Return a spelling of the vocabulary for a text: the unit that it is mapped to, else the text as it stands."""
    try:
        parse_unit(text)
    except UnknownName:
        folded = folded_words(text)
        units = (one for one in await catalog.spellings() if one.kind is MappingKind.UNIT and one.folded == folded)
        return next((one.target for one in units), text)
    return text
