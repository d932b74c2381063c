"""Drought: the regions of the Drought Monitor, its categories, and the index made of them.

categories   D0 to D4, shares of area, and DSCI
regions      nation, states, counties and hydrologic units behind the locations of a source
"""

from aurum.core.drought.categories import CATEGORIES, DSCI_MOST, SHARES, WEEKS, Category, Statistics, dsci, with_changes
from aurum.core.drought.regions import Region, RegionFilter, RegionType, region_of

__all__ = [
    "CATEGORIES",
    "DSCI_MOST",
    "SHARES",
    "WEEKS",
    "Category",
    "Region",
    "RegionFilter",
    "RegionType",
    "Statistics",
    "dsci",
    "region_of",
    "with_changes",
]
