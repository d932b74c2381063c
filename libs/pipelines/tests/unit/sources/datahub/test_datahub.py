import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.datahub import SOURCE

Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]

DATA = Path(__file__).parent / "data"


def excerpt(name: str) -> str:
    return (DATA / name).read_text()


@pytest.mark.parametrize(
    ("name", "location", "unit"),
    [
        ("henry_hub_daily.csv", "henry_hub", "USD/MMBtu"),
        ("brent_daily.csv", "brent", "USD/bbl"),
        ("wti-daily.csv", "wti", "USD/bbl"),
        ("2026-08_WTI_daily.csv", "wti", "USD/bbl"),
    ],
)
def test_prices_are_told_apart_by_the_name_of_the_file(parse: Parse, name: str, location: str, unit: str) -> None:
    (parsed,) = parse(name, "Date,Price\n2026-08-17,1.5\n2026-08-18,2\n")
    assert parsed.series.select("location", "measure", "unit", "frequency").rows() == [(location, "price", unit, "1d")]
    assert parsed.rows["value"].to_list() == [1.5, 2.0]


@pytest.mark.parametrize("name", ["daily.csv", "prices.csv", "brent.csv"])
def test_prices_under_another_name_are_not_recognised(name: str) -> None:
    document = SourceFile(name, b"Date,Price\n2026-08-17,1.5\n")
    assert not any(file_format.recognise(document) for file_format in SOURCE.formats)


def test_an_empty_price_is_no_observation_and_a_negative_one_is(parse: Parse) -> None:
    (gas,) = parse("henry_hub_daily.csv", excerpt("henry_hub_daily.csv"))
    assert datetime(2018, 1, 5, 5, tzinfo=UTC) not in set(gas.rows["ts"])
    (oil,) = parse("wti_daily.csv", excerpt("wti_daily.csv"))
    assert oil.rows.filter(pl.col("ts") == datetime(2020, 4, 20, 4, tzinfo=UTC))["value"].to_list() == [-36.98]
    assert gas.refused.is_empty()
    assert oil.refused.is_empty()


def test_days_begin_in_new_york_on_either_side_of_a_clock_change(parse: Parse) -> None:
    (parsed,) = parse("henry_hub_daily.csv", excerpt("henry_hub_daily.csv"))
    # Summer time began on 2025-03-09.
    assert {datetime(2025, 3, 7, 5, tzinfo=UTC), datetime(2025, 3, 10, 4, tzinfo=UTC)} <= set(parsed.rows["ts"])


def test_a_month_begins_with_its_first_day(parse: Parse) -> None:
    (parsed,) = parse("henry_hub_monthly.csv", excerpt("henry_hub_monthly.csv"))
    assert parsed.dataset.name == "natural_gas_monthly"
    assert parsed.rows["ts"].to_list()[-1] == datetime(2026, 7, 1, 4, tzinfo=UTC)
    assert parsed.rows["value"].to_list()[-1] == 2.89


def test_consumer_prices_are_an_index_and_its_change(parse: Parse) -> None:
    (parsed,) = parse("cpiai.csv", excerpt("cpi_us_monthly.csv"))
    last = parsed.rows.filter(pl.col("ts") == datetime(2026, 5, 1, 4, tzinfo=UTC))
    assert dict(last.select("measure", "value").iter_rows()) == {"index": 335.123, "inflation": 0.63}
    assert parsed.rows.height == 11, "the first month has no change"
    assert dict(parsed.series.select("measure", "unit").iter_rows()) == {"index": "index", "inflation": "percent"}


def test_exchange_rates_are_units_of_the_currency_for_one_dollar(parse: Parse) -> None:
    (parsed,) = parse("monthly.csv", excerpt("fx_monthly.csv"))
    units = dict(parsed.series.select("location", "unit").filter(pl.col("location") != "Venezuela").iter_rows())
    assert units == {"Australia": "AUD/USD", "Canada": "CAD/USD", "Euro": "EUR/USD", "United Kingdom": "GBP/USD"}
    pound = parsed.rows.filter(pl.col("location") == "United Kingdom")["value"].to_list()
    assert pound == [0.7409, 0.7497]


def test_money_that_lost_zeros_is_another_series(parse: Parse) -> None:
    (parsed,) = parse("x.csv", excerpt("fx_monthly.csv"))
    bolivars = parsed.rows.filter(pl.col("location") == "Venezuela")
    months = bolivars.group_by("measure").agg(pl.col("ts").dt.strftime("%Y-%m")).sort("measure").rows()
    assert months == [
        ("rate_ved", ["2021-11", "2021-12"]),
        ("rate_vef", ["2018-07", "2018-08"]),
        ("rate_ves", ["2018-09", "2021-10"]),
    ]


def test_an_unknown_country_a_day_that_is_none_and_a_text_are_held_back(parse: Parse) -> None:
    (parsed,) = parse(
        "x.csv",
        "Date,Country,Exchange rate\n2025-01-01,Atlantis,1\n2025-13-01,Euro,1\n2025-02-01,Euro,x\n2025-03-01,Euro,0.9\n",
    )
    assert parsed.rows["value"].to_list() == [0.9]
    assert parsed.refused.select("line", "column", "reason").rows() == [
        (2, "Country", Reason.UNKNOWN_CODE),
        (3, "Date", Reason.INVALID_TIME),
        (4, "Exchange rate", Reason.NON_NUMERIC),
    ]
    assert parsed.rows_read == 4


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("brent_daily.csv", "Date,Price\n2026-08-17,1.5\n2026-08", "truncated"),
        ("brent_daily.csv", "Date,Price\n2026-08-17,1.5,9\n2026-08-18,2\n", "3 fields under a header of 2"),
        ("cpi.csv", "Date,Index,Inflation\n2026-05-01,335", "truncated"),
        ("fx.csv", "Date,Country,Exchange rate\n2026-05-01,Eu", "truncated"),
    ],
)
def test_a_damaged_file_is_refused_whole(parse: Parse, name: str, text: str, why: str) -> None:
    with pytest.raises(RefusedFile, match=why):
        parse(name, text)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_file_of_zero_bytes_is_refused(position: int) -> None:
    with pytest.raises(RefusedFile, match="empty"):
        SOURCE.formats[position].parse(SourceFile("x.csv", b""))


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("commodities/brent_daily.csv", "Price"),
        ("commodities/wti_daily.csv", "Price"),
        ("commodities/henry_hub_daily.csv", "Price"),
        ("commodities/henry_hub_monthly.csv", "Price"),
        ("macro/cpi_us_monthly.csv", "Index"),
        ("eia_fred/cpiai_bls.csv", "Index"),
        ("macro/fx_monthly.csv", "Exchange rate"),
    ],
)
def test_all_of_a_real_file_is_read(parse: Parse, real_files: Path, path: str, column: str) -> None:
    (parsed,) = parse(path.rpartition("/")[2], (real_files / path).read_bytes())
    with (real_files / path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = [float(row[column]) for row in rows if row[column]]
    observed = parsed.rows.filter(pl.col("measure") != "inflation")
    assert observed["value"].to_list() == numbers
    assert parsed.rows_read == len(rows)
    assert parsed.refused.is_empty()
