"""Files through all steps of loading, into a real PostgreSQL."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aurum.common.clock import SystemClock
from aurum.common.contracts import contracts_directory
from aurum.common.settings.quality import QualitySettings
from aurum.core.asof import Span
from aurum.core.catalog import Quality
from aurum.core.catalog.entries import KnownAtBasis
from aurum.pipelines.declarations import declare_catalog
from aurum.pipelines.loading.documents import read_source_files
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.loading.sample import sample_files
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.retention import ValidationCleanup
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import SourceFile
from aurum.storage.ports.files import FileFilter
from aurum.storage.ports.quality import CompletenessFilter, QuarantineFilter, ValidationFilter
from aurum.storage.testing.stores import PostgresStore

EXPECTATIONS = contracts_directory(None) / "expectations"
NYC = "nyiso:damlbmp_zone:61761:lmp"
HEADER = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"


@pytest.fixture
def ingestion(postgres_store: PostgresStore, tmp_path: Path) -> Ingestion:
    return Ingestion(
        registry=default_registry(),
        suites=read_suites(EXPECTATIONS),
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path / "kept"),
    )


def prices(*rows: str) -> SourceFile:
    return SourceFile("20251105damlbmp_zone.csv", (HEADER + "".join(f"{row}\n" for row in rows)).encode())


async def values(store: PostgresStore, key: str = NYC) -> list[float]:
    series = (await store.catalog.series_by_key([key]))[key]
    return (await store.reader.observations(series.series_id, span=Span()))["value"].to_list()


def test_every_sample_file_is_recognised_by_exactly_one_format() -> None:
    registry = default_registry()
    for path in sample_files():
        (document,) = read_source_files(path)
        assert isinstance(document, SourceFile)
        registry.recognise(document)


async def test_the_sample_loads_whole_and_a_second_time_does_nothing(
    ingestion: Ingestion, postgres_store: PostgresStore
) -> None:
    await declare_catalog(default_registry(), postgres_store.catalog_writer)
    documents = [document for path in sample_files() for document in read_source_files(path)]
    first = [report async for report in ingestion.ingest_all(documents)]
    assert {report.outcome for report in first} == {FileOutcome.APPLIED}
    assert sum(report.new for report in first) > 20_000
    assert len(await values(postgres_store)) == 25 + 504
    second = [report async for report in ingestion.ingest_all(documents)]
    assert {report.outcome for report in second} == {FileOutcome.ALREADY_LOADED}


async def test_a_forced_reload_changes_nothing(ingestion: Ingestion) -> None:
    document = prices("11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00")
    assert (await ingestion.ingest(document)).new == 4
    again = await ingestion.ingest(document, force=True)
    assert (again.outcome, again.new, again.revised, again.unchanged) == (FileOutcome.APPLIED, 0, 0, 4)


async def test_contradictory_and_impossible_rows_are_held_back_and_the_rest_is_stored(
    ingestion: Ingestion, postgres_store: PostgresStore
) -> None:
    report = await ingestion.ingest(
        prices(
            "11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00",
            "11/05/2025 01:00,N.Y.C.,61761,51.00,2.92,0.00",
            "11/05/2025 01:00,N.Y.C.,61761,99.00,2.92,0.00",
            "11/05/2025 29:00,N.Y.C.,61761,51.00,2.92,0.00",
            "11/05/2025 03:00,N.Y.C.,61761,1e9,2.92,0.00",
            "11/05/2025 04:00,N.Y.C.,61761,40.00,2.92,0.00",
        )
    )
    assert report.outcome is FileOutcome.APPLIED
    assert await values(postgres_store) == [51.52, 40.0]
    held = await postgres_store.quality.quarantine_page(QuarantineFilter(), limit=100)
    assert {(row.line, row.reason) for row in held} >= {
        (3, "duplicate_key"),
        (4, "duplicate_key"),
        (5, "invalid_time"),
        (6, "out_of_bounds"),
    }
    assert all(row.raw for row in held)


async def test_a_full_disk_does_not_fail_a_load(postgres_store: PostgresStore, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"a file in place of the folder, which no file can be written to")
    ingestion = Ingestion(
        registry=default_registry(),
        suites=read_suites(EXPECTATIONS),
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path / "kept"),
    )
    report = await ingestion.ingest(
        prices("11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00", "11/05/2025 29:00,N.Y.C.,61761,51.00,2.92,0.00")
    )
    assert (report.outcome, report.new, report.quarantined) == (FileOutcome.APPLIED, 4, 1)
    assert [notice for notice in report.notices if notice.startswith("its raw file was not stored: ")]


async def test_the_same_rows_known_at_another_time_are_another_publication(
    ingestion: Ingestion, postgres_store: PostgresStore
) -> None:
    document = prices("11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00")
    for text in ("2025-11-04T18:00:00Z", "2025-11-04T17:00:00Z"):
        await ingestion.ingest(document, known_at=KnownAtPolicy.parse(text))
    series = (await postgres_store.catalog.series_by_key([NYC]))[NYC]
    frame = await postgres_store.reader.observations(series.series_id, span=Span())
    assert frame["known_at"][0].hour == 17
    files = await postgres_store.files.files_page(FileFilter(), before=None, limit=10)
    assert {file.known_at_basis for file in files} == {KnownAtBasis.STATED}


async def test_a_refused_file_is_on_record_with_its_reason(ingestion: Ingestion, postgres_store: PostgresStore) -> None:
    report = await ingestion.ingest(SourceFile("x.bin", b"\x00\x01"))
    assert report.outcome is FileOutcome.REFUSED
    (file,) = await postgres_store.files.files_page(FileFilter(status="refused"), before=None, limit=10)
    assert file.reason.startswith("unknown format: binary data")


async def test_completeness_of_a_published_day_is_on_record(ingestion: Ingestion, postgres_store: PostgresStore) -> None:
    await ingestion.ingest(prices(*(f"11/05/2025 {hour:02d}:00,N.Y.C.,61761,40.0,1.0,0.00" for hour in range(20))))
    (day,) = await postgres_store.quality.completeness_page(
        CompletenessFilter(key=NYC, only_incomplete=True), after=None, limit=10
    )
    assert (day.day.isoformat(), day.expected, day.present, day.missing) == ("2025-11-05", 24, 20, 4)


async def test_the_number_of_stored_validations_is_limited_and_a_bad_file_is_not_pushed_out(
    postgres_store: PostgresStore, tmp_path: Path
) -> None:
    log = postgres_store.validations
    ingestion = Ingestion(
        registry=default_registry(),
        suites=read_suites(EXPECTATIONS),
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path / "kept"),
        cleanup=ValidationCleanup(log, QualitySettings(keep_each=2), SystemClock()),
    )
    bad = prices("11/05/2025 00:00,N.Y.C.,61761,99999,2.92,0.00")
    good = [prices(f"11/05/2025 {hour:02d}:00,N.Y.C.,61761,51.52,2.92,0.00") for hour in range(1, 5)]
    reports = [report async for report in ingestion.ingest_all([bad, *good])]
    assert {report.outcome for report in reports} == {FileOutcome.APPLIED}
    recorded = await log.validations_page(ValidationFilter(), before=None, limit=9)
    assert [one.success for one in recorded] == [True, True, False]


async def test_the_checks_of_a_refused_file_are_on_record_with_the_reason_of_the_refusal(
    ingestion: Ingestion, postgres_store: PostgresStore
) -> None:
    await ingestion.ingest(prices("11/05/2025 00:00,N.Y.C.,61761,51.52,2.92,0.00"))
    async with postgres_store.pool.acquire() as connection:
        await connection.execute("UPDATE series SET unit = 'EUR/MWh'")
    report = await ingestion.ingest(prices("11/05/2025 01:00,N.Y.C.,61761,51.52,2.92,0.00"))
    assert report.outcome is FileOutcome.REFUSED
    newest, _ = await postgres_store.validations.validations_page(ValidationFilter(), before=None, limit=9)
    assert (newest.success, newest.failed, newest.reason) == (False, 0, report.reason)


async def test_a_later_vintage_without_a_value_withdraws_it_from_then_on(
    ingestion: Ingestion, postgres_store: PostgresStore
) -> None:
    vintages = [("2001-01-01", "9369.5"), ("2001-07-27", "."), ("2001-09-28", "9260.1")]
    observations = [
        {"realtime_start": start, "date": day, "value": value} for start, value in vintages for day in ("2000-07-01",)
    ]
    observations += [{"realtime_start": "2001-01-01", "date": "2000-04-01", "value": "9318.9"}]
    answer = {"realtime_start": "2001-01-01", "observation_start": "1600-01-01", "observations": observations}
    report = await ingestion.ingest(SourceFile("GDPC1.json", json.dumps(answer).encode()))
    assert (report.outcome, report.quarantined) == (FileOutcome.APPLIED, 0)
    series = (await postgres_store.catalog.series_by_key(["fred:observations:GDPC1:value"])).popitem()[1]

    async def known(as_of: datetime | None) -> list[tuple[float, int]]:
        frame = await postgres_store.reader.observations(series.series_id, span=Span(), as_of=as_of)
        return frame.filter(pl.col("ts") == datetime(2000, 7, 1, tzinfo=UTC)).select("value", "quality").rows()

    assert await known(datetime(2001, 3, 1, tzinfo=UTC)) == [(9369.5, Quality.GOOD)]
    ((value, quality),) = await known(datetime(2001, 8, 1, tzinfo=UTC))
    assert math.isnan(value)
    assert quality == Quality.WITHDRAWN
    assert await known(None) == [(9260.1, Quality.GOOD)]
