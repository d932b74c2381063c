"""Regions behind the locations of the Drought Monitor."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.core.drought import Region, RegionFilter, RegionType, region_of
from aurum.core.drought.states import STATES, state_named
from aurum.core.errors import InvalidParameters
from aurum.core.names import nearest
from aurum.services.drought.values import SOURCE
from aurum.storage.ports.catalog import Catalog, LocationFilter

_PAGE = 1_000
_ORDER = {kind: place for place, kind in enumerate(RegionType)}


async def regions(catalog: Catalog) -> Sequence[Region]:
    """Return all regions, ascending by type (the nation first), id and location."""
    every: list[Region] = []
    after: tuple[str, str] | None = None
    while True:
        page = await catalog.locations_page(LocationFilter(source=SOURCE), after=after, limit=_PAGE)
        every += [region_of(one.location, one.kind, one.name) for one in page]
        if len(page) < _PAGE:
            return sorted(every, key=lambda one: (_ORDER[one.type], one.id, one.location))
        after = page[-1].source, page[-1].location


async def selected_regions(catalog: Catalog, selected: RegionFilter) -> Sequence[Region]:
    """Return the regions that a filter selects, in the order of ``regions``.

    Raises ``InvalidParameters`` with the nearest names when it names a region that is unknown.
    """
    every = await regions(catalog)
    chosen = [region for region in every if selected.selects(region)]
    if selected.region is not None and not any(RegionFilter(selected.region).selects(region) for region in every):
        raise _unknown_region(selected.region, every)
    return chosen


def known_state(text: str | None) -> str | None:
    """Return the code of a state by its code, FIPS code or name; None for None. Raises ``InvalidParameters``."""
    if text is None:
        return None
    state = state_named(text)
    if state is None:
        names = [name for one in STATES.values() for name in (one.code, one.name)]
        close = nearest(text, names)
        hint = f"; nearest: {', '.join(close)}" if close else ""
        raise InvalidParameters(
            ("state", f"is not a state: write its code, such as CA, its name or its FIPS code{hint}", text), nearest=list(close)
        )
    return state.code


def _unknown_region(text: str, every: Sequence[Region]) -> InvalidParameters:
    names = [name for region in every for name in (region.id, region.name, region.label)]
    close = nearest(text, dict.fromkeys(names))
    hint = f"; nearest: {', '.join(close)}" if close else ""
    return InvalidParameters(
        ("region", f"is not a region of this data, see /v2/drought/dimensions{hint}", text), nearest=list(close)
    )
