"""``python -m aurum.workers``: work until told to stop. SIGTERM finishes what runs and gives back the rest."""

from __future__ import annotations

import signal
import sys
import threading

import dramatiq
import structlog

from aurum.common.settings import InvalidSetting, load_settings
from aurum.common.telemetry.logging import configure_logging
from aurum.workers.broker import make_broker

_GRACE_MS = 25_000


def main() -> int:
    """Run a worker with the settings of this process; gives the exit code."""
    try:
        settings = load_settings()
    except InvalidSetting as error:
        return _refuse(str(error), 2)
    for name, url in (("AURUM_DATABASE__URL", settings.database.url), ("AURUM_REDIS__URL", settings.redis.url)):
        if url is None:
            return _refuse(f"{name} is needed (`aurum up` sets it)", 1)
    configure_logging(settings.logging)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    broker = make_broker(settings)
    worker = dramatiq.Worker(broker, worker_threads=2)
    worker.start()
    structlog.get_logger(__name__).info("working", queues=sorted(broker.queues))
    stop.wait()
    worker.stop(timeout=_GRACE_MS)
    broker.close()
    return 0


def _refuse(line: str, code: int) -> int:
    print(f"aurum.workers: {line}", file=sys.stderr)
    return code
