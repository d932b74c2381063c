"""Restatement: history that was loaded as known now gets the times of the publication rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from aurum.common.contracts import contracts_directory
from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.frequency import Frequency
from aurum.core.publication import OnDay, PublicationRule
from aurum.pipelines.loading.known_time import KnownAtChoice, KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, Ingestion
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.suites import read_suites
from aurum.pipelines.registry import default_registry
from aurum.pipelines.restatement import NoRule, Restatement, Step, dataset_to_restate
from aurum.pipelines.source import Dataset, SourceFile
from aurum.storage.ports.access import Actor
from aurum.storage.testing.builders import KEY, day, file_load, hour
from aurum.storage.testing.stores import PostgresStore, series_named

pytestmark = pytest.mark.needs_postgres

HEADER = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)\n"
NYC = "nyiso:damlbmp_zone:61761:lmp"
NOW = KnownAtPolicy(KnownAtChoice.NOW)


@pytest.fixture
def ingestion(postgres_store: PostgresStore, tmp_path: Path) -> Ingestion:
    return Ingestion(
        registry=default_registry(),
        suites=read_suites(contracts_directory(None) / "expectations"),
        loader=postgres_store.loader,
        raw_files=RawFiles(tmp_path / "kept"),
    )


def prices(first: float, second: float) -> SourceFile:
    rows = (f'"11/05/2025 0{hour}:00","N.Y.C.",61761,{price},1.0,0.0\n' for hour, price in enumerate((first, second)))
    return SourceFile("20251105damlbmp_zone.csv", (HEADER + "".join(rows)).encode())


def restatement(store: PostgresStore, dataset: Dataset) -> Restatement:
    return Restatement(store.catalog, store.reader, store.transactions, dataset, Actor("tester"))


async def restate(store: PostgresStore, dataset: Dataset, *, dry_run: bool = False) -> list[Step]:
    return [step async for step in restatement(store, dataset).run(dry_run=dry_run)]


async def known_times(store: PostgresStore, key: str = NYC) -> list[datetime]:
    series = await series_named(store, key)
    return (await store.reader.revisions(series.series_id, span=Span()))["known_at"].to_list()


async def test_history_that_was_loaded_as_known_now_is_known_since_its_usual_publication(
    ingestion: Ingestion, postgres_store: PostgresStore
) -> None:
    dataset = dataset_to_restate(default_registry(), "nyiso", "damlbmp_zone")
    assert (await ingestion.ingest(prices(40.0, 41.0), known_at=NOW)).outcome is FileOutcome.APPLIED
    await ingestion.ingest(prices(40.0, 45.0), known_at=NOW)
    series = await series_named(postgres_store, NYC)
    usual = datetime(2025, 11, 4, 16, tzinfo=UTC)
    before = await known_times(postgres_store)
    assert min(before) > usual + timedelta(days=1)

    (planned,) = await restate(postgres_store, dataset, dry_run=True)
    assert await known_times(postgres_store) == before
    (step,) = await restate(postgres_store, dataset)
    assert step == planned
    assert (step.earliest, step.latest) == (usual, usual)
    # The correction of the second hour keeps its time.
    assert await known_times(postgres_store) == [usual, usual, before[2]]
    known = await postgres_store.reader.observations(series.series_id, span=Span(), as_of=usual)
    assert known["value"].to_list() == [40.0, 41.0]
    assert (await series_named(postgres_store, NYC)).version > series.version

    assert await restate(postgres_store, dataset) == []
    audit = await postgres_store.audit.page(before=None, limit=5)
    assert [entry.action for entry in audit] == ["known-at.restate"]


async def test_published_and_stated_times_stay(ingestion: Ingestion, postgres_store: PostgresStore) -> None:
    dataset = dataset_to_restate(default_registry(), "nyiso", "damlbmp_zone")
    await ingestion.ingest(prices(40.0, 41.0), known_at=KnownAtPolicy.parse("2025-12-01T00:00:00Z"))
    assert await restate(postgres_store, dataset) == []


def invented(rule: PublicationRule, *, is_forecast: bool = False) -> Dataset:
    return Dataset(
        source="invented",
        name="numbers",
        title="Invented",
        zone="UTC",
        frequency=Frequency.HOUR,
        measures=(),
        rules=(rule,),
        is_forecast=is_forecast,
    )


async def test_issues_move_to_their_own_times_whatever_the_order_in_which_they_were_taken_in(
    postgres_store: PostgresStore,
) -> None:
    dataset = invented(PublicationRule(OnDay(0, time(0, 30), "UTC"), "invented", per_issue=True), is_forecast=True)
    later: Sequence[tuple[float, None, float]] = [(24, None, 2.0), (25, None, 5.0)]
    first: Sequence[tuple[float, None, float]] = [(0, None, 1.0), (24, None, 1.0), (25, None, 5.0)]
    for points in (later, first):
        await postgres_store.loader.load(file_load(points, basis=KnownAtBasis.INGESTED, is_forecast=True))
    await restate(postgres_store, dataset)
    expected = [(0, 0), (24, 0), (24, 1), (25, 0)]
    midnight = datetime(2025, 1, 1, 0, 30, tzinfo=UTC)
    assert await known_times(postgres_store, "invented:numbers:A:value") == [
        midnight + timedelta(days=day) for _, day in expected
    ]
    assert await restate(postgres_store, dataset) == []
    async with postgres_store.pool.acquire() as connection:
        rows = await connection.fetch("SELECT known_at, known_at_basis FROM issue ORDER BY known_at")
    assert [tuple(row) for row in rows] == [(midnight, "scheduled"), (midnight + timedelta(days=1), "scheduled")]


async def test_only_the_first_of_several_files_of_an_issue_moves(postgres_store: PostgresStore) -> None:
    dataset = invented(PublicationRule(OnDay(0, time(0, 30), "UTC"), "invented", per_issue=True), is_forecast=True)
    usual = datetime(2025, 1, 1, 0, 30, tzinfo=UTC)
    for value in (100.0, 90.0):
        file = file_load([(0, None, value), (9_000, None, 5.0)], basis=KnownAtBasis.INGESTED, is_forecast=True, issue_at=usual)
        await postgres_store.loader.load(file)
    before = await known_times(postgres_store, KEY)
    await restate(postgres_store, dataset)
    assert await restate(postgres_store, dataset) == []
    assert await known_times(postgres_store, KEY) == [usual, before[1], usual]
    series = await series_named(postgres_store, KEY)
    assert (await postgres_store.reader.observations(series.series_id, span=Span()))["value"].to_list() == [90.0, 5.0]
    async with postgres_store.pool.acquire() as connection:
        rows = await connection.fetch("SELECT known_at, first_ts, last_ts FROM issue ORDER BY known_at")
    assert [tuple(row) for row in rows] == [(usual, hour(0), hour(9_000)), (before[1], hour(0), hour(9_000))]


async def test_an_issue_that_is_dated_already_leaves_its_corrections_alone(postgres_store: PostgresStore) -> None:
    dataset = invented(PublicationRule(OnDay(0, time(0, 30), "UTC"), "invented", per_issue=True), is_forecast=True)
    usual = datetime(2025, 1, 1, 0, 30, tzinfo=UTC)
    stated = file_load([(0, None, 1.0)], known_at=usual, is_forecast=True, issue_at=usual)
    await postgres_store.loader.load(stated)
    await postgres_store.loader.load(file_load([(0, None, 2.0)], basis=KnownAtBasis.INGESTED, is_forecast=True, issue_at=usual))
    assert await restate(postgres_store, dataset) == []


async def test_a_restated_store_answers_like_one_that_was_loaded_by_schedule(
    ingestion: Ingestion, postgres_store: PostgresStore
) -> None:
    dataset = dataset_to_restate(default_registry(), "nyiso", "damlbmp_zone")
    await ingestion.ingest(prices(40.0, 41.0), known_at=NOW)
    await restate(postgres_store, dataset)
    series = await series_named(postgres_store, NYC)
    restated = await postgres_store.reader.revisions(series.series_id, span=Span())
    await ingestion.ingest(prices(40.0, 41.0), known_at=KnownAtPolicy(KnownAtChoice.SCHEDULE), force=True)
    assert_frame_equal(await postgres_store.reader.revisions(series.series_id, span=Span()), restated)


def test_a_dataset_without_a_rule_cannot_be_restated() -> None:
    with pytest.raises(NoRule, match="no publication rule"):
        dataset_to_restate(default_registry(), "pjm", "pjme_hourly")


async def test_the_list_of_issues_loses_none_whose_file_was_not_restated(postgres_store: PostgresStore) -> None:
    await postgres_store.loader.load(file_load([(0, 5, 1.0)], is_forecast=True))
    async with postgres_store.transactions.transaction(by=Actor("tester")) as tx:
        await tx.restater.drop_issues("invented", "numbers", [(day(5), 1)])
    async with postgres_store.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM issue") == 1
