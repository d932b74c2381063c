import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.drought_monitor import SOURCE

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"
AREA = "GetDroughtSeverityStatisticsByAreaPercent.csv"
EXPORT = (DATA / "dm_export.csv").read_text()
STATISTICS = (DATA / "invented_statistics.csv").read_text()
CATEGORICAL = "MapDate,FIPS,County,State,None,D0,D1,D2,D3,D4,ValidStart,ValidEnd,StatisticFormatID\n"
CATEGORICAL += "20251104,08059,Jefferson County,CO,40,25,20,10,5,0,2025-11-04,2025-11-10,2\n"


def test_the_index_is_of_a_week_that_begins_with_the_maps_tuesday(parse: Parse) -> None:
    (parsed,) = parse(AREA, EXPORT)
    assert parsed.series.select("location", "measure", "unit", "frequency").rows() == [("CONUS", "dsci", "index", "1w")]
    assert parsed.rows.row(0)[2:4] == (datetime(2000, 12, 26, 5, tzinfo=UTC), 51.0)
    assert parsed.rows_read == 11


def test_an_index_by_county_is_placed_by_its_code(parse: Parse) -> None:
    (parsed,) = parse(AREA, "State,County,FIPS,MapDate,DSCI\nCO,Jefferson County,08059,2020-03-31,250\n")
    assert parsed.series.select("location", "location_name", "location_type").row(0) == (
        "08059",
        "CO, Jefferson County",
        "fips",
    )
    assert parsed.rows["ts"].to_list() == [datetime(2020, 3, 31, 4, tzinfo=UTC)]


def test_cumulative_shares_are_by_area_and_category(parse: Parse) -> None:
    (parsed,) = parse(AREA, STATISTICS)
    assert parsed.dataset.name == "area_percent_cumulative"
    latest = parsed.rows.filter(pl.col("location") == "NM", pl.col("ts") == datetime(2025, 11, 4, 5, tzinfo=UTC))
    assert dict(latest.select("measure", "value").iter_rows()) == {
        "area_none": 10.0,
        "area_d0": 90.0,
        "area_d1": 70.0,
        "area_d2": 50.0,
        "area_d3": 20.0,
        "area_d4": 5.25,
    }
    assert parsed.series["unit"].unique().to_list() == ["percent"]


def test_a_week_begins_in_new_york_on_either_side_of_a_clock_change(parse: Parse) -> None:
    (parsed,) = parse(AREA, STATISTICS)
    assert parsed.rows["ts"].unique().sort().to_list() == [
        datetime(2025, 10, 28, 4, tzinfo=UTC),
        datetime(2025, 11, 4, 5, tzinfo=UTC),
    ]


def test_categorical_shares_are_another_dataset_and_the_file_says_which(parse: Parse) -> None:
    (parsed,) = parse(AREA, CATEGORICAL)
    assert parsed.dataset.name == "area_percent_categorical"
    assert parsed.series.select("location", "location_name").unique().rows() == [("08059", "Jefferson County, CO")]


def test_both_kinds_in_one_file_are_two_parts(parse: Parse) -> None:
    header, first, *_ = STATISTICS.splitlines()
    other = "20251104,TX,40,24.5,23.5,9,3,0,2025-11-04,2025-11-10,2"
    cumulative, categorical = parse(AREA, f"{header}\n{first}\n{other}\n")
    assert (cumulative.dataset.name, categorical.dataset.name) == ("area_percent_cumulative", "area_percent_categorical")
    assert cumulative.rows_read + categorical.rows_read == 2
    assert cumulative.rows.height == categorical.rows.height == 6


def test_the_order_of_columns_does_not_matter(parse: Parse) -> None:
    rows = list(csv.DictReader(STATISTICS.splitlines()))
    order = [
        "MapDate",
        "StateAbbreviation",
        "StatisticFormatID",
        "ValidStart",
        "ValidEnd",
        "D0",
        "D1",
        "D2",
        "D3",
        "D4",
        "None",
    ]
    other = "\n".join([",".join([*order, "Missing"]), *(",".join([*(row[name] for name in order), "0"]) for row in rows), ""])
    assert parse(AREA, other)[0].rows.equals(parse(AREA, STATISTICS)[0].rows)


@pytest.mark.parametrize("shares", ['"4,078.02",120.5,60,10,0,0', "70,30.5,10,0,0,0.5", "12000,800,60,10,0,0"])
def test_areas_and_people_are_not_taken_for_shares(parse: Parse, shares: str) -> None:
    header = "MapDate,AreaOfInterest,None,D0,D1,D2,D3,D4,ValidStart,ValidEnd,StatisticFormatID"
    text = f"{header}\n20251104,CONUS,{shares},20251104,20251110,2\n"
    with pytest.raises(RefusedFile, match="not percent of area"):
        parse(AREA, text)


def test_a_row_that_cannot_be_read_is_held_back(parse: Parse) -> None:
    text = (
        STATISTICS.replace("20251104,TX", "20251131,TX")
        .replace("NM,12.00,88.00", "NM,12.00,x")
        .replace("10,1\n20251028,TX", "10,7\n20251028,TX")
    )
    (parsed,) = parse(AREA, text)
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (2, "MapDate", Reason.INVALID_TIME),
        (3, "StatisticFormatID", Reason.UNKNOWN_CODE),
        (5, "D0", Reason.NON_NUMERIC),
    ]
    assert parsed.rows.height == 6 + 5
    assert parsed.rows_read == 4


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (EXPORT.rstrip()[:-14], "truncated"),
        (STATISTICS.rstrip()[:-14], "truncated"),
        (STATISTICS.replace(",StatisticFormatID", "").replace(",1\n", "\n"), "StatisticFormatID"),
        ("MapDate,None,D0,D1,D2,D3,D4,StatisticFormatID\n20251104,100,0,0,0,0,0,1\n", "which area"),
    ],
)
def test_a_damaged_file_is_refused_whole(parse: Parse, text: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse(AREA, text)


@pytest.mark.parametrize("position", [0, 1])
def test_a_file_of_zero_bytes_is_refused(position: int) -> None:
    with pytest.raises(RefusedFile):
        SOURCE.formats[position].parse(SourceFile(AREA, b""))


def test_all_of_the_real_export_is_read(parse: Parse, real_files: Path) -> None:
    path = real_files / "drought" / "dm_export_20010101_20101231.csv"
    (parsed,) = parse(path.name, path.read_bytes())
    with path.open(newline="") as file:
        published = [(row["MapDate"], float(row["DSCI"])) for row in csv.DictReader(file)]
    local = parsed.rows["ts"].dt.convert_time_zone("America/New_York").dt.strftime("%Y%m%d").to_list()
    assert list(zip(local, parsed.rows["value"], strict=True)) == published
    assert parsed.refused.is_empty()
