"""Workers, connections and servers that vanish: their jobs go on, and none is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog
from trial_log import QUICK, Log, Serve

from aurum.core.jobs.states import JobState, Queue
from aurum.storage.testing.waiting import wait_until

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_redis]


async def test_jobs_of_a_worker_that_vanished_run_again(log: Log, serve: Serve) -> None:
    job_id = await log.submit("trial.process", key="a")
    await log.store.worker_log.heartbeat("vanished", facts={})
    (lost,) = await log.store.worker_log.claim("vanished", Queue.BULK, names=["trial.process"], limit=1)
    async with serve() as service:
        await log.vanished("vanished", service)
        done = await log.until(job_id)
    assert (done.state, done.losses, done.attempts) == (JobState.SUCCEEDED, 1, lost.attempts + 1)
    assert await log.store.jobs.workers() == []


async def test_a_claim_whose_answer_was_lost_is_handed_back(log: Log, serve: Serve) -> None:
    job_id = await log.submit("trial.process", key="a")
    with structlog.testing.capture_logs() as lines:
        async with serve(workers=QUICK.model_copy(update={"bulk_places": 0})) as service:
            # The worker does not learn of this claim, as when the connection breaks before the answer.
            await log.store.worker_log.claim(service.worker, Queue.BULK, names=["trial.process"], limit=1)
            back = await log.until(job_id, JobState.QUEUED)
    assert (back.attempts, back.reason) == (0, "the answer to the claim was lost")
    assert [line["jobs"] for line in lines if line["event"].startswith("claims whose answer was lost")] == [1]


async def test_connections_that_break_cost_no_job(log: Log, serve: Serve) -> None:
    ids: list[str] = []
    with structlog.testing.capture_logs() as lines:
        async with serve() as service:
            for number in range(5):
                ids.append(await log.submit("trial.light", key=f"l{number}"))
                ids.append(await log.submit("trial.process", key=f"p{number}"))
                async with log.store.pool.acquire() as connection:
                    await connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                    )
            for job_id in ids:
                assert (await log.until(job_id)).state is JobState.SUCCEEDED
            assert service.live()[1] == {"status": "live"}
    wanted = [(f"{kind}{number}", 0) for kind in "lp" for number in range(5)]
    assert await log.effects() == wanted
    assert not [line for line in lines if line["log_level"] == "critical"]


async def test_an_attempt_that_was_handed_to_another_worker_makes_no_effect(log: Log, serve: Serve, tmp_path: Path) -> None:
    async with serve():
        job_id = await log.submit("trial.held", key="a", signs=str(tmp_path))
        await wait_until((tmp_path / "a.begun").exists)
        async with log.store.pool.acquire() as connection:
            await connection.execute("UPDATE job SET worker = 'another', attempt = attempt + 1 WHERE job_id::text = $1", job_id)
        (tmp_path / "a.go").touch()
        process = Path("/proc") / (tmp_path / "a.begun").read_text()
        await wait_until(lambda: not process.exists())
        after = await log.until(await log.submit("trial.process", key="b"))
    assert after.state is JobState.SUCCEEDED
    assert await log.effects() == [("b", 0)]
    assert (await log.store.jobs.job(job_id)).state is JobState.RUNNING
