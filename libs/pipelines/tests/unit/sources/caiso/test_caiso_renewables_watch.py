import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.pipelines.source import Parsed, RefusedFile

DATA = Path(__file__).parent / "data"
SPRING = (DATA / "20170312_DailyRenewablesWatch.txt").read_text()
FALL = (DATA / "20171105_DailyRenewablesWatch.txt").read_text()
NAME = "20170704_DailyRenewablesWatch.txt"
SUMMER = FALL.replace("11/05/17", "07/04/17")

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def series(parsed: Parsed, measure: str) -> dict[datetime, float]:
    return dict(parsed.rows.filter(pl.col("measure") == measure).select("ts", "value").iter_rows())


def test_hours_are_hour_ending_in_pacific_time(parse: Parse) -> None:
    (parsed,) = parse(NAME, SUMMER)
    nuclear = series(parsed, "generation_nuclear")
    assert list(nuclear) == [datetime(2017, 7, 4, 7, tzinfo=UTC) + timedelta(hours=hour) for hour in range(24)]
    assert nuclear[datetime(2017, 7, 4, 7, tzinfo=UTC)] == 2254
    assert parsed.rows_read == 48


def test_every_column_of_both_blocks_is_a_measure_of_the_area(parse: Parse) -> None:
    (parsed,) = parse(NAME, SUMMER)
    assert parsed.series["location"].unique().to_list() == ["CAISO"]
    assert sorted(parsed.series["measure"]) == [
        "generation_biogas",
        "generation_biomass",
        "generation_geothermal",
        "generation_hydro",
        "generation_nuclear",
        "generation_renewables",
        "generation_small_hydro",
        "generation_solar_pv",
        "generation_solar_thermal",
        "generation_thermal",
        "generation_wind",
        "imports",
    ]


def test_the_hour_that_the_spring_day_lacks_is_held_back_with_its_whole_text(parse: Parse) -> None:
    (parsed,) = parse("20170312_DailyRenewablesWatch.txt", SPRING)
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (5, "Hour", "non_existent_time"),
        (38, "Hour", "non_existent_time"),
    ]
    assert parsed.refused["raw"][0].count("The supplied DateTime represents an invalid time") == 5
    assert "#VALUE!" in parsed.refused["raw"][1]
    wind = series(parsed, "generation_wind")
    assert len(wind) == 23
    assert wind[datetime(2017, 3, 12, 10, tzinfo=UTC)] == 1186  # hour 4: three to four, daylight time
    assert datetime(2017, 3, 12, 9, tzinfo=UTC) in wind  # hour 2, standard time


def test_the_one_row_for_the_two_repeated_hours_is_ambiguous(parse: Parse) -> None:
    (parsed,) = parse("20171105_DailyRenewablesWatch.txt", FALL)
    assert parsed.refused.select("line", "reason").rows() == [(4, "ambiguous_time"), (32, "ambiguous_time")]
    wind = series(parsed, "generation_wind")
    assert len(wind) == 23
    assert not {datetime(2017, 11, 5, 8, tzinfo=UTC), datetime(2017, 11, 5, 9, tzinfo=UTC)} & set(wind)


def test_an_error_text_in_a_cell_is_held_back_alone(parse: Parse) -> None:
    (parsed,) = parse(NAME, SUMMER.replace("\t5560\t", "\t#VALUE!\t"))
    assert parsed.rows.height == 24 * 12 - 1
    assert parsed.refused.select("line", "column", "reason", "detail").rows() == [(31, "IMPORTS", "non_numeric", "#VALUE!")]


def test_a_row_with_a_missing_cell_is_held_back_whole(parse: Parse) -> None:
    (parsed,) = parse(NAME, SUMMER.replace("\t928\t\t264\t", "\t\t\t264\t", 1))
    assert parsed.refused.select("line", "column", "reason").rows() == [(3, "Hour", "missing_field")]
    assert parsed.rows.height == 24 * 12 - 7


@pytest.mark.parametrize("hour", ["25", "1a"])
def test_an_impossible_hour_is_held_back_and_the_rest_loads(parse: Parse, hour: str) -> None:
    (parsed,) = parse(NAME, SUMMER.replace("\t24\t\t923", f"\t{hour}\t\t923"))
    assert parsed.rows.height == 24 * 12 - 7
    assert parsed.refused["reason"].to_list() == ["invalid_time"]


def test_early_years_have_one_solar_column(parse: Parse) -> None:
    early = SUMMER.replace("SOLAR PV\tSOLAR THERMAL", "SOLAR")
    cut = "\n".join(
        re.sub(r"\t\t\d+(\t\t)$", r"\1", line) if number < 26 else line for number, line in enumerate(early.split("\n"))
    )
    (parsed,) = parse(NAME, cut)
    assert "generation_solar" in parsed.series["measure"]
    assert parsed.refused.is_empty()


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_renamed_file_is_recognised_by_its_title(parse: Parse, ends: str) -> None:
    (parsed,) = parse("generation.txt", SUMMER.replace("\n", ends))
    assert parsed.rows.height == 24 * 12


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "the file is empty"),
        ("07/04/17 Nothing of the kind\n", "wrong header"),
        (SUMMER[: SUMMER.index("Hourly Breakdown of Total")], "1 of 2 blocks"),
        (SUMMER[: SUMMER.rindex("\t24\t\t")], "23 of 24 hours"),
        (SUMMER[: SUMMER.rindex("\t\t1960")], "the last row of a block is cut off"),
        (SPRING[: SPRING.index("Parameter name")], "a quoted cell does not end"),
        (SUMMER.replace("BIOGAS", "182.5"), "no resource type: '182.5'"),
        (SUMMER.replace("BIOGAS", "Biomass"), "stands there twice"),
    ],
)
def test_a_damaged_file_is_refused_whole(parse: Parse, content: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse(NAME, content)


def test_an_unknown_resource_type_is_a_series_with_an_unmapped_fuel(parse: Parse) -> None:
    (parsed,) = parse(NAME, SUMMER.replace("BIOGAS", "TIDAL"))
    assert parsed.rows.height == 24 * 12
    about = parsed.series.filter(pl.col("measure") == "generation_tidal").row(0, named=True)
    assert (about["unit"], about["kind"], about["fuel"]) == ("MW", "generation", "unmapped")
    assert json.loads(about["labels"]) == {"fuel_as_published": "TIDAL"}


def test_imports_and_the_total_of_renewables_are_no_fuels(parse: Parse) -> None:
    (parsed,) = parse(NAME, SUMMER)
    dimensions = {row[0]: row[1:] for row in parsed.series.select("measure", "kind", "fuel", "fuel_detail").rows()}
    assert dimensions["imports"] == ("flow", None, None)
    assert dimensions["generation_renewables"] == ("generation", None, None)
    assert dimensions["generation_solar_pv"] == ("generation", "solar", "solar_pv")
    assert parsed.series["market_run"].unique().to_list() == ["real_time"]


@pytest.mark.parametrize("name", ["20170312_DailyRenewablesWatch.txt", "20171105_DailyRenewablesWatch.txt"])
def test_real_files_give_the_sums_of_the_hours_that_can_be_told(parse: Parse, real_files: Path, name: str) -> None:
    content = (real_files / name).read_text()
    refused = "3" if "0312" in name else "2"
    rows = [re.split(r"\t+", line.strip()) for line in content.splitlines() if re.match(r"\t\d+\t+\d", line)]
    accepted = [row for row in rows if row[0] != refused]
    (parsed,) = parse(name, content)
    assert parsed.rows.height == sum(len(row) - 1 for row in accepted) == 23 * 12
    assert parsed.rows["value"].sum() == sum(int(cell) for row in accepted for cell in row[1:])


def test_hours_that_are_counted_from_0_are_not_read_an_hour_early(parse: Parse) -> None:
    counted = re.sub(r"(?m)^\t(\d+)\t", lambda match: f"\t{int(match[1]) - 1}\t", SUMMER)
    (parsed,) = parse(NAME, counted)
    assert parsed.rows.is_empty()
    assert set(parsed.refused["detail"]) == {"counted from 0: CAISO's hours end at 1 to 24"}
