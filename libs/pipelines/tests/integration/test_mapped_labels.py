"""Labels that drifted: kept and listed, and loaded again once an administrator has mapped them; by child processes, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from aurum.common.contracts import contracts_directory
from aurum.common.settings.files import FilesSettings
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.product_documents import default_products
from aurum.core.curves.reading_terms import ReadingTerms
from aurum.core.errors import Conflict
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.loading.replay import replay
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.testing.broker_workbook import MID, price_sheet
from aurum.pipelines.testing.workbook import workbook
from aurum.services.catalog.mappings import add_mapping
from aurum.services.catalog.reading_terms import reading_terms
from aurum.services.catalog.unknown_labels import unknown_labels
from aurum.storage.ports.curves import QuoteSpan, ReferenceKind
from aurum.storage.ports.derived_curves import REBUILD, DerivedInput, NewDerivedCurve
from aurum.storage.ports.jobs import JobFilter
from aurum.storage.ports.mappings import NewMapping
from aurum.storage.testing.curves import BY
from aurum.storage.testing.stores import PostgresStore

pytestmark = pytest.mark.needs_postgres

OCT, CAL, SUMMER = date(2025, 10, 1), date(2026, 1, 1), date(2026, 4, 1)
BRITISH = ("Grossbritannien", "Grossbritannien", "Strom", "Grundlast")
GAS = ("", "NBP Hub", "Gas", "")
SPELLINGS = (
    (MappingKind.AREA, "europe", "grossbritannien", "GB"),
    (MappingKind.PRODUCT, "europe", "strom", "power"),
    (MappingKind.BLOCK, "europe", "grundlast", "base"),
    (MappingKind.LOCATION, "europe", "nbp hub", "NBP"),
    (MappingKind.PERIOD, "*", "kal", "Cal"),
)
NAME = "EOD_RP_20250917_1430.xlsx"


@pytest.fixture(scope="module")
def isolated() -> Iterator[IsolatedFiles]:
    files = IsolatedFiles(FilesSettings(), expectations=contracts_directory(None) / "expectations")
    yield files
    files.close()


@pytest.fixture
def raw_files(tmp_path: Path) -> RawFiles:
    return RawFiles(tmp_path)


Make = Callable[[Callable[[], Awaitable[ReadingTerms]]], Ingestion]


@pytest.fixture
def make(postgres_store: PostgresStore, isolated: IsolatedFiles, raw_files: RawFiles) -> Make:
    """Make a loader of files by its reader of terms."""

    def made(terms: Callable[[], Awaitable[ReadingTerms]]) -> Ingestion:
        return Ingestion(
            registry=default_registry(),
            suites=read_suites(contracts_directory(None) / "expectations"),
            loader=postgres_store.loader,
            raw_files=raw_files,
            isolated=isolated,
            terms=terms,
        )

    return made


@pytest.fixture
def ingestion(postgres_store: PostgresStore, make: Make) -> Ingestion:
    return make(lambda: stored_terms(postgres_store))


async def stored_terms(store: PostgresStore) -> ReadingTerms:
    return await reading_terms(store.curves, store.mappings)


async def declare(store: PostgresStore) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.declare(default_products())


async def add(store: PostgresStore, *mappings: tuple[MappingKind, str, str, str]) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        for kind, scope, folded, target in mappings:
            await tx.mappings.add(NewMapping(kind, scope, folded, folded, target), by="operator")


async def prices(store: PostgresStore, key: str) -> list[tuple[object, ...]]:
    product = await store.curves.product(key, tenant=None)
    frame = await store.curves.quotes([product.curve_id], QuoteSpan())
    return frame.select("delivery_start", "settle").rows()


def marks(*tenors: tuple[date | str, float]) -> SourceFile:
    rows = [(tenor, [price, price + 1]) for tenor, price in tenors]
    return SourceFile(NAME, workbook({"Marks": price_sheet([BRITISH, GAS], MID, rows)}))


async def test_unknown_labels_are_kept_and_load_once_they_are_mapped(
    postgres_store: PostgresStore, ingestion: Ingestion, raw_files: RawFiles
) -> None:
    await declare(postgres_store)
    first = await ingestion.ingest(marks((OCT, 80.0), ("Kal 26", 82.5)))
    assert (first.outcome, first.new, first.quarantined) == (FileOutcome.APPLIED, 0, 2), first.reason
    labels = await unknown_labels(postgres_store.mappings)
    assert {(one.kind, one.scope, one.label, one.columns, one.file_name) for one in labels} == {
        (MappingKind.AREA, "europe", "Grossbritannien", 1, NAME),
        (MappingKind.LOCATION, "europe", "NBP Hub", 1, NAME),
    }
    remaining: list[set[str]] = []
    for mapping in SPELLINGS:
        await add(postgres_store, mapping)
        async for report in replay(postgres_store.quality, postgres_store.files, raw_files, ingestion):
            assert report.outcome is FileOutcome.APPLIED, report.reason
        remaining.append({one.label for one in await unknown_labels(postgres_store.mappings)})
    assert remaining[:3] == [{"Strom", "NBP Hub"}, {"Grundlast", "NBP Hub"}, {"Kal 26", "NBP Hub"}]
    assert remaining[3:] == [{"Kal 26"}, set()]
    assert await prices(postgres_store, "power:GB:base:RP") == [(OCT, 80.0), (CAL, 82.5)]
    assert await prices(postgres_store, "gas:NBP:base:RP") == [(OCT, 81.0), (CAL, 83.5)]


async def test_a_replay_after_a_mapping_makes_curves_stale_that_read_the_prices(
    postgres_store: PostgresStore, ingestion: Ingestion, raw_files: RawFiles
) -> None:
    await declare(postgres_store)
    power = await postgres_store.curves.product("power:GB:base:RP", tenant=None)
    key = "power:GB:base:DERIVED"
    async with postgres_store.transactions.transaction(by=BY) as tx:
        added = await tx.curve_reference.put_product(replace(power.product, key=CurveKey.parse(key)), tenant=None)
        inputs = (DerivedInput(power.curve_id, str(power.product.key)),)
        await tx.derived_curves.add(NewDerivedCurve("derived", key, None, added.curve_id, {}, None, inputs, "test"))
    await ingestion.ingest(marks((OCT, 80.0)))
    await add(postgres_store, *SPELLINGS)
    assert (await postgres_store.derived_curves.curve("derived", tenant=None)).changes == (), "nothing has been read with it"
    reports = [one async for one in replay(postgres_store.quality, postgres_store.files, raw_files, ingestion)]
    assert [one.new for one in reports] == [2]
    (change,) = (await postgres_store.derived_curves.curve("derived", tenant=None)).changes
    assert change.curve_id == power.curve_id
    (job,) = await postgres_store.jobs.page(JobFilter(name=REBUILD), limit=10)
    assert job.payload["derived_id"] == "derived"


async def test_the_unit_that_a_broker_states_is_converted_to_that_of_the_product(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    await declare(postgres_store)
    await add(postgres_store, *SPELLINGS, (MappingKind.QUOTED_UNIT, "RP", "gas:NBP", "GBP/therm"))
    report = await ingestion.ingest(marks((OCT, 0.5)))
    assert (report.outcome, report.quarantined) == (FileOutcome.APPLIED, 0), report.reason
    assert await prices(postgres_store, "gas:NBP:base:RP") == [(OCT, pytest.approx(150.0))]
    assert await prices(postgres_store, "power:GB:base:RP") == [(OCT, 0.5)]


async def test_a_file_that_was_read_before_its_unit_was_mapped_is_refused_and_loads_again(
    postgres_store: PostgresStore, ingestion: Ingestion, make: Make
) -> None:
    await declare(postgres_store)
    await add(postgres_store, *SPELLINGS)

    async def overtaken() -> ReadingTerms:
        terms = await stored_terms(postgres_store)
        await add_mapping(
            postgres_store.transactions, MappingKind.QUOTED_UNIT, spelling="gas:NBP", target="GBP/therm", scope="RP", by=BY
        )
        return terms

    report = await make(overtaken).ingest(marks((OCT, 0.5)))
    assert report.outcome is FileOutcome.REFUSED
    assert "the terms of gas:NBP:base:RP changed while the file was read: load it again" in report.reason
    report = await ingestion.ingest(marks((OCT, 0.5)))
    assert report.outcome is FileOutcome.APPLIED, report.reason
    assert await prices(postgres_store, "gas:NBP:base:RP") == [(OCT, pytest.approx(150.0))]


async def test_a_file_is_read_with_the_seasons_that_an_administrator_stored(
    postgres_store: PostgresStore, ingestion: Ingestion
) -> None:
    await declare(postgres_store)
    await add(postgres_store, *SPELLINGS)
    seasons = {
        "name": "europe",
        "title": "Shifted",
        "seasons": [{"name": "Sum", "aliases": ["Summer"], "first_month": 5, "months": 4}],
    }
    async with postgres_store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_reference(ReferenceKind.SEASONS, "europe", seasons, tenant=None, version=None, by="op")
    report = await ingestion.ingest(marks(("Summer 2026", 70.0)))
    assert (report.outcome, report.quarantined) == (FileOutcome.APPLIED, 0), report.reason
    assert await prices(postgres_store, "power:GB:base:RP") == [(date(2026, 5, 1), 70.0)]


async def test_a_spelling_is_mapped_once(postgres_store: PostgresStore) -> None:
    await add(postgres_store, SPELLINGS[0])
    with pytest.raises(Conflict, match="has a mapping already"):
        await add(postgres_store, SPELLINGS[0])
