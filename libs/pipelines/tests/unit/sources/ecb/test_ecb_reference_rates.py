import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.ecb import SOURCE
from aurum.pipelines.sources.ecb.bounds import BOUNDS

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


CODES = ["USD", "JPY", "BGN", "CZK", "DKK", "GBP", "HUF", "PLN", "SEK", "CHF", "NOK", "AUD", "CAD", "CNY", "HKD"]
RATES = [1.1252, 163.36, 1.9558, 24.946, 7.4604, 0.8477, 404.9, 4.2393, 10.92, 0.9353, 11.6725, 1.7572, 1.5658, 8.147, 8.7519]
DAYS = [f"2025-05-{day:02}" for day in (5, 6, 7, 8, 9)]


def table(rates: dict[str, float], **first: float) -> str:
    """Return a table of rates that rise by a thousandth a day, with other ones of some currencies on the first day."""
    rows = [[day, *(rate * (1 + n / 1000) for rate in rates.values())] for n, day in enumerate(DAYS)]
    rows[0] = [DAYS[0], *(rates | first).values()]
    return "\n".join(",".join(map(str, row)) for row in [["Date", *rates], *rows]) + "\n"


def refusal(text: str) -> str:
    """Return why a file with the ECB's name is refused: by its recogniser, or by its parser where its sample would pass."""
    document = SourceFile("eurofxref-hist.csv", text.encode())
    said = SOURCE.formats[0].explain(document)
    with pytest.raises(RefusedFile):
        SOURCE.formats[0].parse(document)
    assert not SOURCE.formats[0].recognise(document)
    return said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("USD", "JPY"),
        ("USD", "GBP"),
        ("USD", "CHF"),
        ("SEK", "CZK"),
        ("DKK", "CNY"),
        ("HUF", "PLN"),
        ("BGN", "AUD"),
        ("NOK", "CHF"),
    ],
)
def test_a_table_whose_currencies_are_exchanged_is_refused(one: str, other: str) -> None:
    rates = dict(zip(CODES, RATES, strict=True))
    assert "exchanged or shifted" in refusal(table(rates | {one: rates[other], other: rates[one]}))


@pytest.mark.parametrize("without", [(), ("DKK",), ("DKK", "HKD", "BGN")])
def test_a_table_whose_currencies_are_shifted_is_refused_without_the_krone_too(without: Sequence[str]) -> None:
    rates = {code: rate for code, rate in zip(CODES, RATES, strict=True) if code not in without}
    assert "exchanged or shifted" in refusal(table(dict(zip(rates, [*list(rates.values())[1:], rates["USD"]], strict=True))))


def test_one_impossible_rate_is_held_back_alone(parse: Parse) -> None:
    (parsed,) = parse("eurofxref-hist.csv", table(dict(zip(CODES, RATES, strict=True)), JPY=1.6336))
    assert parsed.rows.height == len(CODES) * len(DAYS) - 1
    assert parsed.refused.select("line", "column", "reason", "detail").rows() == [
        (2, "JPY", Reason.OUT_OF_BOUNDS, "a euro costs between 44.65 and 350.78 JPY")
    ]


def test_a_currency_that_has_been_replaced_has_no_rate_afterwards() -> None:
    text = table({"USD": 1.1252, "JPY": 163.36, "DKK": 7.4604, "HRK": 7.46})
    with pytest.raises(RefusedFile, match=r"between 3.55235 and 15.4506 HRK, up to 2022-12-31, and 5 of 5 rates are others"):
        SOURCE.formats[0].parse(SourceFile("eurofxref-hist.csv", text.encode()))


def test_the_lev_at_its_fixed_rate_does_not_refuse_a_table_of_after_it() -> None:
    text = table({"USD": 1.1252, "JPY": 163.36, "DKK": 7.4604, "BGN": 1.95583}).replace("2025-", "2026-")
    (parsed,) = SOURCE.formats[0].parse(SourceFile("eurofxref-hist.csv", text.encode()))
    assert parsed.rows.filter(pl.col("location") == "EURBGN").height == 5


def test_a_currency_without_bounds_is_read(parse: Parse) -> None:
    (parsed,) = parse("eurofxref-hist.csv", table({"USD": 1.1252, "JPY": 163.36, "DKK": 7.4604, "XYZ": 5_000_000.0}))
    assert parsed.rows.filter(pl.col("location") == "EURXYZ").height == 5


def test_every_currency_of_the_history_has_bounds_and_its_rates_are_within() -> None:
    header = HISTORY.partition("\n")[0].rstrip(",").split(",")[1:]
    assert sorted(BOUNDS) == sorted(header)
    assert all(low < high for low, high in BOUNDS.values())
