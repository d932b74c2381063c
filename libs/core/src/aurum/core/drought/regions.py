"""Regions of drought data: the nation, states, counties and hydrologic units behind the locations of a source.

A source names one region in several ways, such as ``CA``, ``California`` and ``06``. Here each has one type, id and name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aurum.core.drought.states import STATES, WATER_REGIONS, State, state_named


class RegionType(StrEnum):
    """Types of regions, the largest first. ``area``: one that is none of the others, such as a climate division."""

    NATIONAL = "national"
    STATE = "state"
    COUNTY = "county"
    HUC = "huc"
    AREA = "area"


_NATIONS = {
    "conus": ("CONUS", "Contiguous United States"),
    "us": ("US", "United States"),
    "usa": ("US", "United States"),
    "total": ("US", "United States"),
    "united states": ("US", "United States"),
}
_CODES = {"fips": RegionType.COUNTY, "huc": RegionType.HUC, "hucid": RegionType.HUC}
_STATE_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Region:
    """A region. ``id``: code of a state, five digits of a county, digits of a hydrologic unit, else as the source has it.

    ``state``: code of the state of a state or a county; empty for regions that cross states. ``location``: the id at the
    source, by which its series are found.
    """

    type: RegionType
    id: str
    name: str
    state: str
    location: str

    @property
    def label(self) -> str:
        """The text that selects this region and no other: ``TYPE:ID``."""
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class RegionFilter:
    """The regions that are selected; None: all.

    ``region``: an id or a name, or ``TYPE:ID``. ``kind``: a type. ``state``: the code of a state: itself and its counties.
    """

    region: str | None = None
    kind: RegionType | None = None
    state: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether all regions are selected."""
        return self == RegionFilter()

    def selects(self, region: Region) -> bool:
        """Return whether a region is selected."""
        return (
            self.kind in (None, region.type)
            and self.state in (None, region.state)
            and (self.region is None or _is_named(region, self.region))
        )


def region_of(location: str, location_type: str, location_name: str = "") -> Region:
    """Return the region of a location of the Drought Monitor. ``location_type``: the column that names it, in any case.

    >>> region_of("06037", "FIPS", "CA, Los Angeles County")
    Region(type=<RegionType.COUNTY: 'county'>, id='06037', name='Los Angeles County, CA', state='CA', location='06037')
    """
    kind = _CODES.get(location_type.lower())
    if kind is RegionType.HUC:
        name = location_name or WATER_REGIONS.get(location, "")
        return Region(RegionType.HUC, location, name or f"Hydrologic unit {location}", "", location)
    if kind is RegionType.COUNTY and len(location) > _STATE_DIGITS:
        return _county(location, location_name)
    if kind is None and (nation := _NATIONS.get(location.casefold())) is not None:
        return Region(RegionType.NATIONAL, *nation, "", location)
    if (state := state_named(location)) is not None:
        return Region(RegionType.STATE, state.code, state.name, state.code, location)
    return Region(RegionType.AREA, location, location_name or location, "", location)


def _county(location: str, location_name: str) -> Region:
    state = state_named(location[:_STATE_DIGITS])
    parts = [part.strip() for part in location_name.split(",") if part.strip() and not _is_state(part, state)]
    name = ", ".join([*parts, state.code] if state is not None and parts else parts)
    return Region(RegionType.COUNTY, location, name or location, state.code if state is not None else "", location)


def _is_state(text: str, state: State | None) -> bool:
    return state is not None and text.strip().casefold() in (state.code.casefold(), state.name.casefold())


def _is_named(region: Region, text: str) -> bool:
    kind, colon, rest = text.partition(":")
    if colon and kind.strip().lower() in list(RegionType):
        return region.type == kind.strip().lower() and _has_id(region, rest.strip())
    return _has_id(region, text.strip())


def _has_id(region: Region, text: str) -> bool:
    folded = text.casefold()
    if folded in (region.id.casefold(), region.name.casefold(), region.location.casefold()):
        return True
    return region.type is RegionType.STATE and STATES[region.id].fips == text
