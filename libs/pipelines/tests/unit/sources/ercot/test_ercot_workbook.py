import csv
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.ercot import SOURCE

NAME = "rpt.00013060.0000000000000000.DAMLZHBSPP_2021.xlsx"
HEADER = ["Delivery Date", "Hour Ending", "Repeated Hour Flag", "Settlement Point", "Settlement Point Price"]
EXCERPT = [
    row
    for row in csv.reader((Path(__file__).parent / "data" / "damlzhbspp_2021_three_days.csv").read_text().splitlines())
    if row != HEADER
]

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]
ParseYear = Callable[[Path], Parsed]
Workbook = Callable[[Mapping[str, Sequence[Sequence[str]]]], bytes]


def day(date: str, point: str = "HB_HUBAVG") -> list[list[str]]:
    return [row for row in EXCERPT if row[0] == date and row[3] == point]


def hours(parsed: Parsed) -> list[datetime]:
    return parsed.rows.sort("ts")["ts"].to_list()


def test_a_sheet_a_month_makes_one_dataset_and_empty_months_add_nothing(parse: Parse, workbook: Workbook) -> None:
    sheets = {"Feb": [HEADER, *day("02/17/2021")], "Mar": [HEADER, *day("03/14/2021")], "Apr": [HEADER], "May": []}
    (parsed,) = parse(NAME, workbook(sheets))
    assert parsed.dataset.name == "dam_spp"
    assert parsed.rows_read == parsed.rows.height == 24 + 23
    assert parsed.series.select("location", "measure", "location_type").rows() == [("HB_HUBAVG", "spp", "hub")]


def test_hour_ending_01_of_a_winter_day_begins_at_06_utc(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse(NAME, workbook({"Feb": [HEADER, *day("02/17/2021")]}))
    assert hours(parsed)[0] == datetime(2021, 2, 17, 6, tzinfo=UTC)
    assert hours(parsed)[-1] == datetime(2021, 2, 18, 5, tzinfo=UTC)


def test_spring_forward_day_has_23_hours(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse(NAME, workbook({"Mar": [HEADER, *day("03/14/2021")]}))
    assert len(hours(parsed)) == 23
    assert {later - sooner for sooner, later in zip(hours(parsed), hours(parsed)[1:], strict=False)} == {timedelta(hours=1)}


def test_fall_back_day_has_25_hours_and_the_flagged_one_is_the_second(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse(NAME, workbook({"Nov": [HEADER, *day("11/07/2021")]}))
    prices = dict(parsed.rows.select("ts", "value").iter_rows())
    assert len(prices) == 25
    assert prices[datetime(2021, 11, 7, 6, tzinfo=UTC)] == 20.53  # N, central daylight time
    assert prices[datetime(2021, 11, 7, 7, tzinfo=UTC)] == 27.0  # Y, central standard time


def test_a_repeated_hour_without_a_flag_is_ambiguous(parse: Parse, workbook: Workbook) -> None:
    rows = [[cell if cell not in "YN" else "" for cell in row] for row in day("11/07/2021")]
    (parsed,) = parse(NAME, workbook({"Nov": [HEADER, *rows]}))
    assert parsed.rows.height == 23
    assert parsed.refused["reason"].to_list() == ["ambiguous_time"] * 2


def test_an_hour_that_the_spring_day_lacks_is_held_back(parse: Parse, workbook: Workbook) -> None:
    extra = ["03/14/2021", "03:00", "N", "HB_HUBAVG", "21.5"]
    (parsed,) = parse(NAME, workbook({"Feb": [HEADER], "Mar": [HEADER, *day("03/14/2021"), extra]}))
    assert parsed.rows.height == 23
    assert parsed.refused.select("line", "column", "raw", "reason").rows() == [
        (26, "Hour Ending", "Mar: 03/14/2021,03:00,N,HB_HUBAVG,21.5", "non_existent_time")
    ]


@pytest.mark.parametrize("hour", ["00:00", "25:00", "1.5", "noon"])
def test_an_impossible_hour_is_held_back_and_the_rest_loads(parse: Parse, workbook: Workbook, hour: str) -> None:
    extra = ["02/17/2021", hour, "N", "LZ_WEST", "21.5"]
    (parsed,) = parse(NAME, workbook({"Feb": [HEADER, extra, *day("02/17/2021")]}))
    assert parsed.rows.height == 24
    assert parsed.refused.select("line", "reason").rows() == [(2, "invalid_time")]
    assert parsed.rows_read == 25


def test_a_flag_of_another_text_and_a_price_that_is_none_are_held_back(parse: Parse, workbook: Workbook) -> None:
    bad = [["02/17/2021", "01:00", "maybe", "LZ_WEST", "1"], ["02/17/2021", "02:00", "N", "LZ_WEST", "n/a"]]
    (parsed,) = parse(NAME, workbook({"Feb": [HEADER, *bad]}))
    assert parsed.rows.is_empty()
    assert parsed.refused["reason"].to_list() == ["unknown_code", "non_numeric"]


def test_a_file_of_zero_bytes_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="the file is empty"):
        parse(NAME, b"")


def test_a_truncated_workbook_is_refused(parse: Parse, workbook: Workbook) -> None:
    content = workbook({"Feb": [HEADER, *day("02/17/2021")]})
    with pytest.raises(RefusedFile, match="not a readable workbook"):
        parse(NAME, content[: len(content) // 2])


def test_a_sheet_with_another_header_refuses_the_file_and_is_named(parse: Parse, workbook: Workbook) -> None:
    sheets = {"Feb": [HEADER, *day("02/17/2021")], "Mar": [["Delivery Date", "Price"], ["03/01/2021", "1"]]}
    with pytest.raises(RefusedFile, match="wrong header in sheet 'Mar': Delivery Date, Price"):
        parse(NAME, workbook(sheets))


def test_a_workbook_without_any_header_is_refused(parse: Parse, workbook: Workbook) -> None:
    with pytest.raises(RefusedFile, match="no sheet has a header"):
        parse(NAME, workbook({"Jan": []}))


def test_a_renamed_workbook_is_recognised_by_its_first_cells(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse("prices.xlsx", workbook({"Feb": [HEADER, *day("02/17/2021")]}))
    assert parsed.dataset.name == "dam_spp"


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"\xd0\xcf\x11\xe0", b""])
def test_what_is_no_workbook_of_prices_is_not_claimed(content: bytes) -> None:
    assert not any(file_format.recognise(SourceFile("prices.xlsx", content)) for file_format in SOURCE.formats)


def test_the_real_time_workbook_has_quarters_of_hours(parse: Parse, workbook: Workbook) -> None:
    header = [
        "Delivery Date",
        "Delivery Hour",
        "Delivery Interval",
        "Repeated Hour Flag",
        "Settlement Point Name",
        "Settlement Point Type",
        "Settlement Point Price",
    ]
    rows = [["01/01/2021", "1", str(quarter), "N", "LZ_WEST", "LZ", "20.5"] for quarter in (1, 2, 3, 4)]
    (parsed,) = parse("rpt.00013061.0000000000000000.RTMLZHBSPP_2021.xlsx", workbook({"Jan": [header, *rows]}))
    assert parsed.dataset.name == "rtm_spp"
    assert [ts.minute for ts in hours(parsed)] == [0, 15, 30, 45]


@pytest.fixture(scope="module")
def parsed_year(parse: Parse) -> ParseYear:
    """A function that parses the workbook of a year, each only once."""

    @cache
    def parse_year(path: Path) -> Parsed:
        (parsed,) = parse(path.name, path.read_bytes())
        return parsed

    return parse_year


@pytest.mark.parametrize(("year", "rows"), [(2021, 131_400), (2023, 131_400), (2025, 104_745)])
def test_real_workbooks_give_the_sums_of_their_own_cells(
    parsed_year: ParseYear, real_files: Path, year: int, rows: int
) -> None:
    path = real_files / "damlzhbspp" / f"rpt.00013060.0000000000000000.DAMLZHBSPP_{year}.xlsx"
    prices: list[float] = []
    with zipfile.ZipFile(path) as archive:
        for part in archive.namelist():
            if part.startswith("xl/worksheets/Sheet"):
                cells = re.findall(rb'<c r="E\d+"([^>]*)><v>([^<]*)</v>', archive.read(part))
                prices += [float(value) for attributes, value in cells if b't="s"' not in attributes]
    assert len(prices) == rows
    parsed = parsed_year(path)
    assert parsed.rows_read == parsed.rows.height == rows
    assert parsed.refused.is_empty()
    assert parsed.rows["value"].sum() == pytest.approx(sum(prices), abs=1e-3)
    assert parsed.rows["value"].max() == max(prices)
    per_point = parsed.rows.group_by("location").len()["len"].unique().to_list()
    assert per_point == [rows // 15]
    assert parsed.rows.select("location", "ts").is_unique().all()


def test_real_fall_back_days_have_25_hours_at_every_point(parsed_year: ParseYear, real_files: Path) -> None:
    path = real_files / "damlzhbspp" / "rpt.00013060.0000000000000000.DAMLZHBSPP_2023.xlsx"
    parsed = parsed_year(path)
    start = datetime(2023, 11, 5, 5, tzinfo=UTC)
    day = parsed.rows.filter(pl.col("ts").is_between(start, start + timedelta(hours=25), closed="left"))
    assert day.group_by("location").len()["len"].to_list() == [25] * 15
