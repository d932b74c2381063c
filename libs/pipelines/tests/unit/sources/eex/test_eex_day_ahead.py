from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Quality, Reason
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.registry import UnknownFormat, own_registry
from aurum.pipelines.source import Parsed, RefusedFile, SourceFile

NAME = "DE_day_ahead_auction_prices.csv"
HEADER = "Date,Day Ahead Auction Price EUR/MWh\n"
Parse = Callable[[str, bytes | str], tuple[Parsed, ...]]


def day(text: str, prices: list[float], first: int = 0) -> str:
    return "".join(f"{text} {first + hour}:00,{price}\n" for hour, price in enumerate(prices))


def instants(parsed: Parsed) -> list[str]:
    return [f"{ts:%d %H}" for ts in parsed.rows["ts"]]


def test_hours_are_local_and_the_area_is_in_the_name(parse_prices: Parse) -> None:
    (parsed,) = parse_prices("XY_day_ahead_auction_prices.csv", HEADER + day("7/4/2025", [10.5, -3.25]))
    assert parsed.rows.select("location", "measure", "value", "quality").rows() == [
        ("XY", "price_60min", 10.5, 0),
        ("XY", "price_60min", -3.25, 0),
    ]
    assert parsed.rows["ts"][0] == datetime(2025, 7, 3, 22, tzinfo=UTC)
    assert parsed.series.select("unit", "currency", "market", "location_type").rows() == [
        ("EUR/MWh", "EUR", "ENTSOE", "bidding zone")
    ]
    assert not parsed.notices


def test_the_hour_that_the_spring_day_lacks_is_held_back(parse_prices: Parse) -> None:
    (parsed,) = parse_prices(NAME, HEADER + day("3/30/2025", [10.0, 11.0, 11.0, 12.0]))
    assert instants(parsed) == ["29 23", "30 00", "30 01"]
    assert parsed.rows["value"].to_list() == [10.0, 11.0, 12.0]
    assert parsed.refused.select("line", "column", "raw", "reason").rows() == [
        (4, "Date", "3/30/2025 2:00,11.0", str(Reason.NON_EXISTENT_TIME))
    ]


def test_the_one_price_of_two_autumn_hours_is_an_estimate_of_the_first_and_the_second_is_reported_missing(
    parse_prices: Parse,
) -> None:
    (parsed,) = parse_prices(NAME, HEADER + day("10/26/2025", [10.0, 11.0, 12.5, 13.0]))
    assert instants(parsed) == ["25 22", "25 23", "26 00", "26 02"]
    assert parsed.rows["quality"].to_list() == [Quality.GOOD, Quality.GOOD, Quality.ESTIMATED, Quality.GOOD]
    assert parsed.notices == (
        "one price for the two hours from 02:00 on 2025-10-26: read as the first, as estimated; the second is missing",
    )


def test_an_autumn_day_with_both_hours_has_both(parse_prices: Parse) -> None:
    text = HEADER + day("10/26/2025", [10.0, 11.0, 12.0]) + day("10/26/2025", [12.25, 13.0], first=2)
    (parsed,) = parse_prices(NAME, text)
    assert instants(parsed) == ["25 22", "25 23", "26 00", "26 01", "26 02"]
    assert parsed.rows["value"].to_list() == [10.0, 11.0, 12.0, 12.25, 13.0]
    assert not parsed.notices
    assert parsed.rows["quality"].max() == int(Quality.GOOD)


def test_a_name_without_an_area_is_refused_with_the_name_that_would_tell() -> None:
    with pytest.raises(UnknownFormat, match=NAME):
        own_registry().recognise(SourceFile("prices.csv", (HEADER + day("7/4/2025", [10.0])).encode()))


def test_quarter_hours_are_another_feed() -> None:
    rows = "".join(f"7/4/2025 0:{minute:02},10.5\n" for minute in (0, 15, 30, 45))
    with pytest.raises(UnknownFormat):
        own_registry().recognise(SourceFile(NAME, (HEADER + rows).encode()))


@pytest.mark.parametrize("content", ["", HEADER + "7/4/2025 0:00,10\n7/4/2025 1:00"])
def test_an_empty_or_truncated_file_is_refused(content: str) -> None:
    (_, file_format) = own_registry().recognise(SourceFile(NAME, (HEADER + day("7/4/2025", [10.0])).encode()))
    with pytest.raises(RefusedFile):
        file_format.parse(SourceFile(NAME, content.encode()))


def test_an_impossible_hour_and_text_in_a_price_are_held_back(parse_prices: Parse) -> None:
    (parsed,) = parse_prices(NAME, HEADER + "7/4/2025 24:00,10\n7/4/2025 1:00,n/e\n7/4/2025 2:00,12\n")
    assert parsed.rows["line"].to_list() == [4]
    assert parsed.refused.select("line", "reason").rows() == [
        (2, str(Reason.INVALID_TIME)),
        (3, str(Reason.NON_NUMERIC)),
    ]


def test_the_real_file_has_nine_invented_hours_and_lacks_eight(parse_prices: Parse, real_files: Path) -> None:
    path = real_files / "eex" / NAME
    (parsed,) = parse_prices(path.name, path.read_bytes())
    assert parsed.rows_read == 73_776
    assert parsed.rows.height == 73_767
    assert parsed.refused["reason"].to_list() == [str(Reason.NON_EXISTENT_TIME)] * 9
    assert parsed.rows.filter(pl.col("quality") == int(Quality.ESTIMATED)).height == 8
    hours = (datetime(2024, 5, 31, 22, tzinfo=UTC) - datetime(2015, 12, 31, 23, tzinfo=UTC)) / timedelta(hours=1)
    assert hours - parsed.rows.height == 8
    assert parsed.notices[0].count("-10-") == 8


def test_final_settlements_of_38_real_months_are_the_mean_of_their_hours(
    parse: Callable[[str, bytes | str], tuple[ParsedQuotes, ...]], parse_prices: Parse, real_files: Path
) -> None:
    path = real_files / "eex" / NAME
    (prices,) = parse_prices(path.name, path.read_bytes())
    months = real_files / "eex" / "EEX_POWER_FUT_DE_BASE_M_2021-2024.csv"
    (quotes,) = parse(months.name, months.read_bytes())
    local = pl.col("ts").dt.convert_time_zone("Europe/Berlin")
    means = prices.rows.group_by(delivery_start=local.dt.date().dt.truncate("1mo")).agg(pl.col("value").mean())
    final = (
        quotes.rows.filter(pl.col("delivery_end") <= date(2024, 6, 1))
        .sort("trade_date")
        .group_by("delivery_start")
        .last()
        .join(means, on="delivery_start")
        .with_columns(difference=(pl.col("value").round(2) - pl.col("settle")).abs())
    )
    complete = final.filter(pl.col("delivery_start").dt.month() != 10)  # October lacks an hour
    assert complete.height == 38
    assert complete.filter(pl.col("difference") < 0.001).height == 38
    assert final.filter(pl.col("difference") > 0.001)["delivery_start"].sort().to_list() == [
        date(year, 10, 1) for year in (2021, 2022, 2023)
    ]


def test_the_one_price_of_real_autumn_hours_is_the_mean_of_both(
    parse: Callable[[str, bytes | str], tuple[ParsedQuotes, ...]], parse_prices: Parse, real_files: Path
) -> None:
    path = real_files / "eex" / NAME
    (prices,) = parse_prices(path.name, path.read_bytes())
    months = real_files / "eex" / "EEX_POWER_FUT_DE_BASE_M_2021-2024.csv"
    (quotes,) = parse(months.name, months.read_bytes())
    local = pl.col("ts").dt.convert_time_zone("Europe/Berlin").dt.date()
    for year in (2021, 2022, 2023):
        month = date(year, 10, 1)
        hours = prices.rows.filter(local.dt.truncate("1mo") == month)
        twice = hours.filter(pl.col("quality") == int(Quality.ESTIMATED))["value"].sum()
        settle = quotes.rows.filter(pl.col("delivery_start") == month).sort("trade_date")["settle"][-1]
        assert abs((hours["value"].sum() + twice) / 745 - settle) < 0.0051
