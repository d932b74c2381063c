"""The worker process, ``python -m aurum.workers``.

It runs jobs until SIGTERM or SIGINT; then it finishes the running jobs and returns the others to the queue.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack

import dramatiq
import structlog

from aurum.assembly.history import DriverNotInstalled
from aurum.common.errors import InvalidSetting
from aurum.common.settings import Settings, load_settings
from aurum.common.telemetry.logging import configure_logging
from aurum.common.telemetry.metrics import Metrics
from aurum.core.errors import Unavailable
from aurum.pipelines.jobs import JobQueue, QueueUnavailable
from aurum.workers.broker import make_broker
from aurum.workers.export import exported_telemetry
from aurum.workers.telemetry import queue_depths
from aurum.workers.wiring import WorkerContext, worker_context

_THREADS = 2
_GRACE_MS = 25_000
_REQUEUE_S = 3.0
"""Seconds that threads may take to return messages to the queue after their jobs were ended."""


def main() -> int:
    """Run a worker with the settings of this process and return the exit code. An expected failure prints one line."""
    try:
        settings = load_settings()
    except InvalidSetting as error:
        return _fail(str(error), 2)
    for name, url in (("AURUM_DATABASE__URL", settings.database.url), ("AURUM_REDIS__URL", settings.redis.url)):
        if url is None:
            return _fail(f"{name} is needed (`aurum up` sets it)", 1)
    configure_logging(settings.logging)
    with ExitStack() as stack:
        try:
            _check_queue(settings)
            context = stack.enter_context(worker_context(settings))
        except QueueUnavailable as error:
            return _fail(error.operator_detail, 1)
        except DriverNotInstalled as error:
            return _fail(error.detail, 1)
        except Unavailable as error:
            return _fail(f"AURUM_DATABASE__URL: {error.operator_detail}", 1)
        _run_worker(context)
    return 0


def _run_worker(context: WorkerContext) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    metrics = Metrics()
    with queue_depths(context.settings.redis.url or "", metrics), exported_telemetry(context.settings, metrics) as tracer:
        broker = make_broker(context, metrics=metrics, tracer=tracer)
        worker = dramatiq.Worker(broker, worker_threads=_THREADS)
        worker.start()
        structlog.get_logger(__name__).info("worker started", queues=sorted(broker.queues))
        stop.wait()
        worker.stop(timeout=_GRACE_MS)
        context.loop.end_jobs()
        for thread in worker.workers:
            thread.join(_REQUEUE_S)
        broker.close()


def _check_queue(settings: Settings) -> None:
    with JobQueue(settings.redis.url or "") as queue:
        queue.ping()


def _fail(line: str, code: int) -> int:
    print(f"aurum.workers: {line}", file=sys.stderr)
    return code
