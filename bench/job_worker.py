"""``python -m bench.job_worker``: a worker with two jobs that do nothing, light and in a process; or plain Dramatiq with one.

``python -m bench.job_worker plain URL`` runs a worker of Dramatiq on Redis at a URL, as its documentation shows it.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from aurum.assembly.store import Store
from aurum.common.settings import Settings, load_settings
from aurum.common.telemetry.logging import configure_logging
from aurum.core.jobs.states import Queue
from aurum.services.jobs.definition import Definition, Definitions, Payload, Place
from aurum.services.jobs.running import JobFunction, RunningJob
from aurum.workers.jobs import Count, Jobs
from aurum.workers.main import run_worker

LIGHT, PROCESS = "bench.light", "bench.process"
PLAIN_QUEUE, PLAIN_ACTOR = "plain", "nothing"
_PLAIN_THREADS = 8


class Nothing(Payload):
    """Nothing to do."""


async def _nothing(job: Nothing, running: RunningJob) -> None:
    del job, running


class ProcessJobs:
    """The job in a process of its own, which opens the store as every job there does."""

    async def prepare(self, settings: Settings) -> None:
        """Prepare nothing."""

    def shared(self, settings: Settings) -> Sequence[int]:
        """Share nothing."""
        del settings
        return ()

    @asynccontextmanager
    async def opened(self, settings: Settings, count: Count) -> AsyncGenerator[Mapping[str, JobFunction]]:
        from aurum.assembly.postgres import open_store

        del count
        async with open_store(settings):
            yield {PROCESS: _nothing}


def process_jobs() -> ProcessJobs:
    """Return the jobs in processes. The ready job process is as large as that of the product."""
    from aurum.assembly import pipeline_jobs

    assert pipeline_jobs
    return ProcessJobs()


def bench_jobs() -> Jobs:
    """Return both jobs."""
    definitions = (
        Definition(LIGHT, Nothing, "Do nothing in the worker.", Queue.INTERACTIVE, Place.WORKER),
        Definition(PROCESS, Nothing, "Do nothing in a process.", Queue.INTERACTIVE),
    )

    def light(_store: Store) -> Mapping[str, JobFunction]:
        return {LIGHT: _nothing}

    return Jobs(Definitions({one.name: one for one in definitions}), light, "bench.job_worker:process_jobs")


def run_plain(url: str) -> None:
    """Run a worker of Dramatiq with one actor that does nothing, until SIGTERM."""
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=url)
    dramatiq.Actor(lambda: None, broker=broker, actor_name=PLAIN_ACTOR, queue_name=PLAIN_QUEUE, priority=0, options={})
    worker, stop = dramatiq.Worker(broker, worker_threads=_PLAIN_THREADS), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker.start()
    stop.wait()
    worker.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["plain"]:
        run_plain(sys.argv[2])
        sys.exit()
    loaded = load_settings()
    configure_logging(loaded.logging)
    sys.exit(run_worker(loaded, bench_jobs(), "bench.job_worker:bench_jobs"))
