"""Counts by the values of a dimension."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from aurum.services.catalog.blocks import blocks
from aurum.storage.ports.catalog import Catalog


async def series_counts(catalog: Catalog, dimensions: Collection[str]) -> Mapping[str, Mapping[str, int]]:
    """Return, for some dimensions of ``Catalog.dimensions``, the number of series of each value, all of one moment."""
    if not dimensions:
        return {}
    counts = await catalog.dimensions()
    return {name: counts.get(name, {}) for name in dimensions}


async def block_counts(catalog: Catalog) -> Mapping[str, int]:
    """Return the number of calendars that have a block, by its name."""
    return Counter(block.name for block in await blocks(catalog))
