"""Files of exchanges through all steps of loading, into a real PostgreSQL: quotes, corrections, quarantine, other products."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aurum.common.contracts import contracts_directory
from aurum.core.curves.product_documents import default_products
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.release import release
from aurum.pipelines.source import SourceFile
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import QuoteSpan
from aurum.storage.ports.quality import CompletenessFilter, QuarantineFilter
from aurum.storage.testing.stores import PostgresStore

DE = "power:DE:base:EEX"
HEADER = "Identifier;TimeStamp;Begin;End;Open;High;Low;Close;Settlement;Price;ValidationStatus;ChangeComment\n"
MARCH = "2025-03-01T00:00:00.000+0100;2025-04-01T00:00:00.000+0200"
APRIL = "2025-04-01T00:00:00.000+0200;2025-05-01T00:00:00.000+0200"


@pytest.fixture
async def ingestion(postgres_store: PostgresStore, tmp_path: Path) -> Ingestion:
    async with postgres_store.transactions.transaction(by=Actor("test")) as tx:
        await tx.curve_reference.declare(default_products())
    return Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path / "raw"),
    )


def settlements(*rows: tuple[str, str, str], area: str = "DE") -> SourceFile:
    """Return a file of months; each row has its trade date, its delivery and its settlement."""
    text = "".join(
        f"EEX_POWER_FUT_{area}_BASE_M;{traded}T00:00:00.000+0100;{delivery};;;;;{settle};;UNVALIDATED;\n"
        for traded, delivery, settle in rows
    )
    return SourceFile(f"EEX_POWER_FUT_{area}_BASE_M_2025.csv", (HEADER + text).encode())


async def settled(store: PostgresStore, as_of: datetime | None = None, key: str = DE) -> list[tuple[object, ...]]:
    product = await store.curves.product(key, tenant=None)
    quotes = await store.curves.quotes([product.curve_id], QuoteSpan(), as_of=as_of)
    return quotes.select("trade_date", "delivery_start", "settle").rows()


async def test_quotes_are_stored_with_the_known_times_of_their_rule(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    document = settlements(("2025-01-15", MARCH, "40,50"), ("2025-01-15", APRIL, ""), ("2025-01-16", MARCH, "41,25"))
    report = await ingestion.ingest(document)
    assert (report.outcome, report.rows_read, report.new, report.quarantined) == (FileOutcome.APPLIED, 3, 3, 0)
    first, second = date(2025, 1, 15), date(2025, 1, 16)
    march, april = date(2025, 3, 1), date(2025, 4, 1)
    assert await settled(postgres_store) == [(first, march, 40.5), (first, april, None), (second, march, 41.25)]
    before, after = datetime(2025, 1, 16, 17, 29, tzinfo=UTC), datetime(2025, 1, 16, 17, 30, tzinfo=UTC)
    assert len(await settled(postgres_store, before)) == 2
    assert len(await settled(postgres_store, after)) == 3
    assert (await ingestion.ingest(document)).outcome is FileOutcome.ALREADY_LOADED
    (entry,) = await postgres_store.files.files_of(report.digest)
    assert (entry.format, entry.parser_version, entry.release) == ("EEX power futures CSV", "1", release())


async def test_a_correction_that_states_no_time_is_refused_and_one_that_is_published_now_is_a_version(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    await ingestion.ingest(settlements(("2025-01-15", MARCH, "40,50")))
    corrected = settlements(("2025-01-15", MARCH, "40,75"))
    refused = await ingestion.ingest(corrected)
    assert refused.outcome is FileOutcome.REFUSED
    assert "known" in refused.reason
    report = await ingestion.ingest(corrected, known_at=KnownAtPolicy.parse("now"))
    assert (report.new, report.revised) == (0, 1)
    day, march = date(2025, 1, 15), date(2025, 3, 1)
    assert await settled(postgres_store) == [(day, march, 40.75)]
    assert await settled(postgres_store, datetime(2025, 2, 1, tzinfo=UTC)) == [(day, march, 40.5)]


async def test_quotes_that_fail_are_in_quarantine_and_the_others_are_stored(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    report = await ingestion.ingest(
        settlements(("2025-01-15", MARCH, "forty"), ("2025-01-15", APRIL, "41,25"), ("2024-01-16", APRIL, "41,50"))
    )
    assert (report.new, report.quarantined) == (1, 2)
    rows = await postgres_store.quality.quarantine_page(QuarantineFilter(source="eex"), after=None, limit=10)
    assert [(row.line, row.column, str(row.reason)) for row in sorted(rows, key=lambda row: row.line)] == [
        (2, "Settlement", "non_numeric"),
        (4, "trade_date", "invalid_time"),
    ]


async def test_a_product_that_is_not_in_the_reference_data_is_refused_by_its_key(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    report = await ingestion.ingest(settlements(("2025-01-15", MARCH, "40,50"), area="ZZ"))
    assert report.outcome is FileOutcome.REFUSED
    assert report.reason.startswith("the file quotes power:ZZ:base:EEX, which is not a product")
    assert (report.source, report.dataset) == ("eex", "power_futures")


async def test_a_file_of_wti_is_stored_under_its_months_of_delivery(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    report = await ingestion.ingest(SourceFile("WTI_Futures_2.csv", b"t,Value,Expiry\r45672.00,61.5,45708\r45672.00,61,45736"))
    assert (report.source, report.new) == ("nymex", 2)
    assert await settled(postgres_store, key="oil:WTI:base:NYMEX") == [
        (date(2025, 1, 15), date(2025, 3, 1), 61.5),
        (date(2025, 1, 15), date(2025, 4, 1), 61.0),
    ]


async def test_the_hour_that_the_autumn_day_of_the_auction_lacks_is_on_record(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    days = ("10/25/2025", "10/26/2025", "10/27/2025", "3/30/2025")
    rows = "".join(f"{day} {hour}:00,{50 + hour}.25\n" for day in days for hour in range(24))
    document = SourceFile("DE_day_ahead_auction_prices.csv", b"Date,Day Ahead Auction Price EUR/MWh\n" + rows.encode())
    report = await ingestion.ingest(document)
    assert (report.new, report.quarantined) == (95, 1)
    assert any("2025-10-26" in notice for notice in report.notices)
    incomplete = CompletenessFilter(key="eex:day_ahead_auction:DE:price_60min", only_incomplete=True)
    (day,) = await postgres_store.quality.completeness_page(incomplete, after=None, limit=10)
    assert (day.day, day.expected, day.present, day.missing) == (date(2025, 10, 26), 25, 24, 1)
