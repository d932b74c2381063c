"""Jobs: their rate beside plain Dramatiq in turns, the time to their start, and the memory of a worker at rest.

A light job passes the outbox and the log: it is submitted in a transaction of its own, claimed, run and recorded.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from aurum.common.settings import environment
from aurum.core.jobs.states import Queue
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import NewJob
from aurum.storage.testing.waiting import wait_until
from bench.harness import Figure, limit, side_by_side
from bench.job_worker import LIGHT, PLAIN_ACTOR, PLAIN_QUEUE, PROCESS
from bench.scale import Scale
from bench.servers import ROOT, serving
from bench.stage import Stage

_BY = Actor("bench")
_SUBMITTERS = 8
_LEFT = "SELECT count(*) FROM job WHERE state IN ('queued', 'running')"
_WAITED = "SELECT extract(epoch FROM started_at - submitted_at) FROM job WHERE job_id = ANY ($1::uuid[])"
_POLL_S = 0.01
_REST_S = 3.0
_BETWEEN_S = 0.1


async def measure(stage: Stage, redis: str, scale: Scale) -> list[Figure]:
    """Measure rates in turns, then waits on an idle system, then memory. ``redis``: URL of the server of both sides."""
    light, process = round(1_000 * scale.seconds), round(20 * scale.seconds)
    broker = RedisBroker(url=redis)
    with _worker(stage, redis), _plain(redis):
        await _submitted_and_done(stage, LIGHT, 1)
        await _submitted_and_done(stage, PROCESS, 1)

        async def ours() -> float:
            return await _submitted_and_done(stage, LIGHT, light)

        async def plain() -> float:
            return await asyncio.to_thread(_plain_rate, broker, light)

        rate = await side_by_side(
            "light jobs that do nothing, submitted one by one",
            ours,
            plain,
            unit="jobs/s",
            against="plain Dramatiq",
            rounds=scale.rounds,
            target=0.3,
            stretch=1.0,
        )
        one = [1_000 / rate.ours]
        in_processes = [1_000 / await _submitted_and_done(stage, PROCESS, process) for _ in range(scale.rounds)]
        waits = await _waits(stage, jobs=max(20, 20 * scale.rounds))
    broker.close()
    return [
        rate,
        limit("time of a light job", one, 1_000 / 300, unit="ms", stretch=1.0),
        limit("time of a job in a process of its own", in_processes, 1_000 / 20, unit="ms"),
        limit("submission to start on an idle system, p95", [waits], 100.0, unit="ms"),
        *await _memory(stage, redis),
    ]


async def _submitted_and_done(stage: Stage, name: str, count: int) -> float:
    """Submit jobs one by one from several tasks, wait until all have ended, and return the jobs a second."""
    began = time.perf_counter()
    numbers = iter(range(count))

    async def submit() -> None:
        for _ in numbers:
            await _submit(stage, name)

    await asyncio.gather(*(submit() for _ in range(min(count, _SUBMITTERS))))
    await _until_none_is_left(stage)
    return count / (time.perf_counter() - began)


async def _submit(stage: Stage, name: str) -> str:
    async with stage.store.transactions.transaction(by=_BY) as tx:
        (job_id,) = await tx.jobs.submit([NewJob(name, {}, Queue.INTERACTIVE)])
    return job_id


async def _until_none_is_left(stage: Stage) -> None:
    async def none_is_left() -> bool:
        async with stage.store.pool.acquire() as connection:
            return not await connection.fetchval(_LEFT)

    await wait_until(none_is_left)


def _plain_rate(broker: RedisBroker, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        broker.enqueue(Message(PLAIN_QUEUE, PLAIN_ACTOR, (), {}, {}))
    broker.join(PLAIN_QUEUE, interval=int(1_000 * _POLL_S))
    return count / (time.perf_counter() - began)


async def _waits(stage: Stage, *, jobs: int) -> float:
    """Return the 95th percentile of the milliseconds from submission to start."""
    ids: list[str] = []
    for _ in range(jobs):
        ids.append(await _submit(stage, LIGHT))
        await _until_none_is_left(stage)
        await asyncio.sleep(_BETWEEN_S)
    async with stage.store.pool.acquire() as connection:
        seconds = [float(row[0]) for row in await connection.fetch(_WAITED, ids)]
    return 1_000 * statistics.quantiles(seconds, n=20)[18]


async def _memory(stage: Stage, redis: str) -> list[Figure]:
    """Measure the product's own worker at rest, and its ready job process."""
    command = [sys.executable, "-m", "aurum.workers"]
    with serving(command, "/live", **{**_settings(stage, redis), "AURUM_WORKERS__METRICS_PORT": "{port}"}) as worker:
        await wait_until(lambda: bool(_children(worker.pid)))
        await asyncio.sleep(_REST_S)
        return [
            limit("worker: memory at rest", [worker.resident_mib()], 120.0, unit="MiB"),
            limit("ready job process: memory at rest", [_resident_mib(_children(worker.pid)[0])], 200.0, unit="MiB"),
        ]


@contextmanager
def _worker(stage: Stage, redis: str) -> Generator[None]:
    yield from _running([sys.executable, "-m", "bench.job_worker"], _settings(stage, redis))


@contextmanager
def _plain(redis: str) -> Generator[None]:
    yield from _running([sys.executable, "-m", "bench.job_worker", "plain", redis], {})


def _running(command: list[str], variables: dict[str, str]) -> Generator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment(variables))
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _settings(stage: Stage, redis: str) -> dict[str, str]:
    return {
        "AURUM_DATABASE__URL": stage.url,
        "AURUM_REDIS__URL": redis,
        "AURUM_LOGGING__LEVEL": "WARNING",
        "AURUM_WORKERS__METRICS_PORT": "0",
    }


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
