"""The metrics and log lines of jobs, of the files they load, and of the queues."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

import structlog

from aurum.common.telemetry.metrics import Counter, Metrics, Reading
from aurum.common.telemetry.work import in_carried_work
from aurum.core.jobs.states import JobState, Queue
from aurum.services.jobs.definition import Definitions
from aurum.storage.ports.jobs import Outcome, QueueCounts
from aurum.workers.attempts import RunningAttempt

DURATION_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds: from the time for a file that is already loaded to the longest that a job may take."""
WAIT_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0)
"""Seconds between the submission of a job and its start."""
OUTCOMES = ("done", "retried", "parked", "cancelled", "handed back")

_FILES = {
    "aurum_ingested_files_total": (
        "Files that jobs loaded, by what became of them.",
        "outcome",
        ("applied", "already loaded", "refused", "skipped"),
    ),
    "aurum_ingested_rows_total": (
        "Observations that jobs loaded: new, revised, quarantined.",
        "change",
        ("new", "revised", "quarantined"),
    ),
}
"""Counters that jobs in processes of their own add to: description, label, values that are counted from 0."""

_log = structlog.get_logger(__name__)


class JobTallies:
    """Counts attempts by outcome, measures them, and writes a line about the end of each.

    The label is ``name``, because Prometheus sets a label ``job`` of its own, which overwrites any other.
    """

    def __init__(self, metrics: Metrics, definitions: Definitions, now: Callable[[], datetime]) -> None:
        self._now = now
        self._jobs = metrics.counter(
            "aurum_jobs_total",
            "Attempts of jobs, by what became of them: done, retried, parked, cancelled, handed back.",
            labels=("name", "queue", "outcome"),
        )
        self._durations = metrics.histogram(
            "aurum_job_duration_seconds", "Seconds that one attempt of a job took.", labels=("name",), bounds=DURATION_BOUNDS
        )
        self._waits = metrics.histogram(
            "aurum_job_wait_seconds",
            "Seconds from the submission of a job to its first start.",
            labels=("queue",),
            bounds=WAIT_BOUNDS,
        )
        self._lost = metrics.counter(
            "aurum_job_claims_lost_total", "Attempts whose job another worker had been handed before they ended."
        )
        self._of_jobs: dict[str, Counter] = {}
        for name, (description, label, values) in _FILES.items():
            counter = self._of_jobs[name] = metrics.counter(name, description, labels=(label,))
            for value in values:
                counter.add(value, amount=0)
        # Counters start at 0, because Prometheus sees no increase in a counter that first appears with 1.
        self._lost.add(amount=0)
        for definition in definitions.by_name.values():
            for outcome in OUTCOMES:
                self._jobs.add(definition.name, definition.queue, outcome, amount=0)

    def started(self, running: RunningAttempt) -> None:
        """Measure how long a job waited."""
        claim = running.claim
        if claim.attempt == 1:
            self._waits.cell(claim.queue).observe(max(0.0, (self._now() - claim.submitted_at).total_seconds()))

    def ended(self, running: RunningAttempt, outcome: Outcome) -> None:
        """Count, measure and log the end of an attempt."""
        claim = running.claim
        what = _name_of(outcome)
        self._jobs.add(claim.name, claim.queue, what)
        self._durations.cell(claim.name).observe(running.ended - running.began)
        level = _LEVELS[what]
        if not logging.getLogger(__name__).isEnabledFor(level):
            return
        fields: dict[str, object] = {"job": claim.name, "id": claim.job_id, "attempt": claim.attempt}
        if outcome.reason:
            fields["reason"] = outcome.reason
        if outcome.evidence:
            fields["evidence"] = outcome.evidence
        with in_carried_work(running.carried):
            _log.log(level, _LINES[what], **fields)

    def lost(self, running: RunningAttempt) -> None:
        """Count and log an attempt that is no longer the one of its job."""
        self._lost.add()
        claim = running.claim
        with in_carried_work(running.carried):
            _log.warning("job was handed to another worker", job=claim.name, id=claim.job_id, attempt=claim.attempt)

    def count(self, metric: str, label: str, amount: float) -> None:
        """Add to a counter for the process of a job; an unknown counter is ignored with a line."""
        counter = self._of_jobs.get(metric)
        if counter is None:
            _log.warning("a job counts what is not measured", metric=metric)
        else:
            counter.add(label, amount=amount)


_LINES = {
    "done": "job done",
    "retried": "job will be tried again",
    "parked": "job parked",
    "cancelled": "job cancelled",
    "handed back": "job handed back",
}
_LEVELS = {
    "done": logging.INFO,
    "retried": logging.WARNING,
    "parked": logging.ERROR,
    "cancelled": logging.INFO,
    "handed back": logging.INFO,
}


def _name_of(outcome: Outcome) -> str:
    match outcome.state:
        case JobState.SUCCEEDED:
            return "done"
        case JobState.PARKED:
            return "parked"
        case JobState.CANCELLED:
            return "cancelled"
        case _:
            return "handed back" if outcome.handed_back else "retried"


class QueueGauges:
    """Gauges of the queues. ``read``: returns the present numbers, or none when they cannot be read; it may block a moment."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        read: Callable[[], Iterable[QueueCounts] | None],
        redis_answers: Callable[[], bool],
        database_answers: Callable[[], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._read = read
        self._now = now
        gauges: dict[str, tuple[str, Callable[[QueueCounts], float]]] = {
            "aurum_jobs_waiting": ("Jobs that could run and that no worker has begun.", lambda one: one.waiting),
            "aurum_jobs_delayed": ("Jobs that wait for the time of their next attempt.", lambda one: one.delayed),
            "aurum_jobs_running": ("Jobs that run, in any worker.", lambda one: one.running),
            "aurum_jobs_parked": ("Jobs that failed for good.", lambda one: one.parked),
            "aurum_jobs_oldest_seconds": ("Seconds for which the oldest waiting job could have run.", self._age),
        }
        for name, (description, value) in gauges.items():
            metrics.gauge(name, description, self._reading(value), labels=("queue",))
        metrics.gauge(
            "aurum_queue_up", "1 while Redis, which carries wake-ups, answers.", lambda: [((), float(redis_answers()))]
        )
        metrics.gauge(
            "aurum_jobs_log_up", "1 while the database with the log of jobs answers.", lambda: [((), float(database_answers()))]
        )

    def _reading(self, value: Callable[[QueueCounts], float]) -> Callable[[], Reading]:
        def read() -> Reading:
            counts = self._read()
            known = frozenset(Queue)
            return [] if counts is None else [((one.queue,), float(value(one))) for one in counts if one.queue in known]

        return read

    def _age(self, counts: QueueCounts) -> float:
        return 0.0 if counts.oldest is None else max(0.0, (self._now() - counts.oldest).total_seconds())


def _truth_of(answers: Callable[[], bool]) -> Callable[[], Reading]:
    return lambda: [((), float(answers()))]
