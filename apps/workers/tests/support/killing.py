"""Jobs of all kinds while every process and server of a deployment is killed again and again, at random points.

``Deployment`` runs PostgreSQL, Valkey, a relay, two workers and a scheduler, and kills them. ``Trial`` submits the jobs, and
checks the tables at the end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import trial_jobs
from redis import Redis

from aurum.assembly.postgres import PostgresStore, open_store
from aurum.common.settings import DatabaseSettings, Settings, environment
from aurum.core.errors import Conflict, Unavailable
from aurum.core.jobs.states import JobState, Queue
from aurum.storage.embedded import EmbeddedPostgres, EmbeddedValkey
from aurum.storage.migrations.run import upgrade
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import Job, NewJob
from aurum.storage.testing.waiting import wait_until

T = TypeVar("T")

OPERATOR = Actor("test")
ROLES: Mapping[str, str] = {
    "relay": '["relay"]',
    "worker 1": '["run"]',
    "worker 2": '["run"]',
    "scheduler": '["schedule"]',
}
SERVERS = ("PostgreSQL", "Valkey")
VARIABLES = {
    "AURUM_WORKERS__LEASE_S": "3",
    "AURUM_WORKERS__SWEEP_S": "0.5",
    "AURUM_WORKERS__FIRST_RETRY_S": "0.05",
    "AURUM_WORKERS__LONGEST_RETRY_S": "0.5",
    "AURUM_WORKERS__METRICS_PORT": "0",
    "AURUM_WORKERS__BULK_PLACES": "3",
    "AURUM_LOGGING__LEVEL": "WARNING",
}
_AGAIN_S = 0.1


class Deployment:
    """The servers and processes. Each that ends is started again."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.valkey = EmbeddedValkey(folder / "valkey")
        self.kills: Counter[str] = Counter()
        self._folder = folder
        self._random = random.Random(seed)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log = (folder / "log").open("ab")

    def start(self) -> None:
        """Start the servers."""
        self.postgres.start()
        self.valkey.start()

    def start_processes(self) -> None:
        """Start the processes that do not run."""
        for name, roles in ROLES.items():
            process = self._processes.get(name)
            if process is None or process.poll() is not None:
                variables = {
                    **VARIABLES,
                    "AURUM_DATABASE__URL": self.postgres.url,
                    "AURUM_REDIS__URL": self.valkey.url,
                    "AURUM_DATA_DIR": str(self._folder / "data"),
                    "AURUM_WORKERS__ROLES": roles,
                }
                self._processes[name] = subprocess.Popen(
                    [sys.executable, trial_jobs.__file__], env=environment(variables), stdout=self._log, stderr=self._log
                )

    def stop(self) -> None:
        """Stop everything."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        self.valkey.stop()
        self.postgres.stop()
        self._log.close()

    async def kill_one(self) -> str:
        """Kill a process or server, chosen at random, start it again, and return its name.

        Servers are killed less often: they take a second to start.
        """
        names = [*ROLES, *ROLES, *SERVERS]
        name = self._random.choice(names)
        match name:
            case "PostgreSQL":
                os.kill(int((self._folder / "postgres/postgres/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
                await self._again(self.postgres.start_again, lambda: self.postgres.has_ended)
            case "Valkey":
                os.kill(self._valkey_pid(), signal.SIGKILL)
                await self._again(self.valkey.start_again, lambda: self.valkey.has_ended)
            case _:
                self._processes[name].kill()
                self._processes[name].wait()
        self.kills[name] += 1
        self.start_processes()
        return name

    async def pause(self) -> None:
        """Wait for a random time, shorter or longer than a job takes."""
        await asyncio.sleep(self._random.choice((0.05, 0.2, 0.5, 1.0)) * self._random.uniform(0.5, 1.5))

    def flush_redis(self) -> None:
        """Empty Redis, as when it is replaced."""
        with Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def log_lines(self) -> list[str]:
        """Return what the processes have logged."""
        return (self._folder / "log").read_text(errors="replace").splitlines()

    @staticmethod
    async def _again(start: Callable[[], None], has_ended: Callable[[], bool]) -> None:
        await wait_until(lambda: asyncio.to_thread(has_ended))
        await asyncio.to_thread(start)

    @staticmethod
    def _valkey_pid() -> int:
        children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
        for child in (int(pid) for each in children for pid in each.read_text().split()):
            if b"valkey-server" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        raise AssertionError("no valkey-server runs")


@dataclass(slots=True)
class Expected:
    """The jobs, by what is to become of them. ``effects``: effects by key."""

    effects: dict[str, int] = field(default_factory=dict[str, int])
    files: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    waiting: list[str] = field(default_factory=list[str])


class Trial:
    """Jobs of all kinds, and the check of what became of them. ``files``: folder of files that jobs write."""

    def __init__(self, store: PostgresStore, files: Path, seed: int) -> None:
        self._store = store
        self._files = files
        self._random = random.Random(seed + 1)
        self.expected = Expected()
        self.ids: dict[str, str] = {}

    def jobs(self, count: int) -> list[NewJob]:
        """Return new jobs of all kinds, in random order. Each has a key; one in ten is there twice."""
        kinds: list[Callable[[str], NewJob]] = [
            *[self._light] * 8,
            *[self._flaky_light] * 2,
            *[self._process] * 4,
            *[self._flaky_process] * 1,
            *[self._many] * 2,
            *[self._file] * 2,
            *[self._refused] * 1,
            *[self._light_wait] * 1,
            *[self._wait] * 1,
        ]
        jobs = [kinds[number % len(kinds)](f"{number:04}") for number in range(count)]
        doubled = [*jobs, *self._random.sample(jobs, count // 10)]
        self._random.shuffle(doubled)
        return doubled

    async def submit(self, jobs: Sequence[NewJob]) -> None:
        """Submit jobs, again until the database has answered: their keys tell those that were stored already."""

        async def submitted() -> Sequence[str]:
            async with self._store.transactions.transaction(by=OPERATOR) as tx:
                return await tx.jobs.submit(jobs)

        for job, job_id in zip(jobs, await until_it_answers(submitted), strict=True):
            assert self.ids.setdefault(job.key or "", job_id) == job_id, "a key names one job"

    async def cancel_one(self) -> None:
        """Cancel one of the jobs that wait until they are cancelled, if there is one."""
        for key in self.expected.waiting:
            job = await self._job(key) if key in self.ids else None
            if job is not None and job.cancel_requested_at is None and not job.state.has_ended:

                async def cancelled(job_id: str = job.job_id) -> None:
                    async with self._store.transactions.transaction(by=OPERATOR) as tx:
                        await tx.jobs.cancel(job_id)

                with suppress(Conflict):  # the first answer was lost, and the job has ended
                    await until_it_answers(cancelled)
                return

    async def until_ended(self, within_s: float) -> list[Job]:
        """Wait until all jobs have ended, and return those that have not."""
        deadline = time.monotonic() + within_s
        while True:
            await self.cancel_one()
            open_jobs = [job for job in [await self._job(key) for key in self.ids] if not job.state.has_ended]
            if not open_jobs or time.monotonic() > deadline:
                return open_jobs
            await asyncio.sleep(0.2)

    async def check(self) -> None:
        """Compare the tables with what is expected of each job."""
        expected = self.expected
        states = {key: (await self._job(key)) for key in self.ids}
        wrong: list[str] = []
        for key, job in states.items():
            state = JobState.SUCCEEDED
            if key in expected.refused:
                state = JobState.PARKED
            elif key in expected.waiting:
                state = JobState.CANCELLED
            if job.state is not state:
                wrong.append(f"{job.name} {key} is {job.state}, not {state}: {job.reason} {dict(job.evidence)}")
        assert not wrong, "\n".join(wrong)
        async with self._store.pool.acquire() as connection:
            rows = await connection.fetch("SELECT key, item, count(*) AS times FROM trial_effect GROUP BY key, item")
        done = {(row["key"], row["item"]): row["times"] for row in rows}
        wanted = {(key, item): 1 for key, items in expected.effects.items() for item in range(items)}
        assert {where: times for where, times in done.items() if times != 1} == {}, "effects that were done twice"
        assert set(wanted) - set(done) == set(), "effects that were lost"
        assert set(done) == set(wanted), "effects of jobs that were cancelled or refused"
        self._check_files()

    def _check_files(self) -> None:
        deliveries = (self._files / "deliveries").read_text().splitlines()
        contents: dict[str, set[str]] = {}
        for line in deliveries:
            job_id, _, content = line.partition(" ")
            contents.setdefault(job_id, set()).add(content)
        assert contents == {self.ids[key]: {f"content of {key}"} for key in self.expected.files}
        for key in self.expected.files:
            assert (self._files / f"{key}.txt").read_text() == f"content of {key}"

    async def _job(self, key: str) -> Job:
        return await until_it_answers(lambda: self._store.jobs.job(self.ids[key]))

    def _effect(self, name: str, queue: Queue, key: str, **payload: object) -> NewJob:
        self.expected.effects[key] = int(str(payload.get("items", 1)))
        return NewJob(name, {"key": key, **payload}, queue, key=key)

    def _light(self, key: str) -> NewJob:
        return self._effect("trial.light", Queue.INTERACTIVE, key)

    def _flaky_light(self, key: str) -> NewJob:
        return self._effect("trial.light", Queue.INTERACTIVE, key, failures=2)

    def _process(self, key: str) -> NewJob:
        return self._effect("trial.process", Queue.BULK, key)

    def _flaky_process(self, key: str) -> NewJob:
        return self._effect("trial.process", Queue.BULK, key, failures=1)

    def _many(self, key: str) -> NewJob:
        return self._effect("trial.process", Queue.BULK, key, items=4, takes_s=0.05)

    def _file(self, key: str) -> NewJob:
        self.expected.files.append(key)
        return NewJob("trial.file", {"key": key, "folder": str(self._files)}, Queue.MAINTENANCE, key=key)

    def _refused(self, key: str) -> NewJob:
        self.expected.refused.append(key)
        return NewJob("trial.refused", {"key": key}, Queue.MAINTENANCE, key=key)

    def _light_wait(self, key: str) -> NewJob:
        self.expected.waiting.append(key)
        return NewJob("trial.light-wait", {"key": key, "signs": str(self._files)}, Queue.BULK, key=key)

    def _wait(self, key: str) -> NewJob:
        self.expected.waiting.append(key)
        return NewJob("trial.wait", {"key": key, "signs": str(self._files)}, Queue.BULK, key=key)


async def until_it_answers(call: Callable[[], Awaitable[T]]) -> T:
    """Call until the database answers."""
    while True:
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(_AGAIN_S)


async def run_trial(folder: Path, *, jobs: int, kills: int, seed: int, end_within_s: float) -> Counter[str]:
    """Run jobs under kills, check what became of them, and return the kills by name. Redis is flushed in the middle."""
    files = folder / "files"
    files.mkdir()
    deployment = Deployment(folder, seed)
    deployment.start()
    try:
        await upgrade(deployment.postgres.url)
        deployment.start_processes()
        settings = Settings(database=DatabaseSettings(url=deployment.postgres.url))
        async with open_store(settings) as store:
            assert isinstance(store, PostgresStore)
            async with store.pool.begin() as connection:
                await connection.execute(trial_jobs.TABLES)
            trial = Trial(store, files, seed)
            waiting = trial.jobs(jobs)
            each = max(1, -(-len(waiting) // kills))
            for number in range(kills):
                await trial.submit(waiting[number * each : (number + 1) * each])
                await deployment.pause()
                await deployment.kill_one()
                await trial.cancel_one()
                if number == kills // 2:
                    deployment.flush_redis()
            deployment.start_processes()
            open_jobs = await trial.until_ended(end_within_s)
            lines = [f"{job.name} {job.key} is {job.state}, attempts {job.attempts}: {job.reason}" for job in open_jobs]
            assert not open_jobs, "\n".join([*lines, *deployment.log_lines()[-40:]])
            await trial.check()
    finally:
        deployment.stop()
    return deployment.kills
