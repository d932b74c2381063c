"""The Drought Monitor: its regions, its index and its shares of area, as series of one source.

regions   regions behind the locations of the source, and those that a filter selects
values    index and shares of area, side by side
weekly    pages of weekly rows with changes
"""

from aurum.services.drought.regions import known_state, regions, selected_regions
from aurum.services.drought.values import INDEX_DATASET, MAIN_SHARE, SOURCE, read_index, read_shares, shares_dataset
from aurum.services.drought.weekly import ZONE, WeeklyPage, WeeklyQuestion, index_page, shares_page

__all__ = [
    "INDEX_DATASET",
    "MAIN_SHARE",
    "SOURCE",
    "ZONE",
    "WeeklyPage",
    "WeeklyQuestion",
    "index_page",
    "known_state",
    "read_index",
    "read_shares",
    "regions",
    "selected_regions",
    "shares_dataset",
    "shares_page",
]
