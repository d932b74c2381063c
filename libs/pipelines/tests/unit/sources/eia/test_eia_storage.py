import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Quality, Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.eia import SOURCE, storage

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]
Workbook = Callable[..., bytes]

FLAT = (Path(__file__).parent / "data" / "eia_ng_storage_weekly.csv").read_text()
HEADER = ("Week ending", "Source", "East Region", "Midwest Region", "Mountain Region", "Pacific Region", "South Central Region")
HEADER += ("Salt", "NonSalt", "Total Lower 48")
DERIVED = (date(2010, 1, 1), "Derived EIA Weekly Estimates", 769, 900, 195, 268, 985, 159, 826, 3117)
SURVEY = (date(2021, 11, 5), "EIA-912", 897, 1075, 213, 258, 1175, 324, 850, 3618)


def sheets(
    *rows: tuple[object, ...], header: tuple[str, ...] = HEADER, day: str = "NOVEMBER 10, 2021"
) -> dict[str, list[object]]:
    changes = [(row[0], None, *(1 for _ in range(8))) for row in rows]
    return {
        "html_report_history": [("NOTE:",), ("1.  To view",), (f"LATEST ESTIMATES (Bcf) AS OF {day}",), header, *rows],
        "weekly_net_changes": [
            ("NOTE:",),
            ("1.  To view",),
            (f"Weekly Net Changes (Bcf) AS OF {day}",),
            (header[0], None, *header[2:]),
            *changes,
        ],
    }


def test_stocks_and_changes_stand_under_the_area_codes_of_eia(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse("renamed.xlsx", workbook(sheets(SURVEY)))
    stocks = parsed.rows.filter(pl.col("measure").str.starts_with("storage") & ~pl.col("measure").str.contains("change"))
    assert {(place, measure): value for place, measure, value in stocks.select("location", "measure", "value").iter_rows()} == {
        ("R31", "storage"): 897.0,
        ("R32", "storage"): 1075.0,
        ("R34", "storage"): 213.0,
        ("R35", "storage"): 258.0,
        ("R33", "storage"): 1175.0,
        ("R33", "storage_salt"): 324.0,
        ("R33", "storage_nonsalt"): 850.0,
        ("R48", "storage"): 3618.0,
    }
    changes = parsed.rows.filter(pl.col("measure").str.contains("change"))
    assert changes["value"].unique().to_list() == [1.0]
    assert changes.height == 8
    assert parsed.series["unit"].unique().to_list() == ["Bcf"]
    assert parsed.series["frequency"].unique().to_list() == ["1w"]


def test_stocks_are_of_the_friday_and_changes_of_the_week_that_ends_with_it(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse("x.xlsx", workbook(sheets(SURVEY)))
    is_change = pl.col("measure").str.starts_with("storage_change")
    assert parsed.rows.filter(is_change)["ts"].unique().to_list() == [datetime(2021, 10, 30, 4, tzinfo=UTC)]
    assert parsed.rows.filter(~is_change)["ts"].unique().to_list() == [datetime(2021, 11, 5, 4, tzinfo=UTC)]
    assert parsed.series.filter(is_change)["labels"].unique().to_list() == ['{"week": "flow"}']
    assert parsed.series.filter(~is_change)["labels"].unique().to_list() == ['{"week": "level"}']
    assert parsed.known_at == datetime(2021, 11, 10, 15, 30, tzinfo=UTC)


def test_derived_weeks_are_marked_as_estimated_on_both_sheets(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse("x.xlsx", workbook(sheets(DERIVED, SURVEY)))
    marks = dict(parsed.rows.group_by("ts").agg(pl.col("quality").unique()).iter_rows())
    assert marks == {
        datetime(2009, 12, 26, 5, tzinfo=UTC): [Quality.ESTIMATED],
        datetime(2010, 1, 1, 5, tzinfo=UTC): [Quality.ESTIMATED],
        datetime(2021, 10, 30, 4, tzinfo=UTC): [Quality.GOOD],
        datetime(2021, 11, 5, 4, tzinfo=UTC): [Quality.GOOD],
    }


def test_the_flat_file_is_the_total_of_the_lower_48(parse: Parse) -> None:
    (parsed,) = parse("eia_ng_storage_weekly.csv", FLAT)
    assert parsed.series.select("location", "measure", "unit").rows() == [("R48", "storage", "Bcf")]
    assert parsed.rows.row(0)[2:4] == (datetime(2010, 1, 1, 5, tzinfo=UTC), 3117.0)
    assert parsed.rows_read == 7


def test_the_flat_file_under_another_name_is_not_recognised() -> None:
    document = SourceFile("data.csv", FLAT.encode())
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)


def test_a_cell_that_is_no_number_and_a_day_that_is_none_are_held_back(parse: Parse) -> None:
    (parsed,) = parse("ng_storage.csv", "date,value\n2026-02-30,1\n2026-08-07,x\n2026-08-14,3169\n")
    assert parsed.rows["value"].to_list() == [3169.0]
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (2, "date", Reason.INVALID_TIME),
        (3, "value", Reason.NON_NUMERIC),
    ]


def test_a_refused_cell_of_the_workbook_is_named_by_its_header(parse: Parse, workbook: Workbook) -> None:
    (parsed,) = parse("x.xlsx", workbook(sheets((*SURVEY[:3], "n/a", *SURVEY[4:]))))
    assert parsed.refused.select("column", "reason", "detail").rows() == [("Midwest Region", Reason.NON_NUMERIC, "n/a")]
    assert parsed.rows.height == 15


def test_a_workbook_without_a_region_is_refused(parse: Parse, workbook: Workbook) -> None:
    with pytest.raises(RefusedFile, match="'east region'"):
        parse("x.xlsx", workbook(sheets(SURVEY, header=(*HEADER[:2], "Producing Region", *HEADER[3:]))))


@pytest.mark.parametrize("file_format", [storage.WORKBOOK, storage.FLAT], ids=["workbook", "flat"])
def test_a_file_of_zero_bytes_is_refused(file_format: object) -> None:
    assert isinstance(file_format, type(storage.FLAT))
    with pytest.raises(RefusedFile, match="empty"):
        file_format.parse(SourceFile("ng_storage.csv", b""))


def test_a_file_that_breaks_off_is_refused(parse: Parse, workbook: Workbook) -> None:
    with pytest.raises(RefusedFile, match="truncated"):
        parse("ng_storage.csv", FLAT.rstrip()[:-6])
    content = workbook(sheets(SURVEY))
    with pytest.raises(RefusedFile, match="not a readable workbook"):
        storage.WORKBOOK.parse(SourceFile("ngshistory.xls", content[: len(content) // 2]))


def test_all_of_the_real_files_is_read_and_both_say_the_same(parse: Parse, real_files: Path) -> None:
    (book,) = parse("x.xls", (real_files / "gas_storage" / "ngshistory_2021-11vintage.xls").read_bytes())
    path = real_files / "gas_storage" / "eia_ng_storage_weekly.csv"
    (flat,) = parse(path.name, path.read_bytes())
    with path.open(newline="") as file:
        published = {datetime.fromisoformat(row["date"]).date(): float(row["value"]) for row in csv.DictReader(file)}
    local = flat.rows["ts"].dt.convert_time_zone("America/New_York").dt.date()
    assert dict(zip(local, flat.rows["value"], strict=True)) == published
    total = book.rows.filter(pl.col("location") == "R48", pl.col("measure") == "storage")
    both = total.join(flat.rows, on="ts")
    assert both.height == total.height == 619
    assert both.filter(pl.col("value") != pl.col("value_right")).is_empty()
    assert book.refused.is_empty()


def test_the_regions_of_the_real_workbook_add_up(parse: Parse, real_files: Path) -> None:
    (book,) = parse("x.xls", (real_files / "gas_storage" / "ngshistory_2021-11vintage.xls").read_bytes())
    stocks = book.rows.filter(pl.col("measure") == "storage").pivot("location", index="ts", values="value")
    parts = pl.sum_horizontal("R31", "R32", "R33", "R34", "R35")
    assert stocks.filter((parts - pl.col("R48")).abs() > 3).is_empty(), "regions are rounded"
