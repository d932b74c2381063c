"""``python -m aurum.workers``: work until told to stop. SIGTERM finishes what runs and gives back the rest."""

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
from aurum.workers.export import telling
from aurum.workers.telemetry import queue_depths
from aurum.workers.wiring import WorkerContext, worker_context

_THREADS = 2
_GRACE_MS = 25_000
_HAND_BACK_S = 3.0
"""How long threads may take, once their jobs were ended, to put the messages back into the queue."""


def main() -> int:
    """Run a worker with the settings of this process; gives the exit code. A failure that is expected is one line."""
    try:
        settings = load_settings()
    except InvalidSetting as error:
        return _refuse(str(error), 2)
    for name, url in (("AURUM_DATABASE__URL", settings.database.url), ("AURUM_REDIS__URL", settings.redis.url)):
        if url is None:
            return _refuse(f"{name} is needed (`aurum up` sets it)", 1)
    configure_logging(settings.logging)
    with ExitStack() as stack:
        try:
            _reach_queue(settings)
            context = stack.enter_context(worker_context(settings))
        except QueueUnavailable as error:
            return _refuse(error.detail, 1)
        except DriverNotInstalled as error:
            return _refuse(error.detail, 1)
        except Unavailable as error:
            return _refuse(f"AURUM_DATABASE__URL: {error.detail}", 1)
        _work(context)
    return 0


def _work(context: WorkerContext) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    metrics = Metrics()
    with queue_depths(context.settings.redis.url or "", metrics), telling(context.settings, metrics) as tracer:
        broker = make_broker(context, metrics=metrics, tracer=tracer)
        worker = dramatiq.Worker(broker, worker_threads=_THREADS)
        worker.start()
        structlog.get_logger(__name__).info("working", queues=sorted(broker.queues))
        stop.wait()
        worker.stop(timeout=_GRACE_MS)
        context.loop.end_jobs()
        for thread in worker.workers:
            thread.join(_HAND_BACK_S)
        broker.close()


def _reach_queue(settings: Settings) -> None:
    with JobQueue(settings.redis.url or "") as queue:
        queue.ping()


def _refuse(line: str, code: int) -> int:
    print(f"aurum.workers: {line}", file=sys.stderr)
    return code
