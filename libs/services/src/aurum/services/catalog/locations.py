"""Locations of the catalog by market, id and prefix."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from aurum.core.catalog.entries import LocationEntry
from aurum.core.errors import NotFound, UnknownName
from aurum.core.markettime import parse_market
from aurum.services.catalog.prefixes import has_prefix
from aurum.storage.ports.catalog import Catalog, LocationFilter

_PAGE = 1000


class NoSuchLocation(NotFound):
    """The market has no location of that id. Facts: ``market``, ``location``."""


async def market_locations(
    catalog: Catalog, *, market: str | None, prefix: str | None, after: tuple[str, str] | None, limit: int
) -> Sequence[LocationEntry]:
    """Return up to ``limit`` locations of markets by (source, location), those behind ``after``.

    ``market``: the code of one market; None: all of them. ``prefix``: beginning of the id or the name, in upper or lower case.
    """
    entries: list[LocationEntry] = []
    async with aclosing(_locations(catalog, LocationFilter(market=market, text=prefix), after)) as locations:
        async for entry in locations:
            if entry.market and (has_prefix(entry.location, prefix) or has_prefix(entry.name, prefix)):
                entries.append(entry)
            if len(entries) == limit:
                break
    return entries


async def location_of(catalog: Catalog, market: str, location: str) -> LocationEntry:
    """Return one location of a market by its own id. ``market``: its name in any spelling. Raises ``NoSuchLocation``."""
    missing = NoSuchLocation(f"location {location!r} of {market} does not exist", market=market, location=location)
    try:
        criteria = LocationFilter(market=parse_market(market).code, text=location)
    except UnknownName as error:
        raise missing from error
    async with aclosing(_locations(catalog, criteria, None)) as locations:
        async for entry in locations:
            if entry.location == location:
                return entry
    raise missing


async def series_by_location(catalog: Catalog, *, prefix: str | None, enough: int) -> Mapping[str, int]:
    """Return the number of series by location id, for ids with the prefix.

    Stops reading once it has at least ``enough`` ids.
    """
    counts: dict[str, int] = {}
    after: tuple[str, str] | None = None
    while len(counts) < enough:
        page = await market_locations(catalog, market=None, prefix=prefix, after=after, limit=_PAGE)
        for entry in page:
            if has_prefix(entry.location, prefix):
                counts[entry.location] = counts.get(entry.location, 0) + entry.series
        if len(page) < _PAGE:
            break
        after = (page[-1].source, page[-1].location)
    return counts


async def _locations(
    catalog: Catalog, criteria: LocationFilter, after: tuple[str, str] | None
) -> AsyncGenerator[LocationEntry]:
    while True:
        page = await catalog.locations_page(criteria, after=after, limit=_PAGE)
        for entry in page:
            yield entry
        if len(page) < _PAGE:
            return
        after = (page[-1].source, page[-1].location)
