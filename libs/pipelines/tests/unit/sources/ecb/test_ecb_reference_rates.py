import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.ecb import SOURCE

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

HISTORY = (Path(__file__).parent / "data" / "eurofxref-hist.csv").read_text()
LAST_DAY = "Date, USD, JPY, GBP, \n09 May 2025, 1.1252, 163.36, 0.84770, \n"


def rate(parsed: Parsed, pair: str, ts: datetime) -> float:
    return parsed.rows.filter(pl.col("location") == pair, pl.col("ts") == ts)["value"].item()


def test_a_rate_is_units_of_the_currency_for_one_euro(parse: Parse) -> None:
    (parsed,) = parse("eurofxref-hist.csv", HISTORY)
    assert rate(parsed, "EURUSD", datetime(2025, 5, 8, 22, tzinfo=UTC)) == 1.1252
    dollar = parsed.series.filter(pl.col("location") == "EURUSD").row(0, named=True)
    assert (dollar["unit"], dollar["currency"], dollar["measure"]) == ("USD/EUR", "USD", "rate")


def test_days_begin_in_brussels_on_either_side_of_a_clock_change(parse: Parse) -> None:
    (parsed,) = parse("x.csv", HISTORY)
    days = set(parsed.rows["ts"])
    # Summer time began on 2025-03-30 and ended on 2024-10-27.
    assert {datetime(2025, 3, 27, 23, tzinfo=UTC), datetime(2025, 3, 30, 22, tzinfo=UTC)} <= days
    assert {datetime(2024, 10, 24, 22, tzinfo=UTC), datetime(2024, 10, 27, 23, tzinfo=UTC)} <= days


def test_a_currency_without_a_rate_has_none_that_day(parse: Parse) -> None:
    (parsed,) = parse("x.csv", HISTORY)
    first = parsed.rows.filter(pl.col("ts") == datetime(1999, 1, 3, 23, tzinfo=UTC))
    assert "EURTRY" not in set(first["location"])
    assert "EURTRL" in set(first["location"])
    assert parsed.refused.is_empty()


def test_the_file_of_the_last_day_says_the_same(parse: Parse) -> None:
    (parsed,) = parse("eurofxref.csv", LAST_DAY)
    assert rate(parsed, "EURGBP", datetime(2025, 5, 8, 22, tzinfo=UTC)) == 0.8477
    assert parsed.rows.height == 3


def test_a_cell_that_is_no_number_and_a_day_that_is_none_are_held_back(parse: Parse) -> None:
    text = "Date,USD,JPY,\n2025-02-30,1.1,160,\n2025-02-28,x,161,\n"
    (parsed,) = parse("eurofxref-hist.csv", text)
    assert parsed.rows.select("location", "value").rows() == [("EURJPY", 161.0)]
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (2, "Date", Reason.INVALID_TIME),
        (3, "USD", Reason.NON_NUMERIC),
    ]
    assert parsed.rows_read == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (HISTORY.rstrip()[:-20], "truncated"),
        ("Date,EUR,GBP\n2025-01-02,1,2\n", "wrong header"),
        ("Date,USD,USD\n", "two"),
    ],
)
def test_a_damaged_file_is_refused_whole(text: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        SOURCE.formats[0].parse(SourceFile("eurofxref-hist.csv", text.encode()))


def test_all_of_the_real_history_is_read(parse: Parse, real_files: Path) -> None:
    path = real_files / "fx" / "eurofxref-hist_2025-05.csv"
    (parsed,) = parse(path.name, path.read_bytes())
    with path.open(newline="") as file:
        cells = [
            (r["Date"], code, float(cell))
            for r in csv.DictReader(file)
            for code, cell in r.items()
            if code not in ("Date", "") and cell != "N/A"
        ]
    assert parsed.rows.height == len(cells)
    assert parsed.rows["value"].sum() == pytest.approx(sum(value for _, _, value in cells), rel=1e-12)
    dollars = parsed.rows.filter(pl.col("location") == "EURUSD").sort("ts")
    local = dollars["ts"].dt.convert_time_zone("Europe/Brussels").dt.strftime("%Y-%m-%d").to_list()
    assert list(zip(local, dollars["value"], strict=True)) == sorted(
        (day, value) for day, code, value in cells if code == "USD"
    )
