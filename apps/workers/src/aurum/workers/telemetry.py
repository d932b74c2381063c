"""What is counted of jobs, of the files they load and of the queues they come from."""

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
"""Seconds: from a file that was loaded before to the longest that a job may take."""

_NOBODYS = "unknown"
"""In place of the name of what is nobody's job, which may be anything."""

_NAMESPACE = "dramatiq"
_WITHIN_S = 2.0

_log = structlog.get_logger(__name__)


class JobTallies(Middleware):
    """Counts tries by what became of them, and how long each took. Stands before ``Retries``, as ``JobLog`` does.

    The label is ``name``: Prometheus has a label ``job`` of its own, and puts it in the place of anybody else's.
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
        # From nothing on: what Prometheus first sees as 1 has not risen for it.
        for job in JOBS:
            for became in ("done", "retried", "parked"):
                self._jobs.add(job, became, amount=0)
        for outcome in FileOutcome:
            self._files.add(str(outcome), amount=0)
        for change in ("new", "revised", "quarantined"):
            self._rows.add(change, amount=0)
        self._begun: dict[str, float] = {}
        self._counting = threading.Lock()  # jobs run in several threads, and are parked from another

    def loaded(self, report: FileReport) -> None:
        """Count what one file did."""
        changes = (("new", report.new), ("revised", report.revised), ("quarantined", report.quarantined))
        with self._counting:
            self._files.add(str(report.outcome))
            for change, rows in changes:
                self._rows.add(change, amount=rows)

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        del broker  # Dramatiq gives it by name
        self._begun[message.message_id] = time.perf_counter()

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        del broker, result
        took = time.perf_counter() - self._begun.pop(message.message_id)
        with self._counting:
            self._durations.cell(message.actor_name).observe(took)
            if not message.failed:
                self._jobs.add(message.actor_name, "done" if exception is None else "retried")

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        # Here and not above: what is nobody's job is parked without having been tried.
        known = message.actor_name in broker.actors
        with self._counting:
            self._jobs.add(message.actor_name if known else _NOBODYS, "parked")


@contextmanager
def queue_depths(url: str, metrics: Metrics) -> Generator[None]:
    """Add the depths of the queues to some metrics, read when asked for, for the length of the block.

    A client of its own reads them: whoever asks waits two seconds at most. While the server is away ``aurum_queue_up`` is 0,
    and there are no depths.
    """
    client = Redis.from_url(url, socket_timeout=_WITHIN_S, socket_connect_timeout=_WITHIN_S)
    depths = _Depths(client)
    name = f"{_NAMESPACE}:{INGEST_QUEUE}"
    kinds: dict[str, tuple[str, Callable[[], Any]]] = {
        "aurum_jobs_waiting": ("Jobs that nobody works on yet.", lambda: client.llen(name)),
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
            return [((), 0.0)]  # the number is what tells
        return [((), 1.0)]
