"""Brokers' workbooks and SIMPLE files from their bytes to committed quotes, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.core.catalog import Reason
from aurum.core.curves.product_documents import default_products
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.broker_workbook import BID_ASK, MID, price_sheet, two_sided
from aurum.pipelines.testing.workbook import workbook
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.curves import QuoteSpan
from aurum.storage.ports.quality import QuarantineFilter
from aurum.storage.testing.curves import BY
from aurum.storage.testing.stores import Store

OCT, NOV, CAL = date(2025, 10, 1), date(2025, 11, 1), date(2026, 1, 1)
DE, TTF = ("Germany", "Germany", "Power", "Base"), ("Netherlands", "TTF", "Gas", "")


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore(SystemClock()) if request.param == "memory" else request.getfixturevalue("postgres_store")


@pytest.fixture
def ingestion(store: Store, tmp_path: Path) -> Ingestion:
    return Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=store.loader,
        raw_files=RawFiles(tmp_path),
    )


async def declare(store: Store) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.declare(default_products())


async def quotes(store: Store, key: str, as_of: datetime | None = None) -> list[tuple[object, ...]]:
    product = await store.curves.product(key, tenant=None)
    frame = await store.curves.quotes([product.curve_id], QuoteSpan(), as_of=as_of)
    return frame.select("delivery_start", "settle", "bid", "ask").rows()


def marks(name: str, *, mid: float, bid: float, ask: float) -> SourceFile:
    sheets = {
        "Fixed": price_sheet([DE, TTF], MID, [(OCT, [88.5, mid]), (NOV, [91.25, None])]),
        "Fixed two-sided": price_sheet([TTF], BID_ASK, [(OCT, [two_sided(bid, ask)]), (NOV, [two_sided(32.5, 32.25)])]),
        "Strips": price_sheet([DE], MID, [("Calendar 2026", [90.0])]),
    }
    return SourceFile(name, workbook(sheets))


async def test_a_workbook_becomes_quotes_known_at_the_time_in_its_name(store: Store, ingestion: Ingestion) -> None:
    await declare(store)
    report = await ingestion.ingest(marks("EOD_EUGP_20250917_1430.xlsx", mid=31.5, bid=31.25, ask=31.75))
    assert (report.outcome, report.source, report.dataset) == (FileOutcome.APPLIED, "eod_workbook", "eugp"), report.reason
    assert (report.new, report.revised, report.quarantined) == (4, 0, 1)
    assert await quotes(store, "power:DE:base:EUGP") == [
        (OCT, 88.5, None, None),
        (NOV, 91.25, None, None),
        (CAL, 90.0, None, None),
    ]
    assert await quotes(store, "gas:TTF:base:EUGP") == [(OCT, 31.5, 31.25, 31.75)]
    assert await quotes(store, "gas:TTF:base:EUGP", datetime(2025, 9, 17, 13, 29, tzinfo=UTC)) == []
    assert len(await quotes(store, "gas:TTF:base:EUGP", datetime(2025, 9, 17, 13, 30, tzinfo=UTC))) == 1


async def test_a_later_workbook_of_the_day_is_a_correction(store: Store, ingestion: Ingestion) -> None:
    await declare(store)
    for name, mid in (("EOD_RP_20250917_1430.xlsx", 31.5), ("EOD_RP_20250917_1615.xlsx", 31.625)):
        report = await ingestion.ingest(marks(name, mid=mid, bid=31.25, ask=31.75))
        assert report.outcome is FileOutcome.APPLIED, report.reason
    assert report.revised == 1
    before, after = datetime(2025, 9, 17, 15, tzinfo=UTC), datetime(2025, 9, 17, 15, 15, tzinfo=UTC)
    assert await quotes(store, "gas:TTF:base:RP", before) == [(OCT, 31.5, 31.25, 31.75)]
    assert await quotes(store, "gas:TTF:base:RP", after) == [(OCT, 31.625, 31.25, 31.75)]


async def test_a_workbook_of_another_date_than_its_name_is_refused_whole(store: Store, ingestion: Ingestion) -> None:
    await declare(store)
    report = await ingestion.ingest(marks("EOD_EUGP_20250918_1430.xlsx", mid=31.5, bid=31.25, ask=31.75))
    assert report.outcome is FileOutcome.REFUSED
    assert "says the trade date 2025-09-18, 'Fixed'!B5 says 2025-09-17" in report.reason
    assert await quotes(store, "gas:TTF:base:EUGP") == []


async def test_a_simple_file_is_stored_and_one_of_an_unknown_product_is_refused(store: Store, ingestion: Ingestion) -> None:
    await declare(store)
    header = "trade_date,product,period,settle,bid,ask\n"
    good = await ingestion.ingest(SourceFile("a.csv", f"{header}2025-01-07,power:DE:base:EEX,Q1-25,92.15,92,92.5\n".encode()))
    assert (good.outcome, good.new) == (FileOutcome.APPLIED, 1), good.reason
    assert await quotes(store, "power:DE:base:EEX") == [(date(2025, 1, 1), 92.15, 92.0, 92.5)]
    other = await ingestion.ingest(SourceFile("b.csv", f"{header}2025-01-07,power:DE:base:EXX,Q1-25,92.15,,\n".encode()))
    assert other.outcome is FileOutcome.REFUSED
    assert "power:DE:base:EXX" in other.reason


async def test_a_file_in_another_unit_is_stored_as_it_is_and_flagged(store: Store, tmp_path: Path) -> None:
    await declare(store)
    ingestion = Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=store.loader,
        raw_files=RawFiles(tmp_path),
        curves=store.curves,
    )
    header, key = "trade_date,product,period,settle,bid,ask\n", "gas:NBP:base:EEX"
    pence, pounds = (
        SourceFile(f"{day}.csv", f"{header}{day},{key},Feb-25,{feb},,\n{day},{key},Mar-25,{mar},,\n".encode())
        for day, feb, mar in (("2025-01-07", 118.5, 117.25), ("2025-01-08", 1.21, 1.195))
    )
    before = await ingestion.ingest(pence)
    assert (before.outcome, before.flagged_curves, before.quote_flags) == (FileOutcome.APPLIED, 0, ()), before.reason
    report = await ingestion.ingest(pounds)
    assert (report.outcome, report.flagged_curves) == (FileOutcome.APPLIED, 1)
    (flag,) = report.quote_flags
    assert (flag.curve, flag.check, flag.trade_date, flag.delivery_start) == (key, "unit_jump", date(2025, 1, 8), None)
    assert [row[1] for row in await quotes(store, key)] == [118.5, 117.25, 1.21, 1.195]
    (record,) = await store.files.files_of(report.digest)
    assert (record.flagged_curves, record.quote_flags) == (1, report.quote_flags)
    again = await ingestion.ingest(pounds)
    assert (again.outcome, again.quote_flags) == (FileOutcome.ALREADY_LOADED, ())


async def test_quarantine_of_a_workbook_has_sheet_and_cell(store: Store, ingestion: Ingestion) -> None:
    await declare(store)
    report = await ingestion.ingest(marks("EOD_EUGP_20250917_1430.xlsx", mid=31.5, bid=31.25, ask=31.75))
    held = await store.quality.quarantine_page(QuarantineFilter(digest=report.digest), limit=9)
    assert [(row.line, row.column, row.raw, row.reason) for row in held] == [
        (26, "'Fixed two-sided'!B13", "32.500   /   32.250", Reason.INCONSISTENT)
    ]
