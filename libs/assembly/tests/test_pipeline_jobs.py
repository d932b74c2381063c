"""The functions of jobs over the pipelines, called as the process of a job does."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aurum.assembly.light_jobs import light_functions
from aurum.assembly.pipeline_jobs import NoSuchFile, PipelineJobs, process_jobs
from aurum.assembly.pipelines import Pipelines
from aurum.assembly.postgres import open_store
from aurum.assembly.services import reading
from aurum.common.settings import DatabaseSettings, DbtSettings, HistorySettings, Settings
from aurum.core.catalog.mapping_kinds import ANY_SCOPE, MappingKind
from aurum.core.jobs.fates import Fate, fate_of
from aurum.pipelines.history.archive import NoHistory
from aurum.pipelines.loading.sample import sample_files
from aurum.pipelines.models.project import project_directory
from aurum.pipelines.models.run import ModelsFailed
from aurum.pipelines.testing.workbook import far_workbook, workbook
from aurum.services.curves import CurveReading
from aurum.services.curves.derived import NewDerived, add_derived
from aurum.services.jobs.definition import Place
from aurum.services.jobs.definitions import (
    ArchiveMonths,
    DbtRun,
    IngestFile,
    LocateNumber,
    Nothing,
    RebuildCurve,
    ReplayFile,
    default_definitions,
)
from aurum.services.jobs.running import JobTransaction, Result
from aurum.services.lineage import PlaceJobs, lineage_of_quote
from aurum.storage.ports.mappings import NewMapping
from aurum.storage.testing.curves import BY, EVERYTHING, add_product, quotes_file

pytestmark = pytest.mark.needs_postgres

SAMPLE = next(path for path in sample_files() if path.name == "20251102damlbmp_zone.csv")


class Attempt:
    """An attempt that remembers its progress."""

    job_id, attempt, tenant, subject = "1", 1, None, "test"

    def __init__(self) -> None:
        self.notes: list[tuple[int, str]] = []

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        del total
        self.notes.append((done, note))

    async def succeed(self, tx: JobTransaction, result: Result = None) -> None:
        raise AssertionError("these jobs have effects of their own")


Opened = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Opened:
    """Open the functions with some changed settings: they have the fields ``jobs``, ``attempt`` and ``counts``."""

    @asynccontextmanager
    async def opening(**changed: object) -> AsyncIterator[Any]:
        settings = Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url)).model_copy(update=changed)
        counts: Counter[tuple[str, str]] = Counter()

        def count(metric: str, label: str, amount: float) -> None:
            counts[metric, label] += int(amount)

        async with open_store(settings) as store:
            yield SimpleNamespace(jobs=PipelineJobs(Pipelines(store), count), attempt=Attempt(), counts=counts, store=store)

    return opening


async def test_each_definition_has_exactly_one_function_where_it_runs(opened: Opened) -> None:
    async with opened() as one:
        functions = {Place.PROCESS: set(one.jobs.functions()), Place.WORKER: set(light_functions(one.store))}
    for place, names in functions.items():
        assert names == {job.name for job in default_definitions().by_name.values() if job.place is place}


async def test_a_process_declares_the_catalog_before_its_first_job(database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url))
    jobs = process_jobs()
    await jobs.prepare(settings)
    async with open_store(settings) as store:
        assert "nyiso" in {source.name for source in await store.catalog.reader.sources()}
    async with jobs.opened(settings, lambda *_: None) as functions:
        assert "ingest.file" in functions


async def test_a_file_is_loaded_once_and_counted(opened: Opened) -> None:
    async with opened() as one:
        first = await one.jobs.ingest_file(IngestFile(path=SAMPLE), one.attempt)
        second = await one.jobs.ingest_file(IngestFile(path=SAMPLE), one.attempt)
    assert first == {"files": {"applied": 1}, "rows": {"new": 300, "revised": 0, "quarantined": 0}}
    assert second is not None
    assert second["files"] == {"already loaded": 1}
    assert one.attempt.notes == [(1, SAMPLE.name)] * 2
    assert one.counts["aurum_ingested_files_total", "applied"] == 1
    assert one.counts["aurum_ingested_rows_total", "new"] == 300


async def test_a_number_is_found_in_a_file_that_was_replayed_from_quarantine(opened: Opened, tmp_path: Path) -> None:
    curve, path = "power:XR:base:REPLAYED", tmp_path / "marks.csv"
    path.write_text(f"trade_date,product,period,settle\n2025-01-07,{curve},Feb-25,40.5\n2025-01-07,{curve},Quartal1-26,41.5\n")
    async with opened() as one:
        await add_product(one.store, curve)
        await one.jobs.ingest_file(IngestFile(path=path), one.attempt)
        async with one.store.transactions.transaction(by=BY) as tx:
            await tx.mappings.add(NewMapping(MappingKind.PERIOD, ANY_SCOPE, "Quartal", "quartal", "Q"), by="test")
        replayed = await one.jobs.replay_file(ReplayFile(digest=hashlib.sha256(path.read_bytes()).hexdigest()), one.attempt)
        assert replayed["rows"] == {"new": 1, "revised": 0, "quarantined": 0}
        lineage = await lineage_of_quote(
            CurveReading(one.store.curves, reading(one.store), None),
            lambda _tenant: one.store.lineage,
            curve,
            "Q1-26",
            trade_date=date(2025, 1, 7),
            now=one.store.clock.now(),
        )
        jobs = PlaceJobs(
            one.store.transactions,
            one.store.jobs,
            one.store.files.log,
            one.store.curves,
            one.store.catalog.mappings,
            BY,
            None,
        )
        (pending, *_) = await jobs.places(lineage, wait_s=0.0)
        (job,) = await one.store.jobs.jobs([pending.job_id])
        result = await one.jobs.locate_number(LocateNumber.model_validate(job.payload), one.attempt)
        one.jobs.pipelines.isolated_files.close()
    assert (lineage.value, lineage.origins[0].role) == (41.5, "brought")
    place = result["places"][0]
    assert (place["state"], place["line"], place["verified"]) == ("located", 3, True)
    assert (place["column"], place["column_number"]) == ("settle", 4)


async def test_jobs_share_the_process_that_starts_readers_of_files(database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url))
    book = tmp_path / "book.xlsx"
    book.write_bytes(workbook({"Sheet1": [["x"]]}))
    jobs = process_jobs()
    (control,) = jobs.shared(settings)
    for _ in range(2):
        async with jobs.opened(settings, lambda *_: None) as functions:
            result = await functions["ingest.file"](IngestFile(path=book), Attempt())
        assert result is not None
        assert result["files"] == {"refused": 1}
        assert jobs.shared(settings) == (control,)


async def test_a_derived_curve_is_rebuilt_where_its_input_was_corrected(opened: Opened) -> None:
    hub, derived = "power:XX:base:INVENTED", "power:XX:base:DERIVED"
    async with opened() as one:
        await add_product(one.store, hub)
        await one.store.files.loader.load(quotes_file([(0, 1, 0, 50.0), (1, 1, 1, 51.0)], key=hub))
        new = NewDerived(derived, {"op": "scale", "curve": hub, "by": 2})
        curve = await add_derived(
            one.store.transactions,
            one.store.derived_curves,
            CurveReading(one.store.curves, reading(one.store), None),
            one.store.files.loader,
            new,
            tenant=None,
            by=BY,
            now=one.store.clock.now(),
        )
        await one.store.files.loader.load(quotes_file([(1, 1, 2, 60.0)], key=hub))
        job = RebuildCurve(derived_id=curve.derived_id)
        result = await one.jobs.rebuild_curve(job, one.attempt)
        assert (result["built"], result["report"]["trade_dates"], result["report"]["revised"]) == (True, 1, 1)
        quotes = await one.store.curves.quotes([curve.curve_id], EVERYTHING)
        before = await one.store.curves.quotes([curve.curve_id], EVERYTHING, as_of=curve.built_at)
        assert (quotes["settle"].to_list(), before["settle"].to_list()) == ([100.0, 120.0], [100.0, 102.0])
        await one.store.files.loader.load(quotes_file([(1, 1, 3, 61.0)], key=hub))
        refreshed = await one.jobs.functions()["curves.refresh"](Nothing(), one.attempt)
        assert refreshed == {"submitted": 0, "waiting": 1, "left": 0}
        gone = await one.jobs.rebuild_curve(RebuildCurve(derived_id="gone"), one.attempt)
        assert gone["built"] is False


async def test_closed_months_are_archived_once(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    async with opened(history=HistorySettings(closed_after_days=1, url=str(folder))) as one:
        await one.jobs.ingest_file(IngestFile(path=SAMPLE), one.attempt)
        archived = [await one.jobs.archive_months(ArchiveMonths(source=source), one.attempt) for source in ("pjm", None, None)]
        assert [result["rows"] for result in archived] == [0, 300, 0]
        assert (folder / "manifest.json").is_file()
        # A later correction brings the months that it changes back to the hot store.
        again = IngestFile(path=SAMPLE, force=True, known_at="2025-11-01T17:00:00Z")
        result = await one.jobs.ingest_file(again, one.attempt)
    assert (result["files"], result["rows"]["new"]) == ({"applied": 1}, 0)


@pytest.mark.parametrize(
    ("history", "setting"),
    [(HistorySettings(tier="none"), "AURUM_HISTORY__TIER"), (HistorySettings(), "AURUM_HISTORY__URL")],
)
async def test_without_a_lasting_history_the_job_is_parked(opened: Opened, history: HistorySettings, setting: str) -> None:
    async with opened(history=history) as one:
        with pytest.raises(NoHistory, match=setting) as caught:
            await one.jobs.archive_months(ArchiveMonths(), one.attempt)
    assert fate_of(caught.value) is Fate.PARK


async def test_a_missing_file_is_not_found(opened: Opened, tmp_path: Path) -> None:
    async with opened() as one:
        with pytest.raises(NoSuchFile) as caught:
            await one.jobs.ingest_file(IngestFile(path=tmp_path / "gone.csv"), one.attempt)
    assert fate_of(caught.value) is Fate.PARK


@pytest.mark.needs_process
async def test_a_workbook_that_crashes_its_reader_is_refused_with_the_reason(opened: Opened, tmp_path: Path) -> None:
    hostile = tmp_path / "DAMLZHBSPP_2025.xlsx"
    hostile.write_bytes(far_workbook())
    async with opened() as one:
        refused = await one.jobs.ingest_file(IngestFile(path=hostile), one.attempt)
    assert refused["files"] == {"refused": 1}
    assert "memory" in refused["refused"][0]


async def test_a_file_with_rows_in_quarantine_is_loaded_again_as_it_was_known(opened: Opened, tmp_path: Path) -> None:
    broken = tmp_path / SAMPLE.name
    broken.write_text(SAMPLE.read_text().replace("52.59", "x"))
    async with opened() as one:
        first = await one.jobs.ingest_file(IngestFile(path=broken, known_at="2025-11-01T12:00:00Z"), one.attempt)
        digest = hashlib.sha256(broken.read_bytes()).hexdigest()
        broken.unlink()
        again = await one.jobs.replay_file(ReplayFile(digest=digest), one.attempt)
        nothing = await one.jobs.replay_file(ReplayFile(digest="0" * 64), one.attempt)
    assert first["rows"]["quarantined"] == 1
    assert again["rows"] == {"new": 0, "revised": 0, "quarantined": 1}, "the same bytes, the same check"
    assert nothing["files"] == {}


@pytest.fixture
def tiny_project(tmp_path: Path) -> Path:
    """An empty dbt project with the profiles of Aurum's project."""
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("{name: tiny, version: '1.0', config-version: 2, profile: aurum}")
    (folder / "profiles.yml").write_text((project_directory(None) / "profiles.yml").read_text())
    return folder


@pytest.mark.needs_process
async def test_models_are_built_by_a_job_and_one_that_fails_is_parked(opened: Opened, tiny_project: Path) -> None:
    (tiny_project / "models" / "good.sql").write_text("select 1 as x")
    (tiny_project / "models" / "bad.sql").write_text("select nothing_there")
    async with opened(dbt=DbtSettings(project_dir=tiny_project)) as one:
        built = await one.jobs.run_dbt(DbtRun(verb="run", select=("good",)), one.attempt)
        assert built["command"] == "run --select=good"
        with pytest.raises(ModelsFailed, match="model bad failed") as failure:
            await one.jobs.run_dbt(DbtRun(verb="run"), one.attempt)
    assert fate_of(failure.value) is Fate.PARK
