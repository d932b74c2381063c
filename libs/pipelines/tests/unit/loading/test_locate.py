"""The place of a stored number in its file: the line, or the sheet and cell, and whether the number there is the stored one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aurum.common.settings import FilesSettings
from aurum.core.lineage import FileToSearch, Place, PlaceState, Sought, SoughtPoint, SoughtQuote, Unit
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.locate import locate
from aurum.pipelines.loading.stored_place import find_place, find_places
from aurum.pipelines.loading.unpacking import unpack
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.registry import Registry, default_registry
from aurum.pipelines.release import release
from aurum.pipelines.source import Parsed, SourceFile
from aurum.pipelines.testing.bombs import zipped
from aurum.pipelines.testing.broker_workbook import BID_ASK, MID, TRADE_DATE, price_sheet, two_sided
from aurum.pipelines.testing.samples import EXCHANGES, SAMPLES, Sample
from aurum.pipelines.testing.workbook import workbook

EEX, NYMEX = next(one for one in EXCHANGES if "EEX_POWER" in one.name), next(one for one in EXCHANGES if "WTI" in one.name)
AUGUST, SEPTEMBER = date(2025, 8, 1), date(2025, 9, 1)
DE = SoughtQuote("power:DE:base:EEX", date(2025, 7, 7), AUGUST, SEPTEMBER, "settle", 51.25)
OCTOBER = (date(2025, 10, 1), date(2025, 11, 1))
PRICES = (
    "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"
    "11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00\n11/05/2025 01:00,N.Y.C.,61761,49.10,2.50,-1.00\n"
)
NYC = SoughtPoint("nyiso", "damlbmp_zone", "61761", "congestion", datetime(2025, 11, 5, 6, tzinfo=UTC), 1.0)


NAMELESS = frozenset(
    {
        "nyiso:damlbmp_zone csv",
        "nyiso:isolf csv",
        "aeso:current_supply_demand csv",
        "caiso:daily_renewables_watch txt",
        "eia:navigator_daily csv",
        "eia:navigator_weekly csv",
        "eia:navigator_monthly csv",
        "eia:navigator_annual csv",
        "eia:gas_storage_weekly csv",
        "eia:gas_storage_weekly xlsx",
        "ecb:reference_rates csv",
        "noaa:ghcn_daily csv",
    }
)
"""Samples in which a column has another header than its parser names, or none: nothing is claimed of it."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return default_registry()


def wanted(sought: Sought, document: SourceFile, **read: str) -> FileToSearch:
    return FileToSearch(hashlib.sha256(document.content).hexdigest(), document.name, sought, **read)


def place_of(registry: Registry, sought: Sought, document: SourceFile, **read: str) -> Place:
    return locate(registry, document, wanted(sought, document, **read))


def the_file(sample: Sample) -> SourceFile:
    return SourceFile(sample.name, sample.content)


def test_a_settlement_of_an_exchange_is_in_its_line(registry: Registry) -> None:
    place = place_of(registry, DE, the_file(EEX), format="EEX power futures CSV", parser_version="1", release="0.0.9")
    line = EEX.text.split("\n")[3]
    assert (place.state, place.line, place.counts, place.cell, place.text) == (PlaceState.LOCATED, 4, Unit.LINE, None, line)
    assert (place.value, place.verified, place.why, place.parser_changed) == (51.25, True, "", False)
    assert (place.format, place.parser_version, place.release) == ("EEX power futures CSV", "1", release())


SIMPLE = SourceFile(
    "marks.csv",
    b"period,trade_date,ask,product,settle,bid\nFeb-25,2025-01-07,102,power:DE:base:EEX,101.5,101\n",
)
MARCH = (date(2025, 3, 1), date(2025, 4, 1))
FEBRUARY = SoughtQuote("power:DE:base:EEX", date(2025, 1, 7), date(2025, 2, 1), MARCH[0], "ask", 102.0)


@pytest.mark.parametrize(
    ("document", "sought", "column", "number", "text"),
    [
        (the_file(EEX), DE, "Settlement", 9, "51,25"),
        (SIMPLE, FEBRUARY, "ask", 3, "102"),
        (SIMPLE, replace(FEBRUARY, field="settle", value=101.5), "settle", 5, "101.5"),
    ],
)
def test_a_field_of_a_quote_is_in_the_column_of_its_header(
    registry: Registry, document: SourceFile, sought: SoughtQuote, column: str, number: int, text: str
) -> None:
    place = place_of(registry, sought, document)
    assert (place.column, place.column_number, place.verified) == (column, number, True)
    separator = ";" if document is not SIMPLE else ","
    assert (place.text or "").split(separator)[number - 1] == text


def test_a_field_that_the_file_has_no_column_for_is_in_none(registry: Registry) -> None:
    place = place_of(registry, replace(FEBRUARY, field="open", value=None), SIMPLE)
    assert (place.line, place.value, place.column, place.column_number) == (2, None, None, None)


def test_a_price_in_a_workbook_of_an_operator_is_in_its_cell(registry: Registry) -> None:
    header = ["Delivery Date", "Hour Ending", "Repeated Hour Flag", "Settlement Point", "Settlement Point Price"]
    rows = [["07/04/2025", f"{hour:02}:00", "N", "HB_INVENTED", f"{30 + hour}.25"] for hour in (1, 2, 3)]
    document = SourceFile(
        "DAMLZHBSPP_2025.xlsx", workbook({"Jun": [header], "Jul": [[None, *header], *([None, *row] for row in rows)]})
    )
    sought = SoughtPoint("ercot", "dam_spp", "HB_INVENTED", "spp", datetime(2025, 7, 4, 6, tzinfo=UTC), 32.25)
    place = place_of(registry, sought, document)
    assert (place.line, place.cell, place.column, place.verified) == (4, "'Jul'!F3", "SettlementPointPrice", True)


def test_a_row_that_a_sheet_has_twice_is_in_no_cell(registry: Registry) -> None:
    header = ["Delivery Date", "Hour Ending", "Repeated Hour Flag", "Settlement Point", "Settlement Point Price"]
    row = ["07/04/2025", "02:00", "N", "HB_INVENTED", "32.25"]
    document = SourceFile("DAMLZHBSPP_2025.xlsx", workbook({"Jul": [header, row, row]}))
    sought = SoughtPoint("ercot", "dam_spp", "HB_INVENTED", "spp", datetime(2025, 7, 4, 6, tzinfo=UTC), 32.25)
    place = place_of(registry, sought, document)
    assert (place.line, place.cell, place.verified) == (2, None, True)


def test_a_price_of_an_hour_is_in_the_column_of_the_hour(registry: Registry) -> None:
    hours = ",".join(f"HE {hour}" for hour in range(1, 25))
    prices = ",".join(f"{20 + hour}.5" for hour in range(24))
    title = "Day Ahead Market ExPost LMPs\n11/05/2025\n\n,,,All Hours-Ending are Eastern Standard Time (EST)\n"
    text = f"{title}Node,Type,Value,{hours}\nAECI,Interface,LMP,{prices}\n"
    sought = SoughtPoint("miso", "da_expost_lmp", "AECI", "lmp", datetime(2025, 11, 5, 7, tzinfo=UTC), 22.5)
    place = place_of(registry, sought, SourceFile("20251105_da_expost_lmp.csv", text.encode()))
    assert (place.line, place.column, place.column_number, place.verified) == (6, "HE 3", 6, True)
    assert (place.text or "").split(",")[5] == "22.5"


def test_another_number_at_the_place_is_not_verified(registry: Registry) -> None:
    place = place_of(registry, replace(DE, value=50.0), the_file(EEX))
    assert (place.state, place.line, place.value, place.verified) == (PlaceState.LOCATED, 4, 51.25, False)
    assert place.why == "the file has another number at this place"


def test_a_number_that_is_not_in_the_file_is_not_found(registry: Registry) -> None:
    place = place_of(registry, replace(DE, trade_date=date(2025, 1, 2)), the_file(EEX))
    assert (place.state, place.line, place.verified) == (PlaceState.NOT_IN_FILE, None, None)


def test_a_parser_that_has_changed_is_named(registry: Registry) -> None:
    read = {"format": "EEX power futures CSV", "parser_version": "0", "release": "0.0.1"}
    gone = place_of(registry, replace(DE, trade_date=date(2025, 1, 2)), the_file(EEX), **read)
    assert gone.parser_changed is True
    assert "from 'EEX power futures CSV' version 0 (release 0.0.1) to 'EEX power futures CSV' version 1" in gone.why
    still = place_of(registry, DE, the_file(EEX), **read)
    assert (still.verified, still.parser_changed, still.why) == (True, True, "")


def test_without_a_record_of_the_parser_no_change_is_claimed(registry: Registry) -> None:
    assert place_of(registry, DE, the_file(EEX)).parser_changed is None


def test_lines_that_end_in_carriage_returns_are_counted(registry: Registry) -> None:
    sample = SourceFile(NYMEX.name, NYMEX.content.replace(b"\n", b"\r"))
    _, file_format = registry.recognise(sample)
    (parsed,) = file_format.parse(sample)
    row = parsed.rows.row(3, named=True)
    sought = SoughtQuote(row["curve"], row["trade_date"], row["delivery_start"], row["delivery_end"], "settle", row["settle"])
    place = place_of(registry, sought, sample)
    assert (place.line, place.verified) == (5, True)
    assert place.text == NYMEX.text.split("\n")[4]


def a_workbook() -> SourceFile:
    base = ("Germany", "Germany", "Power", "Base")
    gas = ("Netherlands", "TTF", "Gas", "")
    sheets = {
        "Fixed Prices": price_sheet([gas, base], MID, [(OCTOBER[0], [31.5, 88.125])]),
        "Fixed Prices BA": price_sheet([base, gas], BID_ASK, [(OCTOBER[0], [two_sided(88.0, 88.25), two_sided(None, 31.75)])]),
    }
    return SourceFile("EOD_EUGP_20250917_1430.xlsx", workbook(sheets))


@pytest.mark.parametrize(
    ("field", "value", "cell", "row"),
    [
        ("settle", 88.125, "'Fixed Prices'!C12", "sheet 'Fixed Prices', row 12: "),
        ("bid", 88.0, "'Fixed Prices BA'!B12", "sheet 'Fixed Prices BA', row 12: "),
        ("ask", 88.25, "'Fixed Prices BA'!B12", "sheet 'Fixed Prices BA', row 12: "),
        ("high", None, "'Fixed Prices'!C12", "sheet 'Fixed Prices', row 12: "),
    ],
)
def test_a_mark_of_a_broker_is_in_the_cell_of_its_field(
    registry: Registry, field: str, value: float | None, cell: str, row: str
) -> None:
    sought = SoughtQuote("power:DE:base:EUGP", TRADE_DATE, *OCTOBER, field, value)
    place = place_of(registry, sought, a_workbook())
    assert (place.state, place.cell, place.counts, place.verified) == (PlaceState.LOCATED, cell, Unit.ROW, True)
    assert place.text is not None
    assert place.text.startswith(row)


def test_a_product_of_a_tenant_is_found_by_what_it_quotes(registry: Registry) -> None:
    sought = SoughtQuote("power:DE:base:OURS", TRADE_DATE, *OCTOBER, "settle", 88.125)
    assert place_of(registry, sought, a_workbook()).state is PlaceState.NOT_IN_FILE
    own = replace(sought, any_venue=True)
    assert place_of(registry, own, a_workbook()).cell == "'Fixed Prices'!C12"


def test_a_price_of_an_operator_is_in_its_line_and_column_in_the_unit_of_the_store(registry: Registry) -> None:
    # The operator publishes congestion with the opposite sign.
    place = place_of(registry, NYC, SourceFile("20251105damlbmp_zone.csv", PRICES.encode()))
    assert (place.line, place.column, place.value, place.verified) == (3, "Marginal Cost Congestion ($/MWHr)", 1.0, True)
    assert place.column_number == 6
    assert place.text == "11/05/2025 01:00,N.Y.C.,61761,49.10,2.50,-1.00"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.label)
def test_numbers_of_every_format_are_found_again(registry: Registry, sample: Sample) -> None:
    document = the_file(sample)
    _, file_format = registry.recognise(document)
    for part in file_format.parse(document):
        for row in (part.rows.row(0, named=True), part.rows.row(-1, named=True)) if part.rows.height else ():
            if isinstance(part, Parsed):
                names = (part.dataset.source, part.dataset.name, row["location"], row["measure"])
                sought: Sought = SoughtPoint(*names, row["ts"], row["value"])
            else:
                delivery = (row["trade_date"], row["delivery_start"], row["delivery_end"])
                sought = SoughtQuote(row["curve"], *delivery, "settle", row["settle"])
            place = place_of(registry, sought, document)
            assert (place.state, place.verified) == (PlaceState.LOCATED, True)
            assert place.text == part.raw(place.line or 0)[:1000]
            at = {Unit.LINE: place.column_number, Unit.ROW: place.cell, Unit.ELEMENT: place.line}[place.counts or Unit.LINE]
            assert (at is None) <= (sample.label in NAMELESS)


def test_a_file_that_the_parser_of_today_refuses_says_why(registry: Registry) -> None:
    place = place_of(registry, DE, SourceFile(EEX.name, EEX.content[:200]), format="EEX power futures CSV")
    assert (place.state, place.line) == (PlaceState.UNREADABLE, None)
    assert place.why
    unknown = place_of(registry, DE, SourceFile("x.bin", b"\0\1\2"), format="a format of a plugin that is gone")
    assert (unknown.state, unknown.parser_changed) == (PlaceState.UNREADABLE, True)


@pytest.fixture(scope="module")
def isolated() -> Iterator[IsolatedFiles]:
    files = IsolatedFiles(FilesSettings())
    yield files
    files.close()


@pytest.mark.needs_process
def test_a_stored_file_is_searched_in_a_child(isolated: IsolatedFiles, tmp_path: Path) -> None:
    files, document = RawFiles(tmp_path / "quarantine"), a_workbook()
    sought = wanted(SoughtQuote("power:DE:base:EUGP", TRADE_DATE, *OCTOBER, "bid", 88.0), document)
    files.put(sought.digest, document.content, is_quarantined=False)
    place = find_place(files, isolated, sought)
    assert (place.state, place.cell, place.verified) == (PlaceState.LOCATED, "'Fixed Prices BA'!B12", True)


@pytest.mark.needs_process
def test_once_a_file_has_the_number_the_others_are_not_searched(isolated: IsolatedFiles, tmp_path: Path) -> None:
    files = RawFiles(tmp_path / "quarantine")
    other = SourceFile(EEX.name, EEX.content.replace(b"51,25", b"52,25"))
    searches = [wanted(DE, one) for one in (other, the_file(EEX), SourceFile("again.csv", EEX.content))]
    for search, document in zip(searches, (other, EEX, EEX), strict=True):
        files.put(search.digest, document.content, is_quarantined=False)
    states = [(place.state, place.verified) for place in find_places(files, isolated, searches)]
    assert states == [(PlaceState.LOCATED, False), (PlaceState.LOCATED, True), (PlaceState.NOT_REQUESTED, None)]


@pytest.mark.needs_process
def test_a_content_that_was_loaded_twice_is_parsed_once(isolated: IsolatedFiles, tmp_path: Path) -> None:
    files, gone = RawFiles(tmp_path / "quarantine"), replace(DE, trade_date=date(2025, 1, 2))
    search = wanted(gone, the_file(EEX))
    files.put(search.digest, EEX.content, is_quarantined=False)
    first, again = find_places(files, isolated, [search, replace(search, parser_version="1")])
    assert first.state is PlaceState.NOT_IN_FILE
    assert again is first


@pytest.mark.needs_process
def test_a_member_of_an_archive_is_searched_like_any_file(isolated: IsolatedFiles, tmp_path: Path) -> None:
    (member,) = unpack("month.zip", zipped({"20251105damlbmp_zone.csv": PRICES.encode()}))
    assert isinstance(member, SourceFile)
    files = RawFiles(tmp_path / "quarantine")
    sought = wanted(NYC, member, archive=member.archive)
    files.put(sought.digest, member.content, is_quarantined=False)
    assert find_place(files, isolated, sought).line == 3


@pytest.mark.needs_process
def test_a_missing_and_a_damaged_copy_are_told_apart(isolated: IsolatedFiles, tmp_path: Path) -> None:
    files, document = RawFiles(tmp_path / "quarantine", choice="none"), a_workbook()
    sought = wanted(DE, document)
    missing = find_place(files, isolated, sought)
    assert missing.state is PlaceState.NOT_STORED
    assert "AURUM_FILES__RAW_FILES is none, which does not store such a file; to store it, set it to curves" in missing.why
    files.put(sought.digest, b"other bytes", is_quarantined=False)
    assert find_place(files, isolated, sought).state is PlaceState.DAMAGED
    (path,) = tmp_path.rglob("*.gz")
    path.write_bytes(path.read_bytes()[:-9])
    assert find_place(files, isolated, sought).state is PlaceState.DAMAGED
