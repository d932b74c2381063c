"""Jobs, called directly and through a real queue."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import dramatiq
import pytest
import pytest_asyncio
from dramatiq.threading import raise_thread_exception

from aurum.assembly.pipelines import Pipelines
from aurum.assembly.postgres import open_store
from aurum.common.contracts import contracts_directory
from aurum.common.settings import DatabaseSettings, DbtSettings, HistorySettings, RedisSettings, Settings
from aurum.core.errors import Invalid, NotFound, Unavailable
from aurum.pipelines.history.archive import NoHistory
from aurum.pipelines.jobs import INGEST_QUEUE, JOBS, FetchDay, IngestFile, JobQueue, QueueUnavailable
from aurum.pipelines.loading.load import FileOutcome
from aurum.pipelines.loading.sample import sample_files
from aurum.pipelines.models.project import project_directory
from aurum.pipelines.models.run import ModelsFailed
from aurum.pipelines.testing.workbook import far_workbook
from aurum.storage.ports.files import FileFilter
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until
from aurum.workers.broker import make_broker
from aurum.workers.fates import MOST_TRIES, JobFate, fate_of, should_retry, wait_ms
from aurum.workers.jobs.archive import ArchiveJob
from aurum.workers.jobs.dbt import DbtJob
from aurum.workers.jobs.ingest import IngestJob, NoSuchFile
from aurum.workers.jobs.payload import InvalidPayload
from aurum.workers.jobs.replay import ReplayJob
from aurum.workers.loop import JobLoop, WorkerStops
from aurum.workers.wiring import WorkerContext, worker_context

SAMPLE = next(path for path in sample_files() if path.name == "20251102damlbmp_zone.csv")


@pytest.fixture
def settings(database_url: str, queue_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url), redis=RedisSettings(url=queue_url))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Pipelines]:
    """Yield the pipelines of a worker, on the event loop of the test."""
    async with open_store(settings) as store:
        yield Pipelines(store)


@pytest_asyncio.fixture
async def pipelines(settings: Settings) -> AsyncIterator[Pipelines]:
    async with opened(settings) as pipelines:
        yield pipelines


async def test_a_job_done_twice_does_nothing_twice(pipelines: Pipelines) -> None:
    job = IngestJob(pipelines)
    payload = {"path": str(SAMPLE)}
    (first,) = await job.run(payload)
    (second,) = await job.run(payload)
    assert (first.outcome, first.new) == (FileOutcome.APPLIED, 300)
    assert second.outcome is FileOutcome.ALREADY_LOADED


async def test_a_payload_of_another_shape_is_invalid(pipelines: Pipelines) -> None:
    with pytest.raises(InvalidPayload):
        await IngestJob(pipelines).run({"pfad": "x"})


async def test_closed_months_are_archived_once(settings: Settings) -> None:
    folder = settings.data_dir / "history"
    history = HistorySettings(closed_after_days=1, url=str(folder))
    async with opened(settings.model_copy(update={"history": history})) as pipelines:
        await IngestJob(pipelines).run({"path": str(SAMPLE)})
        job = ArchiveJob(pipelines)
        assert await job.run({"source": "pjm"}) == []
        (report,) = await job.run({})
        assert (report.source, report.rows, report.left) == ("nyiso", 300, 0)
        assert await job.run({}) == []
        assert (folder / "manifest.json").is_file()
        # A later correction brings the months that it changes back to the hot store.
        (again,) = await IngestJob(pipelines).run({"path": str(SAMPLE), "force": True, "known_at": "2025-11-01T17:00:00Z"})
    assert (again.outcome, again.new) == (FileOutcome.APPLIED, 0)


@pytest.mark.parametrize(
    ("history", "setting"),
    [(HistorySettings(tier="none"), "AURUM_HISTORY__TIER"), (HistorySettings(), "AURUM_HISTORY__URL")],
)
async def test_a_worker_without_a_lasting_history_parks_the_job(
    settings: Settings, history: HistorySettings, setting: str
) -> None:
    async with opened(settings.model_copy(update={"history": history})) as pipelines:
        with pytest.raises(NoHistory, match=setting) as caught:
            await ArchiveJob(pipelines).run({})
    assert fate_of(caught.value) is JobFate.PARK


async def test_a_missing_file_is_not_found(pipelines: Pipelines, tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile):
        await IngestJob(pipelines).run({"path": str(tmp_path / "gone.csv")})


@pytest.mark.needs_process
async def test_a_workbook_that_crashes_its_reader_is_refused_and_the_worker_goes_on(
    pipelines: Pipelines, tmp_path: Path
) -> None:
    hostile = tmp_path / "DAMLZHBSPP_2025.xlsx"
    hostile.write_bytes(far_workbook())
    (refused,) = await IngestJob(pipelines).run({"path": str(hostile)})
    assert refused.outcome is FileOutcome.REFUSED
    assert "memory" in refused.reason
    (next_one,) = await IngestJob(pipelines).run({"path": str(SAMPLE)})
    assert next_one.outcome is FileOutcome.APPLIED


async def test_a_file_with_rows_in_quarantine_is_loaded_again_as_it_was_known(pipelines: Pipelines, tmp_path: Path) -> None:
    broken = tmp_path / SAMPLE.name
    broken.write_text(SAMPLE.read_text().replace("52.59", "x"))
    (first,) = await IngestJob(pipelines).run({"path": str(broken), "known_at": "2025-11-01T12:00:00Z"})
    digest = hashlib.sha256(broken.read_bytes()).hexdigest()
    broken.unlink()
    (again,) = await ReplayJob(pipelines).run({"digest": digest})
    assert (first.quarantined, again.quarantined, again.new, again.revised) == (1, 1, 0, 0), "the same bytes, the same check"
    assert await ReplayJob(pipelines).run({"digest": "0" * 64}) == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Unavailable("x"), JobFate.RETRY),
        (Invalid("x"), JobFate.PARK),
        (NotFound("x"), JobFate.PARK),
        (ZeroDivisionError(), JobFate.PARK),
    ],
)
def test_a_failure_that_may_pass_is_tried_again_and_any_other_is_parked(error: Exception, expected: JobFate) -> None:
    assert fate_of(error) is expected


def test_trying_again_ends() -> None:
    assert should_retry(MOST_TRIES - 1, dramatiq.Retry("x"))
    assert not should_retry(MOST_TRIES, dramatiq.Retry("x"))


def test_a_failure_waits_longer_each_time_and_never_less_than_it_asks_for() -> None:
    assert max(wait_ms(0, Unavailable("x")) for _ in range(50)) <= 2_000
    assert min(wait_ms(20, Unavailable("x")) for _ in range(50)) >= 100_000
    assert wait_ms(0, Unavailable("x", retry_after=400.0)) >= 400_000


@pytest.mark.parametrize("name", sorted(JOBS))
def test_contracts_describe_the_payloads(name: str) -> None:
    document = json.loads((contracts_directory(None) / "events" / f"{name}.json").read_text())
    document.pop("$schema")
    assert document == JOBS[name].model_json_schema()


def test_a_payload_with_an_unknown_member_is_refused() -> None:
    with pytest.raises(ValueError, match="extra"):
        FetchDay.model_validate({"source": "nyiso", "dataset": "pal", "day": "2025-01-01", "hour": 3})


async def test_a_worker_loads_what_was_queued_and_parks_a_poison_message(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    url = settings.redis.url or ""
    with JobQueue(url) as queue:
        queue.put(IngestFile(path=tmp_path / "gone.csv"))
        queue.put(IngestFile(path=SAMPLE))
    settings = settings.model_copy(update={"database": postgres_store.pool.settings})
    with worker_context(settings) as context:
        await _work_until_loaded(context, postgres_store)
    with JobQueue(url) as queue:
        (parked,) = queue.parked()
    assert (parked.name, parked.payload["path"]) == ("ingest.file", str(tmp_path / "gone.csv"))
    assert parked.reason == f"no file {tmp_path / 'gone.csv'}"


async def _work_until_loaded(context: WorkerContext, postgres_store: PostgresStore) -> None:
    broker = make_broker(context)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()

    async def applied() -> bool:
        return bool(await postgres_store.files.files_page(FileFilter(status="applied"), before=None, limit=1))

    await wait_until(applied)
    broker.join(INGEST_QUEUE)
    worker.stop()
    (file,) = await postgres_store.files.files_page(FileFilter(status="applied"), before=None, limit=10)
    assert (file.name, file.new) == (SAMPLE.name, 300)
    broker.close()


async def test_two_jobs_at_once_share_one_pool(settings: Settings, postgres_store: PostgresStore) -> None:
    with worker_context(settings) as context, ThreadPoolExecutor(2) as threads:
        job = IngestJob(context.pipelines)
        paths = [path for path in sample_files() if path.parent.name == "nyiso"][:4]
        reports = list(threads.map(lambda path: context.loop.run(job.run({"path": str(path)})), paths))
        assert all(report.outcome is FileOutcome.APPLIED for (report,) in reports)
        assert context.pipelines.store.probe.use().most == settings.database.pool_size


def test_what_interrupts_a_job_also_ends_its_work(settings: Settings) -> None:
    ended: list[str] = []
    begun = threading.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(20):  # the release of a connection takes more than one turn of the loop
                await asyncio.sleep(0)
            ended.append("ended")

    def run(loop: JobLoop) -> None:
        with pytest.raises(Interrupted):
            loop.run(work())
        assert ended == ["ended"]

    with JobLoop() as loop:
        interrupted = threading.Thread(target=run, args=(loop,))
        interrupted.start()
        begun.wait()
        assert interrupted.ident is not None
        raise_thread_exception(interrupted.ident, Interrupted)
        interrupted.join()
        assert ended == ["ended"]


class Interrupted(BaseException):
    """The exception by which Dramatiq would interrupt a job that takes too long."""


def test_a_queue_that_does_not_answer_names_the_setting_to_check() -> None:
    with pytest.raises(QueueUnavailable, match="AURUM_REDIS__URL"):
        JobQueue("redis://127.0.0.1:1/0").put(IngestFile(path=SAMPLE))


def test_a_queue_that_does_not_answer_tells_operators_the_server_and_the_cause() -> None:
    with pytest.raises(QueueUnavailable) as refused:
        JobQueue("redis://:secret@127.0.0.1:1/0").ping()
    assert refused.value.operator_detail.endswith("(127.0.0.1:1: Connection refused)")
    assert "127.0.0.1" not in refused.value.detail


def test_a_job_needs_an_absolute_path() -> None:
    with pytest.raises(ValueError, match="not absolute"):
        IngestFile(path=Path("folder/file.csv"))


@pytest.fixture
def tiny_project(tmp_path: Path) -> Path:
    """An empty dbt project with the profiles of Aurum's project."""
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("{name: tiny, version: '1.0', config-version: 2, profile: aurum}")
    (folder / "profiles.yml").write_text((project_directory(None) / "profiles.yml").read_text())
    return folder


async def test_models_are_built_by_a_job_and_one_that_fails_is_parked(settings: Settings, tiny_project: Path) -> None:
    (tiny_project / "models" / "good.sql").write_text("select 1 as x")
    (tiny_project / "models" / "bad.sql").write_text("select nothing_there")
    async with opened(settings.model_copy(update={"dbt": DbtSettings(project_dir=tiny_project)})) as pipelines:
        job = DbtJob(pipelines)
        (report,) = await job.run({"verb": "run", "select": ["good"]})
        assert report.run.succeeded
        with pytest.raises(ModelsFailed, match="model bad failed") as failure:
            await job.run({"verb": "run"})
        assert fate_of(failure.value) is JobFate.PARK
        with pytest.raises(InvalidPayload):
            await job.run({"verb": "drop"})


def test_a_job_that_outlives_the_grace_of_its_worker_can_be_done_by_another() -> None:
    begun = threading.Event()
    caught: list[BaseException] = []

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    def run(loop: JobLoop) -> None:
        try:
            loop.run(work())
        except WorkerStops as error:
            caught.append(error)

    with JobLoop() as loop:
        working = threading.Thread(target=run, args=(loop,))
        working.start()
        begun.wait()
        loop.end_jobs()
        working.join()
        with pytest.raises(WorkerStops):
            loop.run(work())
    assert [fate_of(error) for error in caught] == [JobFate.RETRY]
    with pytest.raises(WorkerStops):
        loop.run(work())
