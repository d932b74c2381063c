"""``aurum jobs`` and ``aurum ingest --queue``, on a real store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from aurum.cli import ingest, jobs
from aurum.cli.exit_codes import UNAVAILABLE, USAGE, exit_code
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import AurumError, InvalidParameters, UnknownName
from aurum.core.jobs.states import JobState, Queue
from aurum.services.jobs.definitions import default_definitions
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import JobFilter, JobHasEnded, JobNotParked, NewJob, Outcome, Progress, UnknownJob
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

FETCH = {"source": "nyiso", "dataset": "damlbmp_zone", "day": "2025-11-02"}
UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database=DatabaseSettings(url=database_url, pool_size=2))


async def run(settings: Settings, *arguments: str, app: typer.Typer = jobs.app) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), obj=settings)


async def data(settings: Settings, *arguments: str) -> Any:
    result = await run(settings, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["data"]


async def queued(store: PostgresStore) -> str:
    async with store.transactions.transaction(by=Actor("test")) as tx:
        (job_id,) = await tx.jobs.submit([NewJob("fetch.day", FETCH, Queue.BULK, subject="test")])
    return job_id


async def begin(store: PostgresStore) -> int:
    await store.worker_log.heartbeat("w", facts={})
    (claim,) = await store.worker_log.claim("w", Queue.BULK, names=["fetch.day"], limit=9)
    return claim.attempt


async def end(store: PostgresStore, job_id: str, attempt: int, state: JobState, reason: str = "") -> None:
    result = {"new": 24} if state is JobState.SUCCEEDED else None
    outcome = Outcome(job_id, attempt, state, result, reason, {"kind": "NotPublished"} if reason else {})
    assert await store.worker_log.finish([outcome]) == [job_id]


async def test_a_job_is_submitted_listed_shown_and_counted(settings: Settings, postgres_store: PostgresStore) -> None:
    submitted = await run(settings, "submit", "fetch.day", json.dumps(FETCH))
    assert submitted.exit_code == 0
    job_id = submitted.output.strip()
    (listed,) = await data(settings, "list", "--state", "queued", "--queue", "bulk", "--name", "fetch.day")
    shown = await data(settings, "show", job_id)
    assert listed == shown
    assert (shown["job_id"], shown["state"], shown["payload"], shown["subject"]) == (job_id, "queued", FETCH, "operator")
    assert {"carried", "exclusive", "key"}.isdisjoint(shown)
    counts = {one["name"]: one["waiting"] for one in await data(settings, "queues")}
    assert counts == {"bulk": 1, "interactive": 0, "maintenance": 0}
    tables = [(await run(settings, *arguments)).output for arguments in (["list"], ["show", job_id], ["queues"])]
    assert all(part in tables[0] for part in (job_id, "fetch.day", "queued", "bulk"))
    assert '"day": "2025-11-02"' in tables[1]
    assert "oldest waits since" in tables[2]
    (record,) = await postgres_store.audit.page(before=None, limit=9)
    assert (record.action, record.target, record.actor) == ("job.create", job_id, "operator")


async def test_definitions_have_their_schemas(settings: Settings) -> None:
    known = default_definitions().by_name
    listed = await data(settings, "definitions")
    assert {one["name"]: one["payload_schema"] for one in listed} == {name: one.schema() for name, one in known.items()}
    assert "fetch.day" in (await run(settings, "definitions")).output


async def test_a_job_is_watched_until_it_has_ended_and_the_exit_code_says_how(
    settings: Settings, postgres_store: PostgresStore
) -> None:
    job_id = await queued(postgres_store)
    watching = asyncio.create_task(run(settings, "watch", job_id))
    attempt = await begin(postgres_store)
    await postgres_store.worker_log.progress(job_id, attempt, Progress(1, 2, "a.csv"))
    await end(postgres_store, job_id, attempt, JobState.SUCCEEDED)
    watched = await watching
    assert (watched.exit_code, '{"new": 24}' in watched.output) == (0, True)
    assert "succeeded, attempt 1" in watched.stdout.splitlines()[-1]

    failing = await queued(postgres_store)
    await end(postgres_store, failing, await begin(postgres_store), JobState.PARKED, "the publisher has no such day")
    watched = await run(settings, "watch", failing)
    assert (watched.exit_code, "the publisher has no such day" in watched.output) == (1, True)
    document = json.loads((await run(settings, "watch", failing, "--json")).stdout)["data"]
    assert (document["state"], document["evidence"]) == ("parked", {"kind": "NotPublished"})


async def test_submit_can_watch_its_job(settings: Settings, postgres_store: PostgresStore) -> None:
    submitting = asyncio.create_task(run(settings, "submit", "fetch.day", json.dumps(FETCH), "--watch", "--json"))

    async def is_there() -> bool:
        return bool((await postgres_store.jobs.counts())[0].waiting)

    await wait_until(is_there, "the job is submitted")
    attempt = await begin(postgres_store)
    (job_id,) = [one.job_id for one in await postgres_store.jobs.page(JobFilter(), limit=9)]
    await end(postgres_store, job_id, attempt, JobState.SUCCEEDED)
    submitted = await submitting
    assert (submitted.exit_code, json.loads(submitted.stdout)["data"]["state"]) == (0, "succeeded")


async def test_jobs_are_cancelled_retried_and_dropped(settings: Settings, postgres_store: PostgresStore) -> None:
    job_id = await queued(postgres_store)
    assert (await run(settings, "cancel", job_id)).stdout == f"{job_id} is cancelled\n"
    assert (await run(settings, "retry", job_id)).stdout == f"{job_id} is queued again\n"
    attempt = await begin(postgres_store)
    assert (await run(settings, "cancel", job_id)).stdout == f"{job_id} is being cancelled: its worker ends it\n"
    await end(postgres_store, job_id, attempt, JobState.PARKED, "no such day")
    await run(settings, "retry", job_id)
    await end(postgres_store, job_id, await begin(postgres_store), JobState.PARKED, "no such day")
    assert (await run(settings, "drop", job_id)).stdout == f"{job_id} is dropped\n"
    actions = [one.action for one in await postgres_store.audit.page(before=None, limit=9)]
    assert actions == ["job.drop", "job.retry", "job.cancel", "job.retry", "job.cancel"]


async def test_what_cannot_be_done_is_said_with_its_exit_code(settings: Settings, postgres_store: PostgresStore) -> None:
    job_id = await queued(postgres_store)
    ended = await queued(postgres_store)
    await run(settings, "cancel", ended)
    cases: list[tuple[list[str], type[AurumError], int]] = [
        (["show", UNKNOWN], UnknownJob, USAGE),
        (["watch", "no id"], UnknownJob, USAGE),
        (["cancel", ended], JobHasEnded, UNAVAILABLE),
        (["retry", job_id], JobNotParked, UNAVAILABLE),
        (["drop", job_id], JobNotParked, UNAVAILABLE),
        (["list", "--state", "lost"], InvalidParameters, USAGE),
        (["list", "--queue", "ingest"], InvalidParameters, USAGE),
        (["submit", "fetch.dya"], InvalidParameters, USAGE),
        (["submit", "fetch.day"], InvalidParameters, USAGE),
        (["submit", "fetch.day", "day=2025-11-02"], InvalidParameters, USAGE),
        (["submit", "fetch.day", "[]"], InvalidParameters, USAGE),
        (["submit", "fetch.day", json.dumps(FETCH), "--tenant", "nobody-here"], UnknownName, USAGE),
    ]
    for arguments, error, code in cases:
        result = await run(settings, *arguments)
        assert isinstance(result.exception, AurumError), (arguments, result.output)
        assert (type(result.exception), exit_code(result.exception)) == (error, code), arguments


async def test_files_are_queued_in_one_transaction_with_one_record(
    settings: Settings, postgres_store: PostgresStore, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    paths = [folder / f"{number}.csv" for number in range(3)]
    for path in paths:
        path.write_text("x")
    app = typer.Typer()
    app.command("other")(lambda: None)
    ingest.register(app)
    result = await run(settings, "ingest", "--queue", "--force", str(folder), "--json", app=app)
    assert result.exit_code == 0, result.output
    submitted = json.loads(result.stdout)["data"]
    stored = [await postgres_store.jobs.job(one["job_id"]) for one in submitted]
    assert [(one.name, one.payload["path"], one.payload["force"]) for one in stored] == [
        ("ingest.file", str(path), True) for path in paths
    ]
    (record,) = await postgres_store.audit.page(before=None, limit=9)
    assert (record.action, record.target, record.detail["count"]) == ("job.create", "ingest.file", 3)
