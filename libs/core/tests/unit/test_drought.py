"""Drought: regions by their names at the source, the index from shares of area, changes over weeks."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from aurum.core.drought import WEEKS, Region, RegionFilter, RegionType, Statistics, dsci, region_of, with_changes
from aurum.core.drought.states import STATES, state_named

TUESDAY = date(2025, 10, 28)


@pytest.mark.parametrize(
    ("location", "column", "name", "expected"),
    [
        ("CONUS", "name", "", (RegionType.NATIONAL, "CONUS", "Contiguous United States", "")),
        ("Total", "areaofinterest", "", (RegionType.NATIONAL, "US", "United States", "")),
        ("CA", "stateabbreviation", "", (RegionType.STATE, "CA", "California", "CA")),
        ("California", "NAME", "", (RegionType.STATE, "CA", "California", "CA")),
        ("06", "fips", "", (RegionType.STATE, "CA", "California", "CA")),
        ("06037", "fips", "Los Angeles County, CA", (RegionType.COUNTY, "06037", "Los Angeles County, CA", "CA")),
        ("06037", "FIPS", "California, Los Angeles County", (RegionType.COUNTY, "06037", "Los Angeles County, CA", "CA")),
        ("11001", "fips", "District of Columbia, DC", (RegionType.COUNTY, "11001", "11001", "DC")),
        ("99001", "fips", "Elsewhere", (RegionType.COUNTY, "99001", "Elsewhere", "")),
        ("06", "hucid", "", (RegionType.HUC, "06", "Tennessee", "")),
        ("0601", "huc", "Upper Tennessee", (RegionType.HUC, "0601", "Upper Tennessee", "")),
        ("0602", "huc", "", (RegionType.HUC, "0602", "Hydrologic unit 0602", "")),
        ("High Plains", "name", "", (RegionType.AREA, "High Plains", "High Plains", "")),
    ],
)
def test_a_location_is_a_region_with_one_type_id_and_name(
    location: str, column: str, name: str, expected: tuple[object, ...]
) -> None:
    assert region_of(location, column, name) == Region(*expected, location)  # type: ignore[arg-type] - a table of values


def test_every_state_is_known_by_code_fips_and_name() -> None:
    assert len(STATES) == 56
    for state in STATES.values():
        assert state_named(state.code.lower()) == state_named(state.fips) == state_named(state.name.upper()) == state


CALIFORNIA = region_of("California", "name")
LOS_ANGELES = region_of("06037", "fips", "Los Angeles County, CA")
TENNESSEE_WATER, CALIFORNIA_WATER = region_of("06", "huc"), region_of("18", "huc")
ALL = [CALIFORNIA, LOS_ANGELES, TENNESSEE_WATER, CALIFORNIA_WATER]


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        (RegionFilter(), ALL),
        (RegionFilter("ca"), [CALIFORNIA]),
        (RegionFilter("california"), [CALIFORNIA, CALIFORNIA_WATER]),
        (RegionFilter("state:California"), [CALIFORNIA]),
        (RegionFilter("STATE:06"), [CALIFORNIA]),
        (RegionFilter("06"), [CALIFORNIA, TENNESSEE_WATER]),
        (RegionFilter("huc:06"), [TENNESSEE_WATER]),
        (RegionFilter(state="CA"), [CALIFORNIA, LOS_ANGELES]),
        (RegionFilter(kind=RegionType.COUNTY, state="CA"), [LOS_ANGELES]),
        (RegionFilter("06037", RegionType.STATE), []),
    ],
)
def test_regions_are_selected_by_id_name_type_and_state(selected: RegionFilter, expected: list[Region]) -> None:
    assert [region for region in ALL if selected.selects(region)] == expected
    assert selected.is_open == (expected == ALL)


def test_a_label_selects_its_own_region_alone() -> None:
    for region in ALL:
        assert [one for one in ALL if RegionFilter(region.label).selects(one)] == [region]


def test_the_index_is_the_same_from_either_form_of_shares() -> None:
    cumulative = pl.DataFrame(
        {"d0": [60.0, 100.0], "d1": [35.5, 100.0], "d2": [12.0, 100.0], "d3": [3.0, 100.0], "d4": [0.0, 100.0]}
    )
    categorical = pl.DataFrame({"d0": [24.5, 0.0], "d1": [23.5, 0.0], "d2": [9.0, 0.0], "d3": [3.0, 0.0], "d4": [0.0, 100.0]})
    expected = pytest.approx([110.5, 500.0])
    assert cumulative.select(dsci(Statistics.CUMULATIVE)).to_series().to_list() == expected
    assert categorical.select(dsci(Statistics.CATEGORICAL)).to_series().to_list() == expected


def test_the_index_is_missing_where_a_share_is() -> None:
    frame = pl.DataFrame(
        {"d0": [60.0], "d1": [None], "d2": [0.0], "d3": [0.0], "d4": [0.0]}, schema_overrides={"d1": pl.Float64}
    )
    assert frame.select(dsci(Statistics.CUMULATIVE)).to_series().to_list() == [None]


@pytest.mark.parametrize("weeks", WEEKS)
def test_a_change_compares_with_the_map_some_weeks_earlier(weeks: int) -> None:
    days = [TUESDAY + timedelta(weeks=number) for number in range(60)]
    values = [float(number * number) for number in range(60)]
    frame = pl.DataFrame({"key": ["a"] * 60, "day": days, "value": values})
    changes = with_changes(frame, ["value"], weeks)["value_change"].to_list()
    assert changes == [None] * weeks + [values[n] - values[n - weeks] for n in range(weeks, 60)]


def test_a_change_is_missing_where_either_value_is_and_keys_do_not_mix() -> None:
    week = timedelta(weeks=1)
    days = [TUESDAY, TUESDAY + week, TUESDAY + 2 * week, TUESDAY + 4 * week]
    frame = pl.DataFrame(
        {"key": ["a", "a", "a", "a", "b"], "day": [*days, TUESDAY + week], "value": [1.0, None, 5.0, 7.0, 9.0]},
    )
    assert with_changes(frame, ["value"], 1)["value_change"].to_list() == [None] * 5
    assert with_changes(frame, ["value"], 2)["value_change"].to_list() == [None, None, 4.0, 2.0, None]
