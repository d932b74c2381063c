"""Sessions that an administrator stored for a venue date final settlements of files; what was loaded before keeps its time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aurum.common.contracts import contracts_directory
from aurum.core.curves.product_documents import default_products
from aurum.pipelines.loading.load import FileOutcome, FileReport, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.services.catalog.reading_terms import reading_terms
from aurum.storage.ports.curves import QuoteSpan, ReferenceKind
from aurum.storage.testing.curves import BY
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

KEY = "power:DE:base:EEX"
HEADER = "Identifier;TimeStamp;Begin;End;Open;High;Low;Close;Settlement;Price;ValidationStatus;ChangeComment"
THURSDAY = date(2024, 3, 28)
BY_AUCTION, IN_THE_EVENING = datetime(2024, 3, 30, 11, 57, tzinfo=UTC), datetime(2024, 3, 28, 17, 30, tzinfo=UTC)
"""When the settlement of the Thursday before Easter is known: as the last one of March, or as one that others follow."""


def settlements(month: int, price: str) -> SourceFile:
    """Return the settlements of Thursday, 28 March 2024, of the month that ends on Sunday, and of another."""
    times = "2024-03-28T00:00:00.000+0100;2024-03-01T00:00:00.000+0100;2024-04-01T00:00:00.000+0200"
    later = f"2024-03-28T00:00:00.000+0100;2024-{month:02}-01T00:00:00.000+0200;2024-{month + 1:02}-01T00:00:00.000+0200"
    rows = [f"EEX_POWER_FUT_DE_BASE_M;{one};;;;;{price};;UNVALIDATED;" for one in (times, later)]
    return SourceFile(f"settlements_{month}.csv", "\n".join([HEADER, *rows, ""]).encode())


@pytest.fixture
def ingestion(postgres_store: PostgresStore, tmp_path: Path) -> Ingestion:
    return Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path),
        terms=lambda: reading_terms(postgres_store.curves, postgres_store.mappings),
    )


async def declare(store: PostgresStore) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.declare(default_products())


async def store_sessions(store: PostgresStore, *closed: str) -> None:
    """Store a calendar of the exchange whose only closed days of 2024 are some."""
    document = {
        "name": "XEEE",
        "title": "Ours",
        "first": "2024-01-01",
        "last": "2024-12-31",
        "closed": {"2024": " ".join(closed)},
    }
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_reference(ReferenceKind.SESSIONS, "XEEE", document, tenant=None, version=None, by="op")


async def loaded(ingestion: Ingestion, file: SourceFile, *, force: bool = False) -> FileReport:
    report = await ingestion.ingest(file, force=force)
    assert (report.outcome, report.quarantined) == (FileOutcome.APPLIED, 0), report.reason
    return report


async def known_times(store: PostgresStore) -> Mapping[date, datetime]:
    """Return the known times of Thursday's quotes by the begin of their delivery."""
    product = await store.curves.product(KEY, tenant=None)
    frame = await store.curves.quotes([product.curve_id], QuoteSpan(first=THURSDAY, last=THURSDAY))
    return dict(frame.select("delivery_start", "known_at").rows())


@pytest.mark.parametrize(
    ("closed", "known_at"),
    [((), IN_THE_EVENING), (("03-29",), BY_AUCTION), (("03-29", "04-01"), BY_AUCTION)],
    ids=["open-on-good-friday", "closed-on-good-friday", "closed-over-easter"],
)
async def test_a_final_settlement_is_dated_by_the_sessions_that_an_administrator_stored(
    postgres_store: PostgresStore, ingestion: Ingestion, closed: tuple[str, ...], known_at: datetime
) -> None:
    await declare(postgres_store)
    await store_sessions(postgres_store, *closed)
    await loaded(ingestion, settlements(5, "60,00"))
    assert await known_times(postgres_store) == {date(2024, 3, 1): known_at, date(2024, 5, 1): IN_THE_EVENING}


async def test_an_edit_after_a_load_moves_no_stored_quote_and_dates_the_next_file(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    await declare(postgres_store)
    await loaded(ingestion, settlements(5, "60,00"))
    before = await known_times(postgres_store)
    assert before[date(2024, 3, 1)] == BY_AUCTION, "Good Friday is closed in the shipped calendar"
    await store_sessions(postgres_store)
    assert await known_times(postgres_store) == before
    again = await loaded(ingestion, settlements(5, "60,00"), force=True)
    assert (again.new, again.revised) == (0, 0)
    assert await known_times(postgres_store) == before
    await loaded(ingestion, settlements(6, "60,00"))
    assert await known_times(postgres_store) == {**before, date(2024, 6, 1): IN_THE_EVENING}
