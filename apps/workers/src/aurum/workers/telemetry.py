"""The metrics of jobs, of the files they load, and of the queues."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from dramatiq import Broker, MessageProxy, Middleware
from redis import Redis
from redis.exceptions import RedisError

from aurum.common.telemetry.metrics import Metrics, Reading
from aurum.pipelines.jobs import INGEST_QUEUE, JOBS
from aurum.pipelines.loading.load import FileOutcome, FileReport

DURATION_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds: from the time for a file that is already loaded to the longest that a job may take."""

_UNKNOWN_JOB = "unknown"
"""The label for messages that no job is declared for: their names are arbitrary, so they are not used as labels."""

_NAMESPACE = "dramatiq"
_TIMEOUT_S = 2.0

_log = structlog.get_logger(__name__)


class JobTallies(Middleware):
    """Middleware that counts the tries of jobs by outcome and measures them. It stands before ``Retries``, as ``JobLog`` does.

    The label is ``name``, because Prometheus sets a label ``job`` of its own, which overwrites any other.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._jobs = metrics.counter(
            "aurum_jobs_total", "Tries of jobs, by what became of them: done, retried, parked.", labels=("name", "outcome")
        )
        self._durations = metrics.histogram(
            "aurum_job_duration_seconds", "Seconds that one try of a job took.", labels=("name",), bounds=DURATION_BOUNDS
        )
        self._files = metrics.counter(
            "aurum_ingested_files_total", "Files that jobs loaded, by what became of them.", labels=("outcome",)
        )
        self._rows = metrics.counter(
            "aurum_ingested_rows_total", "Observations that jobs loaded: new, revised, quarantined.", labels=("change",)
        )
        # Counters start at 0, because Prometheus sees no increase in a counter that first appears with 1.
        for job in JOBS:
            for outcome in ("done", "retried", "parked"):
                self._jobs.add(job, outcome, amount=0)
        for file_outcome in FileOutcome:
            self._files.add(str(file_outcome), amount=0)
        for change in ("new", "revised", "quarantined"):
            self._rows.add(change, amount=0)
        self._started: dict[str, float] = {}
        self._counting = threading.Lock()  # jobs run in several threads and are parked in another one

    def count_file(self, report: FileReport) -> None:
        """Count a loaded file and its rows."""
        changes = (("new", report.new), ("revised", report.revised), ("quarantined", report.quarantined))
        with self._counting:
            self._files.add(str(report.outcome))
            for change, rows in changes:
                self._rows.add(change, amount=rows)

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        del broker  # Dramatiq passes it by name
        self._started[message.message_id] = time.perf_counter()

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        del broker, result
        seconds = time.perf_counter() - self._started.pop(message.message_id)
        with self._counting:
            self._durations.cell(message.actor_name).observe(seconds)
            if not message.failed:
                self._jobs.add(message.actor_name, "done" if exception is None else "retried")

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        # Counted here and not above, because a message without a declared job is parked without a try.
        is_declared = message.actor_name in broker.actors
        with self._counting:
            self._jobs.add(message.actor_name if is_declared else _UNKNOWN_JOB, "parked")


@contextmanager
def queue_depths(url: str, metrics: Metrics) -> Generator[None]:
    """Add gauges of the queue depths to metrics, for the length of the block. Each read of a gauge asks Redis.

    A separate client reads them, and a read waits two seconds at most. While Redis does not answer, ``aurum_queue_up`` is 0 and
    the depths are missing.
    """
    client = Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
    depths = _Depths(client)
    name = f"{_NAMESPACE}:{INGEST_QUEUE}"
    kinds: dict[str, tuple[str, Callable[[], Any]]] = {
        "aurum_jobs_waiting": ("Jobs that no worker has begun.", lambda: client.llen(name)),
        "aurum_jobs_delayed": ("Jobs that wait for their next try.", lambda: client.llen(f"{name}.DQ")),
        "aurum_jobs_parked": ("Jobs that failed for good.", lambda: client.zcard(f"{name}.XQ")),
    }
    for gauge, (description, count) in kinds.items():
        metrics.gauge(gauge, description, partial(depths.read, count), labels=("queue",))
    metrics.gauge("aurum_queue_up", "1 while the queues' server answers.", depths.up)
    try:
        yield
    finally:
        client.close()


@dataclass(frozen=True, slots=True)
class _Depths:
    client: Redis

    def read(self, count: Callable[[], Any]) -> Reading:
        try:
            return [((INGEST_QUEUE,), float(count()))]
        except RedisError as error:
            _log.warning("queue depth not read", reason=str(error))
            return []

    def up(self) -> Reading:
        try:
            self.client.ping()
        except RedisError:
            return [((), 0.0)]  # the gauge itself reports the failure
        return [((), 1.0)]
