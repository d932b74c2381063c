"""Jobs in processes of their own: what ends a process ends nothing else, and is in the log."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path

import pytest
from trial_log import QUICK, Log, Serve

from aurum.core.jobs.states import JobState
from aurum.storage.testing.waiting import wait_until

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_redis]


async def test_each_of_several_effects_is_made_once_and_progress_is_shown(log: Log, serve: Serve) -> None:
    async with serve():
        done = await log.until(await log.submit("trial.process", key="a", items=3))
    assert (done.state, done.result) == (JobState.SUCCEEDED, {"items": 3})
    assert done.progress is not None
    assert (done.progress.done, done.progress.total, done.progress.note) == (2, 3, "a")
    assert await log.effects() == [("a", 0), ("a", 1), ("a", 2)]


async def test_a_refused_job_is_parked_at_once(log: Log, serve: Serve) -> None:
    async with serve():
        parked = await log.until(await log.submit("trial.refused", key="a"))
    assert (parked.state, parked.reason, parked.attempts) == (JobState.PARKED, "a is refused", 1)
    assert parked.evidence == {"kind": "Invalid"}


@pytest.mark.parametrize(
    ("how", "reason", "evidence"),
    [
        ("abort", "the process of the job was ended by the signal SIGABRT", ("signal", "SIGABRT")),
        ("exit", "the process of the job ended with exit code 7", ("exit_code", 7)),
        ("kill", "the process of the job was ended by the signal SIGKILL", ("signal", "SIGKILL")),
        ("memory", "the limit of AURUM_WORKERS__MEMORY_MIB", ("exit_code", 71)),
        ("loop", "the job takes longer than 2 s", ("signal", "SIGKILL")),
        ("talk nonsense", "the process of the job was ended by the signal SIGKILL", ("signal", "SIGKILL")),
    ],
)
async def test_a_job_that_ends_its_process_is_parked_with_the_evidence_after_three_deaths(
    log: Log, serve: Serve, how: str, reason: str, evidence: tuple[str, object]
) -> None:
    async with serve():
        # The time limit of the other job ends the loop.
        name = "trial.misbehave" if how == "loop" else "trial.misbehave-long"
        parked = await log.until(await log.submit(name, how=how))
        next_one = await log.until(await log.submit("trial.process", key="a"))
    assert (parked.state, parked.deaths, parked.attempts) == (JobState.PARKED, 3, 3)
    assert reason in parked.reason
    assert parked.reason.endswith("it has ended its process 3 times")
    name, value = evidence
    assert parked.evidence[name] == value
    assert "the last words of a job" in str(parked.evidence["error_output"]) or how == "loop"
    assert float(str(parked.evidence["peak_memory_mib"])) > 10
    assert next_one.state is JobState.SUCCEEDED


async def test_processor_time_is_limited(log: Log, serve: Serve) -> None:
    async with serve(workers=QUICK.model_copy(update={"processor_s": 1})):
        parked = await log.until(await log.submit("trial.misbehave-long", how="loop"))
    assert (parked.state, parked.evidence["signal"]) == (JobState.PARKED, "SIGXCPU")
    assert "AURUM_WORKERS__PROCESSOR_S" in parked.reason


async def test_a_ready_job_process_that_ended_is_started_again(log: Log, serve: Serve, tmp_path: Path) -> None:
    async with serve() as service:
        waiting = await log.submit("trial.wait", key="a", signs=str(tmp_path))
        await wait_until((tmp_path / "a.begun").exists)
        before = service.ready.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        done = await log.until(await log.submit("trial.process", key="b"))
        await log.cancel(waiting)
        ended = await log.until(waiting)
        assert service.ready.pid != before
    assert (done.state, ended.state, ended.deaths) == (JobState.SUCCEEDED, JobState.CANCELLED, 0)


async def test_a_job_that_ends_the_ready_job_process_each_time_is_parked(log: Log, serve: Serve) -> None:
    async with serve():
        parked = await log.until(await log.submit("trial.end-server", how="end server"))
    assert (parked.state, parked.attempts) == (JobState.PARKED, 2)
    assert parked.reason == "the ready job process ended while the job ran; it was the last of 2 attempts"


@pytest.mark.parametrize("name", ["trial.wait", "trial.ignore"])
async def test_a_cancelled_process_is_told_then_killed_and_its_transaction_rolled_back(
    log: Log, serve: Serve, tmp_path: Path, name: str
) -> None:
    async with serve():
        job_id = await log.submit(name, key="a", signs=str(tmp_path))
        await wait_until((tmp_path / "a.begun").exists)
        await log.cancel(job_id)
        cancelled = await log.until(job_id)
        process = int((tmp_path / "a.begun").read_text())
        await wait_until(lambda: not Path(f"/proc/{process}").exists())
    assert (cancelled.state, cancelled.reason) == (JobState.CANCELLED, "cancelled while it ran")
    assert await log.effects() == []


async def test_a_worker_that_stops_leaves_its_jobs_time_to_end(log: Log, serve: Serve) -> None:
    async with serve(workers=QUICK.model_copy(update={"grace_s": 120.0})):
        job_id = await log.submit("trial.process", key="a", items=3, takes_s=0.1)
        await log.until(job_id, JobState.RUNNING)
    assert (await log.store.jobs.job(job_id)).state is JobState.SUCCEEDED
    assert len(await log.effects()) == 3


async def test_jobs_that_exclude_each_other_run_one_after_the_other(log: Log, serve: Serve) -> None:
    ids = [await log.submit("trial.exclusive", key="a") for _ in range(3)]
    async with serve(workers=QUICK.model_copy(update={"sweep_s": 60.0})):
        times = [await log.until(job_id) for job_id in ids]
    spans = sorted((job.started_at, job.ended_at) for job in times if job.started_at and job.ended_at)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))


async def test_a_child_ends_with_its_worker(log: Log, serve: Serve, tmp_path: Path) -> None:
    async with serve():
        await log.submit("trial.ignore", key="a", signs=str(tmp_path))
        await wait_until((tmp_path / "a.begun").exists)
    process = int((tmp_path / "a.begun").read_text())
    await wait_until(lambda: not Path(f"/proc/{process}").exists())
