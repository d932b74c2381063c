"""States and territories of the United States, with their FIPS codes, and the regions of hydrologic units.

FIPS codes: ANSI INCITS 38. Hydrologic units: U.S. Geological Survey, Hydrologic Unit Maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class State:
    """A state, a district or a territory. ``fips``: two digits."""

    code: str
    fips: str
    name: str


_STATES = """
AL 01 Alabama
AK 02 Alaska
AZ 04 Arizona
AR 05 Arkansas
CA 06 California
CO 08 Colorado
CT 09 Connecticut
DE 10 Delaware
DC 11 District of Columbia
FL 12 Florida
GA 13 Georgia
HI 15 Hawaii
ID 16 Idaho
IL 17 Illinois
IN 18 Indiana
IA 19 Iowa
KS 20 Kansas
KY 21 Kentucky
LA 22 Louisiana
ME 23 Maine
MD 24 Maryland
MA 25 Massachusetts
MI 26 Michigan
MN 27 Minnesota
MS 28 Mississippi
MO 29 Missouri
MT 30 Montana
NE 31 Nebraska
NV 32 Nevada
NH 33 New Hampshire
NJ 34 New Jersey
NM 35 New Mexico
NY 36 New York
NC 37 North Carolina
ND 38 North Dakota
OH 39 Ohio
OK 40 Oklahoma
OR 41 Oregon
PA 42 Pennsylvania
RI 44 Rhode Island
SC 45 South Carolina
SD 46 South Dakota
TN 47 Tennessee
TX 48 Texas
UT 49 Utah
VT 50 Vermont
VA 51 Virginia
WA 53 Washington
WV 54 West Virginia
WI 55 Wisconsin
WY 56 Wyoming
AS 60 American Samoa
GU 66 Guam
MP 69 Northern Mariana Islands
PR 72 Puerto Rico
VI 78 U.S. Virgin Islands
"""

STATES: Mapping[str, State] = {line[:2]: State(line[:2], line[3:5], line[6:]) for line in _STATES.split("\n") if line}
"""By code."""

_BY_TEXT = {text.casefold(): state for state in STATES.values() for text in (state.code, state.fips, state.name)}

WATER_REGIONS: Mapping[str, str] = {
    "01": "New England",
    "02": "Mid-Atlantic",
    "03": "South Atlantic-Gulf",
    "04": "Great Lakes",
    "05": "Ohio",
    "06": "Tennessee",
    "07": "Upper Mississippi",
    "08": "Lower Mississippi",
    "09": "Souris-Red-Rainy",
    "10": "Missouri",
    "11": "Arkansas-White-Red",
    "12": "Texas-Gulf",
    "13": "Rio Grande",
    "14": "Upper Colorado",
    "15": "Lower Colorado",
    "16": "Great Basin",
    "17": "Pacific Northwest",
    "18": "California",
    "19": "Alaska",
    "20": "Hawaii",
    "21": "Caribbean",
    "22": "South Pacific",
}
"""Names of hydrologic units of two digits."""


def state_named(text: str) -> State | None:
    """Return the state with a code, a FIPS code or a name, in upper or lower case; None for any other text."""
    return _BY_TEXT.get(text.strip().casefold())
