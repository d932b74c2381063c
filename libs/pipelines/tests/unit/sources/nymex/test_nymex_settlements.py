from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.core.curves.product_documents import default_products
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.prepare import prepare
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.registry import UnknownFormat, own_registry
from aurum.pipelines.source import RefusedFile, SourceFile
from aurum.pipelines.sources.ice import SOURCE as ICE
from aurum.pipelines.sources.nymex.contracts import contracts
from aurum.pipelines.testing.source_contract import quotes_parser_of

NAME = "WTI_Futures_2.csv"
Parse = Callable[[str, bytes | str], tuple[ParsedQuotes, ...]]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_serial_dates_and_records_that_end_in_cr_are_read(parse: Parse) -> None:
    (parsed,) = parse(NAME, "t,Value,Expiry\r45672.00,61.5,45708\r45672.00,,45736\r45673.00,62,45708")
    assert parsed.rows.select("curve", "trade_date", "delivery_start", "delivery_end", "settle", "line").rows() == [
        ("oil:WTI:base:NYMEX", date(2025, 1, 15), date(2025, 3, 1), date(2025, 4, 1), 61.5, 2),
        ("oil:WTI:base:NYMEX", date(2025, 1, 15), date(2025, 4, 1), date(2025, 5, 1), None, 3),
        ("oil:WTI:base:NYMEX", date(2025, 1, 16), date(2025, 3, 1), date(2025, 4, 1), 62.0, 4),
    ]
    assert parsed.rows_read == 3


@pytest.mark.parametrize("header", ["Date,Settle,Expiration", "Trade Date,Settlement Price,Expiry Date", "date,price,expiry"])
def test_columns_have_other_names_and_days_other_forms(parse: Parse, header: str) -> None:
    (parsed,) = parse("nymex_cl_2025.csv", f"{header}\n2025-01-15,61.5,2025-02-20\n1/16/2025,62,2/20/2025\n")
    assert parsed.rows["trade_date"].to_list() == [date(2025, 1, 15), date(2025, 1, 16)]
    assert parsed.rows["delivery_start"].to_list() == [date(2025, 3, 1)] * 2


@pytest.mark.parametrize(
    ("name", "expiry", "key", "delivery"),
    [
        ("NG_Futures.csv", "2024-12-27", "gas:HH:base:NYMEX", date(2025, 1, 1)),
        ("HenryHub.csv", "2025-01-29", "gas:HH:base:NYMEX", date(2025, 2, 1)),
        ("HO_Futures_1.csv", "2025-01-31", "oil:ULSD:base:NYMEX", date(2025, 2, 1)),
        ("Natural_Gas_Futures.csv", "2025-01-29", "gas:HH:base:NYMEX", date(2025, 2, 1)),
        ("Brent_Crude_Futures.csv", "2025-01-31", "oil:Brent:base:ICE", date(2025, 3, 1)),
        ("nymex_brent.csv", "2025-01-31", "oil:Brent:base:NYMEX", date(2025, 3, 1)),
        ("Gas_Oil_2.csv", "2025-01-10", "oil:Gasoil:base:ICE", date(2025, 1, 1)),
        ("rbob.csv", "2025-01-31", "oil:RBOB:base:NYMEX", date(2025, 2, 1)),
        ("CL2.csv", "2024-12-19", "oil:WTI:base:NYMEX", date(2025, 1, 1)),
        ("Brent_Futures.csv", "2024-11-29", "oil:Brent:base:ICE", date(2025, 1, 1)),
        ("Brent_Futures.csv", "2016-01-29", "oil:Brent:base:ICE", date(2016, 3, 1)),
        ("Brent_Futures.csv", "2016-01-14", "oil:Brent:base:ICE", date(2016, 2, 1)),
        ("ICE_WTI_Futures.csv", "2024-12-18", "oil:WTI:base:ICE", date(2025, 1, 1)),
        ("gasoil.csv", "2025-01-10", "oil:Gasoil:base:ICE", date(2025, 1, 1)),
        ("TTF_Futures.csv", "2025-01-30", "gas:TTF:base:ICE", date(2025, 2, 1)),
        ("EUA_Futures.csv", "2025-12-15", "emissions:EUA:base:ICE", date(2025, 12, 1)),
    ],
)
def test_the_name_says_the_contract_and_its_rule_the_delivery(name: str, expiry: str, key: str, delivery: date) -> None:
    document = SourceFile(name, f"Date,Value,Expiry\n2015-10-15,61.5,{expiry}\n".encode())
    source, file_format = own_registry().recognise(document)
    (parsed,) = file_format.parse(document)
    assert isinstance(parsed, ParsedQuotes)
    assert parsed.rows.select("curve", "delivery_start").rows() == [(key, delivery)]
    assert source.name == key.rpartition(":")[2].lower()


def test_every_contract_is_named_by_its_first_word() -> None:
    for contract in contracts():
        name = f"{contract.key.venue.lower()}_{sorted(contract.words)[0]}.csv"
        document = SourceFile(name, b"Date,Value,Expiry\n2015-10-15,61.5,2016-10-15\n")
        source, file_format = own_registry().recognise(document)
        assert source.name == contract.key.venue.lower()
        (parsed,) = file_format.parse(document)
        assert parsed.rows["curve"].to_list() == [str(contract.key)]


def test_every_contract_is_a_product_of_the_reference_data() -> None:
    assert {contract.key for contract in contracts()} <= {product.key for product in default_products()}


@pytest.mark.parametrize("name", ["futures.csv", "WTI_Brent_spread.csv", "wticl.csv"])
def test_a_name_of_no_contract_or_of_several_is_refused_with_the_words_that_would_tell(name: str) -> None:
    with pytest.raises(UnknownFormat, match="name of the file must have one of wti, henry"):
        own_registry().recognise(SourceFile(name, b"t,Value,Expiry\r45672.00,61.5,45708"))


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("45672.50,61.5,45708", "t", Reason.INVALID_TIME),
        ("673,61.5,45708", "t", Reason.INVALID_TIME),
        (",61.5,45708", "t", Reason.INVALID_TIME),
        ("45672,61.5,Feb-25", "Expiry", Reason.INVALID_TIME),
        ("45672,61.5,45671", "Expiry", Reason.INVALID_TIME),
        ('45672,"61,5",45708', "Value", Reason.NON_NUMERIC),
        ("45672,settled,45708", "Value", Reason.NON_NUMERIC),
    ],
)
def test_a_row_that_cannot_be_read_is_held_back(parse: Parse, row: str, column: str, reason: Reason) -> None:
    (parsed,) = parse(NAME, f"t,Value,Expiry\r45672.00,61.5,45708\r{row}\r45673,60,45708")
    assert parsed.rows["line"].to_list() == [2, 4]
    assert parsed.refused.select("line", "column", "raw", "reason").rows() == [(3, column, row, str(reason))]


@pytest.mark.parametrize("content", ["", "t,Value\r45672.00,61.5", "t,Value,Expiry\r45672.00,61.5,45708\r45673.00,62"])
def test_an_empty_a_foreign_and_a_truncated_file_are_refused(content: str) -> None:
    document = SourceFile(NAME, b"t,Value,Expiry\r45672.00,61.5,45708")
    _, file_format = own_registry().recognise(document)
    with pytest.raises(RefusedFile):
        file_format.parse(SourceFile(NAME, content.encode()))


def test_a_contract_that_is_quoted_twice_on_a_day_is_held_back_where_its_prices_differ() -> None:
    text = "t,Value,Expiry\r45672.00,61.5,45708\r45672.00,61.75,45708\r45672.00,60,45736\r45672.00,60,45736"
    result = prepare(own_registry(), Suites({}), SourceFile(NAME, text.encode()), "0" * 64, KnownAtPolicy(), NOW)
    assert result.load is not None
    assert result.load.parts[0].rows["settle"].to_list() == [60.0]
    assert result.load.quarantine.select("line", "reason").rows() == [
        (2, str(Reason.DUPLICATE_KEY)),
        (3, str(Reason.DUPLICATE_KEY)),
    ]


def test_settlements_are_known_in_the_evening_of_their_day() -> None:
    text = b"t,Value,Expiry\r45672.00,61.5,45708\r45757.00,62,45769"
    result = prepare(own_registry(), Suites({}), SourceFile(NAME, text), "0" * 64, KnownAtPolicy(), NOW)
    assert result.load is not None
    assert result.load.parts[0].rows["known_at"].to_list() == [
        datetime(2025, 1, 15, 23, tzinfo=UTC),
        datetime(2025, 4, 10, 22, tzinfo=UTC),
    ]
    (brent,) = quotes_parser_of(ICE)("Brent_1.csv", text.replace(b"Value", b"Settle"))
    assert brent.dataset.source == "ice"


def test_the_real_file_has_sixteen_expiries_on_every_line(parse: Parse, real_files: Path) -> None:
    path = real_files / "nymex" / NAME
    (parsed,) = parse(path.name, path.read_bytes())
    rows = parsed.rows
    assert rows.height == 20_813
    assert parsed.refused.is_empty()
    assert rows["settle"].null_count() == 0
    assert rows["trade_date"].n_unique() == 1_383
    assert (rows["trade_date"].min(), rows["trade_date"].max()) == (date(2012, 11, 16), date(2018, 5, 16))
    assert rows["delivery_start"].n_unique() == 16
    assert (rows["delivery_start"].min(), rows["delivery_start"].max()) == (date(2018, 1, 1), date(2019, 4, 1))
    front = rows.filter(pl.col("trade_date") == date(2018, 5, 16)).sort("delivery_start").row(0, named=True)
    assert (front["delivery_start"], front["settle"]) == (date(2018, 6, 1), 71.49)
