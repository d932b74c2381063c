from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.core.curves.sessions import sessions_of
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.prepare import Prepared, prepare
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.registry import UnknownFormat, own_registry
from aurum.pipelines.source import RefusedFile, SourceFile
from aurum.pipelines.sources.eex.identifiers import future_of
from aurum.storage.ports.curves import CurveQuotes

HEADER = "Identifier;TimeStamp;Begin;End;Open;High;Low;Close;Settlement;Price;ValidationStatus;ChangeComment"
NAME = "settlements.csv"
Parse = Callable[[str, bytes | str], tuple[ParsedQuotes, ...]]


def midnight(day: str, clock: str = "00:00") -> str:
    """Return a time as the exchange writes it: local, with the offset of its day."""
    is_summer = "03-30" < day[5:] <= "10-26"
    return f"{day}T{clock}:00.000+0{1 + is_summer}00"


def row(
    begin: str,
    end: str,
    settle: str = "40,50",
    *,
    identifier: str = "EEX_POWER_FUT_XX_BASE_M",
    traded: str = "2025-01-15",
    prices: str = ";;;",
    price: str = "",
) -> str:
    times = ";".join(text if "T" in text else midnight(text) for text in (traded, begin, end))
    return f"{identifier};{times};{prices};{settle};{price};UNVALIDATED;"


def file(*rows: str) -> str:
    return "\n".join([HEADER, *rows, ""])


def prepared(name: str, text: str) -> Prepared:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return prepare(own_registry(), Suites({}), SourceFile(name, text.encode()), "0" * 64, KnownAtPolicy(), now)


def test_a_month_is_a_quote_of_its_product_with_decimal_commas(parse: Parse) -> None:
    (parsed,) = parse(NAME, file(row("2025-03-01", "2025-04-01", prices="41,00;42,25;40,00;41,75")))
    assert parsed.rows_read == 1
    assert parsed.rows.row(0, named=True) == {
        "curve": "power:XX:base:EEX",
        "delivery_start": date(2025, 3, 1),
        "delivery_end": date(2025, 4, 1),
        "trade_date": date(2025, 1, 15),
        "settle": 40.5,
        "open": 41.0,
        "high": 42.25,
        "low": 40.0,
        "close": 41.75,
        "last": None,
        "bid": None,
        "ask": None,
        "volume_mwh": None,
        "open_interest": None,
        "line": 2,
    }


@pytest.mark.parametrize(
    ("identifier", "key", "begin", "end"),
    [
        ("EEX_POWER_FUT_FR_BASE_Q", "power:FR:base:EEX", "2025-04-01", "2025-07-01"),
        ("EEX_POWER_FUT_NORDIC_BASE_M", "power:NORDIC:base:EEX", "2025-04-01", "2025-05-01"),
        ("EEX_POWER_FUT_NL_PEAK_Y", "power:NL:peak:EEX", "2026-01-01", "2027-01-01"),
        ("EEX_POWER_FUT_DE_PEAK_M", "power:DE:peak:EEX", "2025-10-01", "2025-11-01"),
        ("EEX_POWER_FUT_DE_BASE_W", "power:DE:base:EEX", "2025-01-20", "2025-01-27"),
        ("EEX_POWER_FUT_DE_BASE_WEEKEND", "power:DE:base:EEX", "2025-01-18", "2025-01-20"),
        ("EEX_POWER_FUT_DE_BASE_WE", "power:DE:base:EEX", "2025-10-25", "2025-10-27"),
        ("EEX_POWER_FUT_DE_BASE_DAY", "power:DE:base:EEX", "2025-03-30", "2025-03-31"),
        ("EEX_POWER_FUT_GB_OFFPEAK_S", "power:GB:off_peak:EEX", "2025-10-01", "2026-04-01"),
    ],
)
def test_the_identifier_says_area_block_and_kind(parse: Parse, identifier: str, key: str, begin: str, end: str) -> None:
    (parsed,) = parse(NAME, file(row(begin, end, identifier=identifier)))
    assert parsed.rows.select("curve", "delivery_start", "delivery_end").rows() == [
        (key, date.fromisoformat(begin), date.fromisoformat(end))
    ]
    assert parsed.refused.is_empty()


def test_peak_periods_may_be_written_with_their_hours(parse: Parse) -> None:
    times = midnight("2025-01-20", "08:00"), midnight("2025-01-24", "20:00")
    (parsed,) = parse(NAME, file(row(*times, identifier="EEX_POWER_FUT_DE_PEAK_W")))
    assert parsed.rows.select("delivery_start", "delivery_end").rows() == [(date(2025, 1, 20), date(2025, 1, 25))]
    (parsed,) = parse(NAME, file(row(*times, identifier="EEX_POWER_FUT_DE_BASE_W")))
    assert parsed.refused["column"].to_list() == ["Begin"]


def test_a_listed_period_without_a_price_is_a_quote_without_a_settlement(parse: Parse) -> None:
    (parsed,) = parse(NAME, file(row("2025-03-01", "2025-04-01", ""), row("2025-04-01", "2025-05-01")))
    assert parsed.rows["settle"].to_list() == [None, 40.5]
    assert parsed.refused.is_empty()


def test_a_file_without_rows_has_no_quotes(parse: Parse) -> None:
    (parsed,) = parse(NAME, HEADER + "\n")
    assert parsed.rows.is_empty()


MARCH = ("2025-03-01", "2025-04-01")


@pytest.mark.parametrize(
    ("wrong", "column", "reason"),
    [
        (row(*MARCH, identifier="EEX_POWER_FUT_XX_BASE_H"), "Identifier", Reason.UNKNOWN_CODE),
        (row(*MARCH, identifier="EEX_GAS_FUT_TTF_M"), "Identifier", Reason.UNKNOWN_CODE),
        (row("2025-03-02", "2025-04-01"), "Begin", Reason.INVALID_TIME),
        (row("2025-03-01", "2025-06-01"), "Begin", Reason.INVALID_TIME),
        (row("2025-04-01", "2025-03-01"), "Begin", Reason.INVALID_TIME),
        (row("2025-03-01T00:00:00.000+0200", "2025-04-01"), "Begin", Reason.INVALID_TIME),
        (row("2025-03-01", "2025-04-01T00:00:00.000+0100"), "End", Reason.INVALID_TIME),
        (row(*MARCH, traded="2025-01-15T00:00:00"), "TimeStamp", Reason.INVALID_TIME),
        (row(*MARCH, "forty"), "Settlement", Reason.NON_NUMERIC),
        (row(*MARCH, "40.50"), "Settlement", Reason.NON_NUMERIC),
        (row(*MARCH, "1.040,50"), "Settlement", Reason.NON_NUMERIC),
        (row(*MARCH, prices="41,00;n/a;40,00;41,75"), "High", Reason.NON_NUMERIC),
        (row(*MARCH, price="40,75"), "Price", Reason.INCONSISTENT),
        (row(*MARCH, "", price="40,75"), "Price", Reason.INCONSISTENT),
    ],
)
def test_a_row_that_cannot_be_read_is_held_back_whole(parse: Parse, wrong: str, column: str, reason: Reason) -> None:
    (parsed,) = parse(NAME, file(row("2025-04-01", "2025-05-01", price="40,50"), wrong))
    assert parsed.rows["line"].to_list() == [2]
    assert parsed.refused.select("line", "column", "raw", "reason").rows() == [(3, column, wrong, str(reason))]


def test_a_file_of_other_contracts_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="EEX_GAS_FUT_TTF_M"):
        parse(NAME, file(row(*MARCH, identifier="EEX_GAS_FUT_TTF_M")))


@pytest.mark.parametrize(
    "content",
    [
        "",
        HEADER.replace("Settlement", "Settle") + "\n" + row(*MARCH) + "\n",
        HEADER.replace(";", ",") + "\n" + row(*MARCH).replace(";", ",") + "\n",
    ],
)
def test_another_layout_is_not_recognised(content: str) -> None:
    with pytest.raises(RefusedFile):
        own_registry().recognise(SourceFile(NAME, content.encode()))


def test_a_truncated_file_is_refused(parse: Parse) -> None:
    with pytest.raises(RefusedFile, match="truncated"):
        parse(NAME, file(row(*MARCH), row("2025-04-01", "2025-05-01"))[:-30])


def test_an_unknown_layout_is_named_by_its_columns() -> None:
    with pytest.raises(UnknownFormat):
        own_registry().recognise(SourceFile("EEX_POWER_FUT_DE_BASE_M_2025.csv", b"Identifier;TimeStamp;Begin\n"))


NAMED = "EEX_POWER_FUT_XX_BASE_M"


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        (f"{NAMED}_2025.csv", True),
        (f"{NAMED}_2021-2024.csv", False),
        (f"{NAMED}_2024-2025.csv", True),
        (f"{NAMED}_20250115.csv", True),
        (f"{NAMED}_2025-01-15.csv", True),
        (f"{NAMED}_20250116.csv", False),
        (f"{NAMED}_202501.csv", True),
        (f"{NAMED}_2025-02.csv", False),
        (f"{NAMED}.csv", True),
        (f"{NAMED}_20259999.csv", True),
        ("anything_2021.csv", True),
    ],
)
def test_a_trade_date_that_disagrees_with_the_name_is_held_back(name: str, fits: bool) -> None:
    result = prepared(name, file(row(*MARCH)))
    assert result.load is not None, result.refusal
    assert result.load.parts[0].rows.height == fits
    assert result.load.quarantine["column"].to_list() == ([] if fits else ["trade_date"])


def test_rows_of_another_product_than_the_name_says_are_not_stored(parse: Parse) -> None:
    other = row(*MARCH, identifier="EEX_POWER_FUT_YY_BASE_M")
    (parsed,) = parse(f"{NAMED}_2025.csv", file(row(*MARCH), other))
    assert parsed.refused.select("line", "column", "reason").rows() == [(3, "Identifier", str(Reason.INCONSISTENT))]
    with pytest.raises(RefusedFile, match="name and content disagree"):
        parse(f"{NAMED}_2025.csv", file(other))


def test_a_file_of_several_products_has_all_of_them(parse: Parse) -> None:
    (parsed,) = parse(NAME, file(row(*MARCH), row(*MARCH, identifier="EEX_POWER_FUT_YY_PEAK_M")))
    assert parsed.rows["curve"].to_list() == ["power:XX:base:EEX", "power:YY:peak:EEX"]


def test_settlements_are_known_at_half_past_six_of_their_day() -> None:
    result = prepared(NAME, file(row(*MARCH), row(*MARCH, traded="2025-03-31")))
    assert result.load is not None
    assert result.load.parts[0].rows["known_at"].to_list() == [
        datetime(2025, 1, 15, 17, 30, tzinfo=UTC),
        datetime(2025, 3, 31, 16, 30, tzinfo=UTC),
    ]


def test_the_last_settlement_before_easter_is_known_with_the_auction_of_the_last_day() -> None:
    # Good Friday and Easter Monday are not sessions: on Thursday the month to Sunday, 31 March 2024, is settled.
    march = row("2024-03-01", "2024-04-01", traded="2024-03-28")
    week = row("2024-03-25", "2024-04-01", identifier="EEX_POWER_FUT_XX_BASE_W", traded="2024-03-28")
    result = prepared(NAME, file(march, week))
    assert result.load is not None
    assert result.load.parts[0].rows["known_at"].to_list() == [
        datetime(2024, 3, 30, 11, 57, tzinfo=UTC),
        datetime(2024, 3, 28, 17, 30, tzinfo=UTC),
    ]


def test_words_that_are_not_identifiers_have_no_meaning() -> None:
    for text in (
        "",
        "EEX_POWER_FUT_DE_BASE",
        "EEX_POWER_FUT_DE_BASE_M ",
        "eex_power_fut_de_base_m",
        "EEX_POWER_OPT_DE_BASE_M",
        None,
    ):
        assert future_of(text) is None


def real_quotes(real_files: Path, kind: str) -> tuple[Prepared, pl.DataFrame]:
    path = real_files / "eex" / f"EEX_POWER_FUT_DE_BASE_{kind}_2021-2024.csv"
    now = datetime(2026, 1, 1, tzinfo=UTC)
    result = prepare(own_registry(), Suites({}), SourceFile(path.name, path.read_bytes()), "0" * 64, KnownAtPolicy(), now)
    assert result.load is not None, result.refusal
    (part,) = result.load.parts
    assert isinstance(part, CurveQuotes)
    assert part.curves["key"].to_list() == ["power:DE:base:EEX"]
    return result, part.rows


@pytest.mark.parametrize(
    ("kind", "rows", "unpriced", "ranged", "outside"),
    [("M", 9_662, 1, 4_400, 1_208), ("Q", 10_096, 949, 5_989, 1_885), ("W", 4_783, 0, 2_707, 746)],
)
def test_real_settlements_all_pass_with_those_outside_the_range_and_without_a_price(
    real_files: Path, kind: str, rows: int, unpriced: int, ranged: int, outside: int
) -> None:
    result, quotes = real_quotes(real_files, kind)
    assert result.load is not None
    assert result.load.quarantine.is_empty()
    assert quotes.height == rows
    assert quotes["settle"].null_count() == unpriced
    with_range = quotes.drop_nulls(["low", "high", "settle"])
    assert with_range.height == ranged
    assert with_range.filter(~pl.col("settle").is_between("low", "high")).height == outside


@pytest.mark.parametrize(
    ("kind", "missing", "extra"),
    [("M", 4, ["2021-12-31"]), ("Q", 53, ["2021-12-31"]), ("W", 53, ["2021-12-24", "2021-12-31"])],
)
def test_real_trade_dates_are_the_sessions_of_the_exchange_but_for_known_gaps(
    real_files: Path, kind: str, missing: int, extra: list[str]
) -> None:
    _, quotes = real_quotes(real_files, kind)
    traded = set(quotes["trade_date"].to_list())
    sessions = set(sessions_of("XEEE", date(2021, 1, 4), date(2024, 10, 15)))
    gaps = sorted(sessions - traded)
    assert len(gaps) == missing
    assert [f"{day:%Y-%m-%d}" for day in gaps][-4:] == ["2024-10-04", "2024-10-07", "2024-10-08", "2024-10-09"]
    assert [f"{day:%Y-%m-%d}" for day in sorted(traded - sessions)] == extra


def test_seven_real_months_are_settled_before_the_auction_of_their_last_day_and_known_only_after_it(real_files: Path) -> None:
    _, quotes = real_quotes(real_files, "M")
    last = quotes.sort("trade_date").group_by("delivery_start", maintain_order=True).last()
    last = last.filter(pl.col("delivery_end") <= date(2024, 6, 1))
    assert last.height == 41
    later = last.filter(pl.col("known_at").dt.date() > pl.col("trade_date")).sort("delivery_start")
    assert later["delivery_start"].dt.strftime("%Y-%m").to_list() == [
        *("2021-01", "2021-02", "2021-10", "2022-07", "2023-04", "2023-12", "2024-03")
    ]
    assert later["known_at"][0] == datetime(2021, 1, 30, 11, 57, tzinfo=UTC)
    # No other row of the file waits for an auction.
    dated = quotes.filter(pl.col("delivery_end") <= date(2024, 6, 1), pl.col("known_at").dt.date() > pl.col("trade_date"))
    assert dated.height == 7


def test_no_row_of_a_real_week_or_quarter_waits_for_an_auction(real_files: Path) -> None:
    for kind in ("Q", "W"):
        _, quotes = real_quotes(real_files, kind)
        assert quotes.filter(pl.col("known_at").dt.date() > pl.col("trade_date")).is_empty()
