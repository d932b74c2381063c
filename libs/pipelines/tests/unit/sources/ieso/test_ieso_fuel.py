import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Quality
from aurum.pipelines.named_content import hold_to_name
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.ieso import SOURCE

REPORT = (Path(__file__).parent / "data" / "invented_clock_changes_2025.xml").read_text()
NAME = "PUB_GenOutputbyFuelHourly_2025.xml"

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


@pytest.mark.parametrize("first", [datetime(2025, 3, 9, 5, tzinfo=UTC), datetime(2025, 11, 2, 5, tzinfo=UTC)])
def test_days_of_clock_changes_have_24_hours_of_standard_time(parse: Parse, first: datetime) -> None:
    (parsed,) = parse(NAME, REPORT)
    day = parsed.rows.filter(
        pl.col("measure") == "generation_nuclear", pl.col("ts").is_between(first, first + timedelta(hours=24), closed="left")
    )
    assert day["ts"].to_list() == [first + timedelta(hours=hour) for hour in range(24)]
    assert parsed.refused.is_empty()


def test_created_at_is_the_known_time_in_eastern_standard_time(parse: Parse) -> None:
    (parsed,) = parse(NAME, REPORT)
    assert parsed.known_at == datetime(2025, 11, 3, 11, 50, 25, tzinfo=UTC)


def test_a_sum_that_lacks_data_points_is_marked_estimated(parse: Parse) -> None:
    (parsed,) = parse(NAME, REPORT)
    marked = parsed.rows.filter(pl.col("quality") != Quality.GOOD)
    assert marked.select("measure", "quality").unique().rows() == [("generation_wind", Quality.ESTIMATED)]
    assert [ts.hour for ts in marked["ts"]] == [9, 9]  # hour 5 of both days


def test_an_output_that_is_left_out_is_no_observation(parse: Parse) -> None:
    (parsed,) = parse(NAME, REPORT)
    assert parsed.rows_read == 2 * 24 * 3
    assert parsed.rows.height == parsed.rows_read - 2
    assert parsed.refused.is_empty()


def test_control_actions_are_a_fuel_of_later_years(parse: Parse) -> None:
    (parsed,) = parse(NAME, REPORT.replace("NUCLEAR", "CONTROL ACTIONS"))
    assert "generation_control_actions" in parsed.series["measure"]


def test_an_unknown_fuel_is_a_series_with_an_unmapped_fuel(parse: Parse) -> None:
    (parsed,) = parse(NAME, REPORT.replace("NUCLEAR", "Anti Matter", 1))
    assert parsed.rows.height == 2 * 24 * 3 - 2
    about = parsed.series.filter(pl.col("measure") == "generation_anti_matter").row(0, named=True)
    assert (about["unit"], about["kind"], about["market_run"], about["fuel"]) == ("MW", "generation", "real_time", "unmapped")
    assert json.loads(about["labels"]) == {"fuel_as_published": "Anti Matter"}


def test_a_number_in_place_of_a_fuel_is_held_back_and_the_rest_loads(parse: Parse) -> None:
    (parsed,) = parse(NAME, REPORT.replace("NUCLEAR", "11.5", 1))
    assert parsed.rows.height == 2 * 24 * 3 - 3
    assert parsed.refused.select("line", "column", "reason", "detail").rows() == [(1, "Fuel", "unknown_code", "11.5")]
    assert "<Fuel>11.5</Fuel>" in parsed.refused["raw"][0]


def test_the_words_of_both_spellings_are_one_series(parse: Parse) -> None:
    (parsed,) = parse(NAME, REPORT.replace("NUCLEAR", "Nuclear", 1))
    assert parsed.series.filter(pl.col("fuel") == "nuclear")["measure"].to_list() == ["generation_nuclear"]


@pytest.mark.parametrize("hour", ["0", "25", "one"])
def test_an_impossible_hour_is_held_back_and_the_rest_loads(parse: Parse, hour: str) -> None:
    (parsed,) = parse(NAME, REPORT.replace("<Hour>1</Hour>", f"<Hour>{hour}</Hour>", 1))
    assert parsed.rows.height == 2 * 24 * 3 - 2 - 3
    assert parsed.refused.select("line", "column", "reason").rows() == [(n, "Hour", "invalid_time") for n in (1, 2, 3)]


def test_an_output_that_is_no_number_is_held_back(parse: Parse) -> None:
    first = REPORT.index("<Output>") + len("<Output>")
    (parsed,) = parse(NAME, REPORT[:first] + "x" + REPORT[first:])
    assert parsed.refused.select("line", "column", "reason").rows() == [(1, "Output", "non_numeric")]


def test_an_output_of_unknown_quality_is_held_back(parse: Parse) -> None:
    (parsed,) = parse(NAME, REPORT.replace("<OutputQuality>0<", "<OutputQuality>good<", 1))
    assert parsed.refused.select("line", "column", "reason", "detail").rows() == [(1, "OutputQuality", "unknown_code", "good")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "the file is empty"),
        (REPORT[: len(REPORT) // 2], "not well-formed XML"),
        (REPORT.replace("FuelTotal", "PlantTotal"), "no FuelTotal"),
        (REPORT.replace("2025-11-03T06:50:25", "soon"), "CreatedAt 'soon' is not a time"),
    ],
)
def test_a_damaged_file_is_refused_whole(parse: Parse, content: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse(NAME, content)


def test_a_renamed_file_is_recognised_by_its_document_id(parse: Parse) -> None:
    (parsed,) = parse("output.xml", REPORT)
    assert parsed.dataset.name == "gen_output_by_fuel_hourly"


def test_the_real_report_gives_the_sums_that_another_reader_gives(parse: Parse, real_files: Path) -> None:
    content = (real_files / "GenOutputbyFuelHourly_2016.xml").read_bytes()
    expected: dict[str, list[float]] = {}
    flagged = 0
    space = "{http://www.ieso.ca/schema}"
    for total in ElementTree.fromstring(content).iter(f"{space}FuelTotal"):
        fuel = total.findtext(f"{space}Fuel") or ""
        expected.setdefault(fuel, []).append(float(total.findtext(f"{space}EnergyValue/{space}Output") or ""))
        flagged += total.findtext(f"{space}EnergyValue/{space}OutputQuality") != "0"
    (parsed,) = parse("GenOutputbyFuelHourly_2016.xml", content)
    assert parsed.rows_read == parsed.rows.height == sum(map(len, expected.values())) == 1008
    for fuel, values in expected.items():
        parsed_values = parsed.rows.filter(pl.col("measure") == f"generation_{fuel.lower()}")["value"]
        assert (parsed_values.len(), parsed_values.sum()) == (len(values), sum(values))
    assert parsed.rows.filter(pl.col("quality") == Quality.ESTIMATED).height == flagged == 66
    assert parsed.known_at == datetime(2016, 5, 13, 11, 50, 25, tzinfo=UTC)


def test_hours_that_are_counted_from_0_are_not_read_an_hour_early(parse: Parse) -> None:
    counted = re.sub(r"<Hour>(\d+)</Hour>", lambda match: f"<Hour>{int(match[1]) - 1}</Hour>", REPORT)
    (parsed,) = parse(NAME, counted)
    assert parsed.rows.is_empty()
    assert parsed.refused["detail"].unique().to_list() == ["counted from 0: IESO's hours end at 1 to 24"]


def test_a_report_of_another_year_than_it_states_is_refused() -> None:
    (ieso,) = SOURCE.formats
    stated = REPORT.replace("<DocBody>", "<DocBody><DeliveryYear>2024</DeliveryYear>")
    for name in (NAME, "renamed.xml"):
        document = SourceFile(name, stated.encode())
        with pytest.raises(RefusedFile, match=r"name and content disagree: .*DeliveryYear 2024 says 2024-01-01 to 2024-12-31"):
            hold_to_name(name, ieso.named(document), ieso.parse(document))
