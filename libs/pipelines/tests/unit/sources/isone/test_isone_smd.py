import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.isone.smd import WORKBOOK, ZONE_SHEET

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

HEADER = "Date,Hr_End,DA_Demand,DA_LMP,RT_LMP,Dry_Bulb"
NAME = "invented_smd_hourly_2025_CT.csv"


def sheet(day: str, labels: list[str]) -> str:
    """An invented sheet, its prices the number of the row in the day."""
    return (
        "\n".join((HEADER, *(f"{day},{label},2500.5,{number},43.730000000000004,31" for number, label in enumerate(labels))))
        + "\n"
    )


def day_ahead(parsed: Parsed) -> dict[datetime, float]:
    return dict(parsed.rows.filter(pl.col("measure") == "da_lmp").select("ts", "value").iter_rows())


def hourly(start: datetime, numbers: list[int]) -> dict[datetime, float]:
    return {start + timedelta(hours=hour): number for hour, number in enumerate(numbers)}


def test_columns_become_measures_with_their_units(parse: Parse) -> None:
    (parsed,) = parse(NAME, sheet("2025-06-02", ["01"]))
    units = dict(parsed.series.select("measure", "unit").iter_rows())
    assert units == {"da_demand": "MW", "da_lmp": "USD/MWh", "rt_lmp": "USD/MWh", "dry_bulb": "degF"}
    assert set(parsed.rows["location"]) == {"CT"}


def test_the_noise_of_a_spreadsheet_is_rounded_away(parse: Parse) -> None:
    (parsed,) = parse(NAME, sheet("2025-06-02", ["01"]))
    assert parsed.rows.filter(pl.col("measure") == "rt_lmp")["value"].item() == 43.73


def test_of_24_rows_on_the_spring_day_the_averaged_hour_02_is_refused(parse: Parse) -> None:
    (parsed,) = parse(NAME, sheet("2017-03-12", [f"{hour:02}" for hour in range(1, 25)]))
    assert day_ahead(parsed) == hourly(datetime(2017, 3, 12, 5, tzinfo=UTC), [0, *range(2, 24)])
    assert parsed.refused.select("line", "reason").rows() == [(3, Reason.NON_EXISTENT_TIME)]


def test_a_spring_day_of_23_rows_is_read_whole(parse: Parse) -> None:
    (parsed,) = parse(NAME, sheet("2025-03-09", ["01", "03", *(f"{hour:02}" for hour in range(4, 25))]))
    assert day_ahead(parsed) == hourly(datetime(2025, 3, 9, 5, tzinfo=UTC), list(range(23)))


def test_the_mean_of_two_hours_on_a_fall_day_of_24_rows_is_refused(parse: Parse) -> None:
    (parsed,) = parse(NAME, sheet("2017-11-05", [f"{hour:02}" for hour in range(1, 25)]))
    assert len(day_ahead(parsed)) == 23
    assert parsed.refused.select("line", "reason").rows() == [(3, Reason.AMBIGUOUS_TIME)]


def test_a_fall_day_of_25_rows_is_read_whole(parse: Parse) -> None:
    (parsed,) = parse(NAME, sheet("2025-11-02", ["01", "02", "02X", *(f"{hour:02}" for hour in range(3, 25))]))
    assert day_ahead(parsed) == hourly(datetime(2025, 11, 2, 4, tzinfo=UTC), list(range(25)))


def test_bad_cells_and_days_are_refused_and_the_rest_kept(parse: Parse) -> None:
    text = sheet("2025-06-02", ["01", "02"]) + sheet("2025-06-31", ["01"]).split("\n", 1)[1]
    (parsed,) = parse(NAME, text.replace(",0,", ",none,", 1))
    assert day_ahead(parsed) == {datetime(2025, 6, 2, 5, tzinfo=UTC): 1.0}
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (2, "DA_LMP", Reason.NON_NUMERIC),
        (4, "Date", Reason.INVALID_TIME),
    ]


def test_a_sheet_that_does_not_say_its_zone_is_refused() -> None:
    document = SourceFile("smd_hourly.csv", sheet("2025-06-02", ["01"]).encode())
    assert ZONE_SHEET.recognise(document)
    with pytest.raises(RefusedFile, match="which zone"):
        ZONE_SHEET.parse(document)


def archive(member: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with ZipFile(stream, "w") as target:
        target.writestr(member, content)
    return stream.getvalue()


def test_only_a_workbook_with_the_sheets_is_claimed() -> None:
    assert not WORKBOOK.recognise(SourceFile("x.xlsx", b""))
    assert not WORKBOOK.recognise(SourceFile("x.xlsx", b"PK\x03\x04 no archive"))
    assert not WORKBOOK.recognise(SourceFile("x.zip", archive("a.csv", b"1")))
    assert WORKBOOK.recognise(SourceFile("x.xlsx", archive("xl/workbook.xml", b'<sheet name="ISO NE CA"/>')))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", archive("xl/workbook.xml", b'<sheet name="ISO NE CA"/>')])
def test_a_damaged_workbook_is_refused_whole(content: bytes) -> None:
    with pytest.raises(RefusedFile):
        WORKBOOK.parse(SourceFile("2017_smd_hourly.xlsx", content))


def test_the_real_sheet_has_every_hour_of_both_days_on_which_clocks_change(parse: Parse, real_files: Path) -> None:
    path = real_files / "smd_hourly" / "isone_smd_hourly_2025_CT_sample.csv"
    with path.open(newline="") as stream:
        raw = [float(line["DA_LMP"]) for line in csv.DictReader(stream)]
    (parsed,) = parse(path.name, path.read_bytes())
    by_hour = day_ahead(parsed)
    assert list(by_hour.values()) == pytest.approx(raw, abs=1e-9)
    spring = [datetime(2025, 3, 9, 5, tzinfo=UTC) + timedelta(hours=hour) for hour in range(23)]
    fall = [datetime(2025, 11, 2, 4, tzinfo=UTC) + timedelta(hours=hour) for hour in range(25)]
    assert list(by_hour)[24:] == spring + fall


@pytest.fixture(scope="module")
def real_workbook(real_files: Path) -> Path:
    return real_files / "smd_hourly" / "2017_smd_hourly.xlsx"


@pytest.fixture(scope="module")
def parsed_workbook(parse: Parse, real_workbook: Path) -> Parsed:
    (parsed,) = parse(real_workbook.name, real_workbook.read_bytes())
    return parsed


def test_the_real_workbook_loses_only_its_nine_averaged_hours(parsed_workbook: Parsed) -> None:
    parsed = parsed_workbook
    assert parsed.rows_read == 9 * 4344
    assert parsed.refused["detail"].unique().to_list() == ["2017-03-12 hour ending 02"]
    assert parsed.refused.height == 9
    assert parsed.refused["raw"][4].startswith("sheet CT, row 1683: 2017-03-12")
    hours = (date(2017, 7, 1) - date(2017, 1, 1)).days * 24 - 1
    prices = parsed.rows.filter(pl.col("measure") == "rt_lmp")
    assert prices.group_by("location").len()["len"].unique().to_list() == [hours]
    ct = parsed.rows.filter((pl.col("location") == "CT") & (pl.col("measure") == "da_demand"))
    spring = datetime(2017, 3, 12, 5, tzinfo=UTC)
    # Hours 01, 03 and 04 of the sheet.
    assert ct.filter(pl.col("ts").is_between(spring, spring + timedelta(hours=2)))["value"].to_list() == [
        3066.6,
        2854.4,
        2924.3,
    ]


def test_the_real_workbook_agrees_with_a_plain_reading_of_its_cells(parsed_workbook: Parsed, real_workbook: Path) -> None:
    total = 0.0
    with ZipFile(real_workbook) as members:
        # The first sheet holds the notes; row 1 the headers, row 1683 the averaged hour; column E the day-ahead price.
        for number in range(2, 11):
            cells = re.findall(r'<c r="E(\d+)"[^>]*><v>([^<]+)</v>', members.read(f"xl/worksheets/sheet{number}.xml").decode())
            total += sum(float(value) for row, value in cells if row not in ("1", "1683"))
    assert parsed_workbook.rows.filter(pl.col("measure") == "da_lmp")["value"].sum() == pytest.approx(total, abs=1e-4)
