import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.eia import SOURCE, navigator

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]
Workbook = Callable[..., bytes]

DATA = Path(__file__).parent / "data"
SHEET = (DATA / "HenryHubData.csv").read_bytes().decode()
CHART = (DATA / "Henry_Hub_Natural_Gas_Spot_Price_daily.csv").read_bytes().decode()
TITLE = "Henry Hub Natural Gas Spot Price (Dollars per Million Btu)"


def sheets(
    *rows: tuple[object, ...], frequency: str = "Daily", keys: tuple[str, ...] = ("RNGWHHD",), title: str = TITLE
) -> dict[str, list[tuple[object, ...]]]:
    return {
        "Contents": [
            ("Workbook Contents",),
            (title,),
            (),
            ("Worksheet Name", "Description", "# Of Series", "Frequency", "Latest Data for"),
            ("Data 1", title, len(keys), frequency, "8/18/2026"),
            ("Release Date:", "8/19/2026"),
            (None, "(202) 586-8800", None, None, "8/19/2026 9:09:51 AM"),
        ],
        "Data 1": [("Back to Contents", f"Data 1: {title}"), ("Sourcekey", *keys), ("Date", *(title for _ in keys)), *rows],
    }


def test_a_sheet_as_csv_holds_trade_dates_that_begin_in_new_york(parse: Parse) -> None:
    (parsed,) = parse("anything.csv", SHEET)
    assert parsed.dataset.name == "navigator_daily"
    assert parsed.series.select("location", "measure", "unit", "frequency").rows() == [("RNGWHHD", "price", "USD/MMBtu", "1d")]
    first = parsed.rows.row(0, named=True)
    assert (first["ts"], first["value"], first["line"]) == (datetime(1997, 1, 7, 5, tzinfo=UTC), 3.82, 4)
    # Summer time ended on 2024-11-03.
    assert {datetime(2024, 11, 1, 4, tzinfo=UTC), datetime(2024, 11, 4, 5, tzinfo=UTC)} <= set(parsed.rows["ts"])


def test_a_day_without_a_price_is_no_observation(parse: Parse) -> None:
    (parsed,) = parse("x.csv", SHEET)
    assert datetime(2018, 1, 5, 5, tzinfo=UTC) not in set(parsed.rows["ts"])
    assert parsed.refused.is_empty()
    assert parsed.rows_read == parsed.rows.height + 1


def test_a_chart_as_csv_says_the_same_newest_first(parse: Parse) -> None:
    (parsed,) = parse("x.csv", CHART)
    assert parsed.dataset.name == "navigator_daily"
    assert parsed.series.select("location", "measure", "unit").rows() == [("RNGWHHD", "price", "USD/MMBtu")]
    first = parsed.rows.row(0, named=True)
    assert (first["ts"], first["value"], first["line"]) == (datetime(2024, 7, 9, 4, tzinfo=UTC), 2.42, 6)


def test_a_chart_without_a_column_of_values_is_refused(parse: Parse) -> None:
    lines = ["Day" if line.startswith("Day,") else line for line in CHART.splitlines()]
    with pytest.raises(RefusedFile, match="a column of times and one of values"):
        parse("x.csv", "\r\n".join(lines))


def test_the_last_letter_of_a_chart_tells_its_step(parse: Parse) -> None:
    monthly = CHART.replace("rngwhhdd.htm", "rngwhhdm.htm").replace("Day,", "Month,").splitlines()[:5]
    (parsed,) = parse("x.csv", "\r\n".join([*monthly, "Jun 2024,2.54", "May 2024,2.12", ""]))
    assert parsed.dataset.name == "navigator_monthly"
    assert parsed.rows["ts"].to_list() == [datetime(2024, 6, 1, 4, tzinfo=UTC), datetime(2024, 5, 1, 4, tzinfo=UTC)]


def test_a_weekly_price_is_the_mean_of_the_week_that_ends_with_its_date(parse: Parse, workbook: Workbook) -> None:
    content = workbook(sheets((date(2025, 11, 7), 3.4), frequency="Weekly", keys=("RNGWHHD",)))
    (parsed,) = parse("RNGWHHDw.xlsx", content)
    weekly = CHART.replace("rngwhhdd.htm", "rngwhhdw.htm").replace("Day,", "Week of,").splitlines()[:5]
    (chart,) = parse("x.csv", "\r\n".join([*weekly, "11/07/2025,3.4", ""]))
    for each in (parsed, chart):
        assert each.dataset.name == "navigator_weekly"
        assert each.rows["ts"].to_list() == [datetime(2025, 11, 1, 4, tzinfo=UTC)]
        assert each.series["labels"].to_list() == ['{"week": "flow"}']


def test_a_workbook_says_its_step_and_when_it_was_written(parse: Parse, workbook: Workbook) -> None:
    content = workbook(sheets((date(2026, 8, 17), 2.77), (date(2026, 8, 18), None), (date(2026, 8, 19), 2.82)))
    (parsed,) = parse("renamed.bin", content)
    assert parsed.dataset.name == "navigator_daily"
    assert parsed.known_at == datetime(2026, 8, 19, 13, 9, 51, tzinfo=UTC)
    assert parsed.rows.select("ts", "value").rows() == [
        (datetime(2026, 8, 17, 4, tzinfo=UTC), 2.77),
        (datetime(2026, 8, 19, 4, tzinfo=UTC), 2.82),
    ]


def test_months_are_dated_on_the_15th_and_begin_on_the_first(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse("RNGWHHDm.xlsx", workbook(sheets((date(2026, 7, 15), 2.89), frequency="Monthly")))
    assert parsed.dataset.name == "navigator_monthly"
    assert parsed.rows["ts"].to_list() == [datetime(2026, 7, 1, 4, tzinfo=UTC)]


def test_a_sheet_of_several_series_keeps_them_apart(parse: Parse, workbook: Workbook) -> None:
    content = workbook(sheets((date(2026, 8, 17), 1, 2), keys=("RWTC", "RBRTE"), title="Spot Price FOB (Dollars per Barrel)"))
    (parsed,) = parse("x.xlsx", content)
    assert dict(parsed.rows.select("location", "value").iter_rows()) == {"RWTC": 1.0, "RBRTE": 2.0}
    assert parsed.series["unit"].to_list() == ["USD/bbl", "USD/bbl"]


def test_a_quantity_is_a_value_and_no_price(parse: Parse, workbook: Workbook) -> None:
    title = "U.S. Ending Stocks of Crude Oil (Thousand Barrels)"
    (parsed,) = parse("x.xlsx", workbook(sheets((date(2026, 8, 14), 420), keys=("WCRSTUS1",), title=title, frequency="Weekly")))
    assert parsed.dataset.name == "navigator_weekly"
    assert parsed.series.select("measure", "unit", "currency").rows() == [("value", "kbbl", None)]


def test_a_cell_that_is_no_number_and_a_day_that_is_none_are_held_back(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse(
        "x.xlsx", workbook(sheets((date(2026, 8, 17), "n/a"), ("soon", 1), (date(2026, 8, 18), "NA"), (date(2026, 8, 19), 2)))
    )
    assert parsed.rows["value"].to_list() == [2.0]
    assert set(parsed.refused["reason"]) == {Reason.INVALID_TIME, Reason.NON_NUMERIC}
    assert parsed.refused["raw"].to_list() == ["Data 1: 2026-08-17 00:00:00,n/a", "Data 1: soon,1"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"title": "Henry Hub"}, "names no unit"),
        ({"title": "Henry Hub (Doubloons)"}, "no unit that is known"),
        ({"frequency": "Hourly"}, "'hourly'"),
    ],
)
def test_a_workbook_that_is_not_understood_is_refused(
    parse: Parse, workbook: Workbook, changed: dict[str, str], why: str
) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse("x.xlsx", workbook(sheets((date(2026, 8, 17), 1), **changed)))


@pytest.mark.parametrize("text", [SHEET.rstrip()[:-8], CHART.rstrip()[:-8]])
def test_a_csv_that_breaks_off_is_refused(parse: Parse, text: str) -> None:
    with pytest.raises(RefusedFile, match="truncated"):
        parse("x.csv", text)


@pytest.mark.parametrize("file_format", [navigator.WORKBOOK, navigator.SHEET_CSV], ids=lambda each: each.name)
def test_a_file_of_zero_bytes_is_refused(file_format: object) -> None:
    assert isinstance(file_format, type(SOURCE.formats[0]))
    with pytest.raises(RefusedFile, match="empty"):
        file_format.parse(SourceFile("x", b""))


def test_a_workbook_that_breaks_off_is_refused(workbook: Workbook) -> None:
    content = workbook(sheets((date(2026, 8, 17), 1)))
    with pytest.raises(RefusedFile, match="not a readable workbook"):
        navigator.WORKBOOK.parse(SourceFile("RNGWHHDd.xls", content[: len(content) // 2]))


def test_all_of_the_real_workbook_is_read(parse: Parse, real_files: Path) -> None:
    (parsed,) = parse("x.xls", (real_files / "eia_fred" / "RNGWHHDd_datasets_2026.xls").read_bytes())
    with (real_files / "commodities" / "henry_hub_daily.csv").open(newline="") as file:
        published = [(row["Date"], float(row["Price"])) for row in csv.DictReader(file) if row["Price"]]
    local = parsed.rows["ts"].dt.convert_time_zone("America/New_York").dt.strftime("%Y-%m-%d").to_list()
    assert list(zip(local, parsed.rows["value"], strict=True)) == published
    assert parsed.known_at == datetime(2026, 8, 19, 13, 9, 51, tzinfo=UTC)


def test_the_weeks_of_the_real_workbook_run_from_saturday_to_friday(parse: Parse, real_files: Path) -> None:
    (parsed,) = parse("x.xls", (real_files / "eia_fred" / "RNGWHHDw_2024.xls").read_bytes())
    assert parsed.dataset.name == "navigator_weekly"
    assert parsed.rows["ts"].dt.convert_time_zone("America/New_York").dt.weekday().unique().to_list() == [6]
    assert parsed.rows.height == 1434


@pytest.mark.parametrize(
    ("name", "skip", "pattern"),
    [("HenryHubData.csv", 3, "%b %d, %Y"), ("Henry_Hub_Natural_Gas_Spot_Price_daily.csv", 5, "%m/%d/%Y")],
)
def test_all_of_a_real_csv_is_read(parse: Parse, real_files: Path, name: str, skip: int, pattern: str) -> None:
    path = real_files / "eia_fred" / name
    (parsed,) = parse(name, path.read_bytes())
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[skip:]
    published = [(datetime.strptime(row[0], pattern).date(), float(row[1])) for row in rows if row[1]]
    local = parsed.rows["ts"].dt.convert_time_zone("America/New_York").dt.date()
    assert list(zip(local, parsed.rows["value"], strict=True)) == published
    assert parsed.rows_read == len(rows)
    assert pl.Series([parsed.refused.height]).to_list() == [0]
