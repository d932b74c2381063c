"""The catalog of the private series of one tenant on PostgreSQL."""

from __future__ import annotations

from aurum.core.search.near_keys import nearest_keys
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.postgres.catalog.reader import PostgresCatalog

_MOST_COMPARED = 1_000
"""Keys of a tenant that are compared to find those nearest to an unknown one."""


class PrivateCatalog(PostgresCatalog):
    """``Catalog`` of the series that a connection of one tenant can see."""

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        # The rows that a search reads are of shared series only, and the role of private ones may not read them.
        own = await self.series_page(SeriesFilter(), after=None, limit=_MOST_COMPARED)
        return nearest_keys(key, [str(series.key) for series in own])
