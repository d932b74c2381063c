"""Jobs on the event loop of the worker: their effects, failures and ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from trial_log import LIGHT, Log, Serve

from aurum.core.jobs.states import JobState, Queue
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import NewJob
from aurum.storage.testing.waiting import wait_until

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_redis]


async def test_an_effect_commits_together_with_the_success(log: Log, serve: Serve) -> None:
    async with serve(workers=LIGHT):
        done = await log.until(await log.submit("trial.light", key="a"))
    assert (done.state, done.result, done.attempts) == (JobState.SUCCEEDED, {"key": "a"}, 1)
    assert await log.effects() == [("a", 0)]


async def test_a_job_that_may_succeed_later_is_tried_again(log: Log, serve: Serve) -> None:
    async with serve(workers=LIGHT):
        done = await log.until(await log.submit("trial.light", key="a", failures=2))
    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 3)
    assert await log.effects() == [("a", 0)]


async def test_a_payload_that_fits_no_definition_parks_the_job_with_the_reason(log: Log, serve: Serve) -> None:
    async with serve():
        for name in ("trial.light", "trial.process"):
            parked = await log.until(await log.submit(name, clef="a"))
            assert parked.state is JobState.PARKED
            assert "payload.key: Field required" in parked.reason


async def test_a_job_of_an_unknown_definition_is_parked_and_nothing_else_waits_for_it(log: Log, serve: Serve) -> None:
    unknown = await log.submit("trial.process", key="a")
    async with serve(workers=LIGHT.model_copy(update={"unknown_s": 0.0}), only=["trial.light"]):
        assert (await log.until(await log.submit("trial.light", key="b"))).state is JobState.SUCCEEDED
        parked = await log.until(unknown)
    assert parked.state is JobState.PARKED
    assert "trial.process" in parked.reason


async def test_many_jobs_are_claimed_and_recorded_in_few_commits(log: Log, serve: Serve) -> None:
    new = [NewJob("trial.nothing", {}, Queue.INTERACTIVE) for _ in range(300)]
    async with log.store.transactions.transaction(by=Actor("test")) as tx:
        ids = await tx.jobs.submit(new)
    before = await commits(log)
    async with serve(workers=LIGHT):
        for job_id in ids:
            assert (await log.until(job_id)).state is JobState.SUCCEEDED
        written = await commits(log) - before
    assert written < 150


async def commits(log: Log) -> int:
    """Return the number of transactions that have written something: reads have no number."""
    async with log.store.pool.begin() as connection:
        return int(await connection.fetchval("SELECT pg_current_xact_id()::text::bigint"))


async def test_a_cancelled_job_is_rolled_back(log: Log, serve: Serve, tmp_path: Path) -> None:
    async with serve(workers=LIGHT):
        waiting = await log.submit("trial.light-wait", key="a", signs=str(tmp_path))
        await wait_until((tmp_path / "a.begun").exists)
        await log.cancel(waiting)
        cancelled = await log.until(waiting)
    assert (cancelled.state, cancelled.reason) == (JobState.CANCELLED, "cancelled while it ran")
    assert await log.effects() == []


async def test_a_worker_that_stops_hands_its_jobs_back(log: Log, serve: Serve, tmp_path: Path) -> None:
    light = await log.submit("trial.light-wait", key="a", signs=str(tmp_path))
    process = await log.submit("trial.wait", key="b", signs=str(tmp_path))
    async with serve():
        for key in ("a", "b"):
            await wait_until((tmp_path / f"{key}.begun").exists)
    for job_id in (light, process):
        back = await log.store.jobs.job(job_id)
        assert (back.state, back.attempts, back.reason) == (JobState.QUEUED, 0, "the worker was stopped")
    assert await log.store.jobs.workers() == []


async def test_a_light_job_whose_worker_vanished_runs_again_alone(log: Log, serve: Serve) -> None:
    job_id = await log.submit("trial.light", key="a")
    (claim,) = await log.store.worker_log.claim("vanished", Queue.INTERACTIVE, names=["trial.light"], limit=1)
    async with serve(workers=LIGHT) as service:
        await log.vanished("vanished", service)
        done = await log.until(job_id)
    assert (done.state, done.losses, done.attempts) == (JobState.SUCCEEDED, 1, 2)
    async with log.store.pool.acquire() as connection:
        assert await connection.fetchval("SELECT is_alone FROM job WHERE job_id::text = $1", claim.job_id)
    assert await log.effects() == [("a", 0)]
