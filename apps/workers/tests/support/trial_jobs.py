"""Jobs for tests of workers. Their effects are rows, which tests count: a lost one is missing, a repeated one is there twice.

``python trial_jobs.py`` runs a worker with these jobs and the settings of the environment.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import structlog

from aurum.assembly.postgres import PostgresStore, open_store
from aurum.assembly.store import Store
from aurum.common.settings import Settings, load_settings
from aurum.common.telemetry.logging import configure_logging
from aurum.core.errors import Invalid, Unavailable
from aurum.core.jobs.states import Queue
from aurum.services.jobs.definition import Definition, Definitions, Payload, Place
from aurum.services.jobs.running import JobFunction, RunningJob
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.jobs.writer import PostgresJobWriter
from aurum.storage.testing.waiting import wait_until
from aurum.workers.jobs import Count, Jobs
from aurum.workers.main import run_worker

PATH = "trial_jobs:trial_jobs"
"""Where a ready job process finds them."""

TABLES = """
CREATE TABLE trial_effect (key text NOT NULL, item int NOT NULL DEFAULT 0, job_id text NOT NULL, attempt int NOT NULL);
CREATE TABLE trial_item (key text NOT NULL, item int NOT NULL, PRIMARY KEY (key, item));
"""
"""``trial_effect`` has no key on purpose: an effect that is done twice has two rows."""


class Nothing(Payload):
    """Does nothing."""


class Effect(Payload):
    """Makes an effect named ``key``. ``failures``: attempts that fail before. ``items``: number of effects, each by itself.

    ``says``: the event of a line that it logs.
    """

    key: str
    failures: int = 0
    items: int = 1
    takes_s: float = 0.0
    says: str = ""


class Wait(Payload):
    """Waits until it is ended. ``signs``: folder of a file that shows that it has begun."""

    key: str
    signs: Path


class WriteFile(Payload):
    """Writes a file, and a line about it to a list of deliveries."""

    key: str
    folder: Path


class Misbehave(Payload):
    """Ends its process, or never ends."""

    how: Literal["abort", "exit", "kill", "memory", "loop", "end server", "leave", "talk nonsense"]


_log = structlog.get_logger(__name__)
_EFFECT = "INSERT INTO trial_effect (key, item, job_id, attempt) VALUES ($1, $2, $3, $4)"

_ITEM = "INSERT INTO trial_item VALUES ($1, $2) ON CONFLICT DO NOTHING"


class _Transaction:
    def __init__(self, connection: Any) -> None:
        self.jobs = PostgresJobWriter(connection, None)


class TrialJobs:
    """The functions over a pool."""

    def __init__(self, pool: PostgresPool, count: Count) -> None:
        self._pool = pool
        self._count = count

    async def do_nothing(self, job: Nothing, running: RunningJob) -> None:
        del job, running

    async def make_effect(self, job: Effect, running: RunningJob) -> Mapping[str, object] | None:
        """Make one effect in the transaction of the success, or several, each with its row of progress."""
        if running.attempt <= job.failures:
            raise Unavailable("not yet")
        if job.says:
            _log.info(job.says, id=running.job_id)
        self._count("aurum_ingested_files_total", "applied", 1)
        await asyncio.sleep(job.takes_s)
        if job.items == 1:
            async with self._pool.begin() as connection:
                await connection.execute(_EFFECT, job.key, 0, running.job_id, running.attempt)
                await running.succeed(_Transaction(connection), {"key": job.key})
            return None
        for item in range(job.items):
            await running.progress(item, job.items, job.key)
            await asyncio.sleep(job.takes_s)
            async with self._pool.begin() as connection:
                status = await connection.execute(
                    "INSERT INTO trial_item VALUES ($1, $2) ON CONFLICT DO NOTHING", job.key, item
                )
                if status.endswith(" 1"):
                    await connection.execute(_EFFECT, job.key, item, running.job_id, running.attempt)
        return {"items": job.items}

    async def block(self, job: Nothing, running: RunningJob) -> None:
        """Hold the event loop of the worker."""
        del job, running
        while True:
            pass

    async def refuse(self, job: Effect, running: RunningJob) -> None:
        del running
        raise Invalid(f"{job.key} is refused")

    async def wait(self, job: Wait, running: RunningJob) -> None:
        """Make an effect in a transaction, and wait in it."""
        async with self._pool.begin() as connection:
            await connection.execute(_EFFECT, job.key, 0, running.job_id, running.attempt)
            (job.signs / f"{job.key}.begun").write_text(str(os.getpid()))
            await asyncio.Event().wait()

    async def hold(self, job: Wait, running: RunningJob) -> None:
        """Make an effect in the transaction of the success, once a file lets it."""
        begun = job.signs / f"{job.key}.begun"
        begun.with_suffix(".new").write_text(str(os.getpid()))
        begun.with_suffix(".new").rename(begun)
        await wait_until((job.signs / f"{job.key}.go").exists)
        async with self._pool.begin() as connection:
            await connection.execute(_EFFECT, job.key, 0, running.job_id, running.attempt)
            await running.succeed(_Transaction(connection), {})

    async def ignore(self, job: Wait, running: RunningJob) -> None:
        """Hold the processor, and ignore requests to end."""
        del running
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (job.signs / f"{job.key}.begun").write_text(str(os.getpid()))
        while True:
            pass

    async def write_file(self, job: WriteFile, running: RunningJob) -> None:
        """Write a file beside and rename it; then note the delivery, whose id stays the same over attempts."""
        written = job.folder / f"{job.key}.{os.getpid()}.new"
        written.write_text(f"content of {job.key}")
        written.rename(job.folder / f"{job.key}.txt")
        with (job.folder / "deliveries").open("a") as log:
            log.write(f"{running.job_id} content of {job.key}\n")

    async def misbehave(self, job: Misbehave, running: RunningJob) -> None:
        del running
        print("the last words of a job", file=sys.stderr, flush=True)
        match job.how:
            case "abort":
                os.abort()
            case "exit":
                os._exit(7)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "memory":
                ctypes.create_string_buffer(1 << 44)
            case "loop":
                while True:
                    pass
            case "end server":
                os.kill(os.getppid(), signal.SIGKILL)
                await asyncio.Event().wait()
            case "leave":
                raise SystemExit(3)
            case "talk nonsense":
                os.write(3, b"\x00\x00\x00\x03abc")
                await asyncio.Event().wait()

    def light(self) -> Mapping[str, JobFunction]:
        return {
            "trial.nothing": self.do_nothing,
            "trial.light": self.make_effect,
            "trial.light-wait": self.wait,
            "trial.block": self.block,
        }

    def process(self) -> Mapping[str, JobFunction]:
        return {
            "trial.process": self.make_effect,
            "trial.refused": self.refuse,
            "trial.wait": self.wait,
            "trial.held": self.hold,
            "trial.ignore": self.ignore,
            "trial.file": self.write_file,
            "trial.exclusive": self.make_effect,
            "trial.misbehave": self.misbehave,
            "trial.misbehave-long": self.misbehave,
            "trial.end-server": self.misbehave,
        }


_LIGHT = Place.WORKER
_DEFINITIONS = (
    Definition("trial.nothing", Nothing, "Do nothing.", Queue.INTERACTIVE, _LIGHT),
    Definition("trial.light", Effect, "Make an effect in the worker.", Queue.INTERACTIVE, _LIGHT, attempts=50),
    Definition("trial.light-wait", Wait, "Wait in the worker.", Queue.BULK, _LIGHT),
    Definition("trial.block", Nothing, "Hold the worker.", Queue.MAINTENANCE, _LIGHT),
    Definition("trial.process", Effect, "Make an effect.", Queue.BULK, attempts=50),
    Definition("trial.exclusive", Effect, "Make an effect, one at a time.", Queue.BULK, exclusive=lambda job: job.key),
    Definition("trial.refused", Effect, "Fail for good.", Queue.MAINTENANCE),
    Definition("trial.wait", Wait, "Wait in a transaction.", Queue.BULK),
    Definition("trial.held", Wait, "Make an effect when a file lets it.", Queue.BULK),
    Definition("trial.ignore", Wait, "Ignore requests to end.", Queue.BULK),
    Definition("trial.file", WriteFile, "Write a file.", Queue.MAINTENANCE, attempts=50),
    Definition("trial.misbehave", Misbehave, "Misbehave.", Queue.BULK, time_limit_s=2.0),
    Definition("trial.misbehave-long", Misbehave, "Misbehave for long.", Queue.BULK),
    Definition("trial.end-server", Misbehave, "End the ready job process.", Queue.BULK, attempts=2),
)


def _light(store: Store) -> Mapping[str, JobFunction]:
    assert isinstance(store, PostgresStore)
    return TrialJobs(store.pool, lambda *_: None).light()


class TrialProcessJobs:
    """Opens the functions in the process of a job."""

    async def prepare(self, settings: Settings) -> None:
        """Prepare nothing."""

    def shared(self, settings: Settings) -> Sequence[int]:
        """Share nothing."""
        del settings
        return ()

    @asynccontextmanager
    async def opened(self, settings: Settings, count: Count) -> AsyncGenerator[Mapping[str, JobFunction]]:
        async with open_store(settings) as store:
            assert isinstance(store, PostgresStore)
            yield TrialJobs(store.pool, count).process()


def process_jobs() -> TrialProcessJobs:
    return TrialProcessJobs()


def trial_jobs(only: Sequence[str] = ()) -> Jobs:
    """Return the jobs. ``only``: of these names, as in a release that has no others."""
    chosen = {one.name: one for one in _DEFINITIONS if not only or one.name in only}
    return Jobs(Definitions(chosen), _light, "trial_jobs:process_jobs")


if __name__ == "__main__":
    loaded = load_settings()
    configure_logging(loaded.logging)
    with suppress(KeyboardInterrupt):
        sys.exit(run_worker(loaded, trial_jobs(), PATH))
