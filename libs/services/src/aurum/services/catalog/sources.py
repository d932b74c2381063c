"""Sources of the catalog."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.catalog.entries import SourceEntry
from aurum.storage.ports.catalog import Catalog


async def providers(catalog: Catalog) -> Sequence[SourceEntry]:
    """Return the agencies and data providers by name: sources with a dataset that belongs to no market."""
    names = {dataset.source for dataset in await catalog.datasets() if dataset.market is None}
    return [source for source in await catalog.sources() if source.name in names]
