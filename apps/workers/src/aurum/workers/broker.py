"""The Dramatiq broker and its actors, created for the context of a worker."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias, TypeVar

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage, Retries, TimeLimit
from opentelemetry.trace import Tracer

from aurum.common.telemetry.metrics import Metrics
from aurum.core.errors import AurumError
from aurum.pipelines.history.archive import ArchiveReport
from aurum.pipelines.jobs import INGEST_QUEUE, ArchiveMonths, DbtRun, FetchDay, IngestFile, ReplayFile
from aurum.pipelines.loading.load import FileReport
from aurum.pipelines.models.run import RunReport
from aurum.workers.fates import JobFate, fate_of, should_retry, wait_ms
from aurum.workers.jobs.archive import ArchiveJob
from aurum.workers.jobs.dbt import DbtJob
from aurum.workers.jobs.fetch import FetchJob
from aurum.workers.jobs.ingest import IngestJob
from aurum.workers.jobs.replay import ReplayJob
from aurum.workers.middleware import JobLog, ParkingReason
from aurum.workers.telemetry import JobTallies
from aurum.workers.tracing import JobContext
from aurum.workers.wiring import WorkerContext

_LONGEST_JOB_MS = 3_600_000
_HEARTBEAT_TIMEOUT_MS = 30_000
_PARKED_FOR_MS = 90 * 24 * 3_600_000
# In millionths: one command in ten triggers maintenance. A worker sends at least one command a second, so the messages of a
# killed worker are requeued about ten seconds after its heartbeat times out.
_MAINTENANCE_CHANCE = 100_000

ReportT = TypeVar("ReportT")
Run: TypeAlias = Callable[[Mapping[str, object]], Coroutine[Any, Any, list[ReportT]]]

_log = structlog.get_logger(__name__)


def make_broker(
    context: WorkerContext,
    *,
    heartbeat_timeout_ms: int = _HEARTBEAT_TIMEOUT_MS,
    metrics: Metrics | None = None,
    tracer: Tracer | None = None,
) -> RedisBroker:
    """Return a broker on the Redis of the settings, with an actor for every job.

    ``heartbeat_timeout_ms``: how long a worker may send nothing before its jobs go to another one. ``metrics``: where jobs are
    counted. ``tracer``: makes the spans of jobs; None where no traces are sent.
    """
    metrics = metrics or Metrics()
    tallies = JobTallies(metrics)
    broker = RedisBroker(
        url=context.settings.redis.url,
        middleware=[
            CurrentMessage(),
            TimeLimit(time_limit=_LONGEST_JOB_MS),
            JobContext(tracer),
            JobLog(),
            tallies,
            Retries(retry_when=should_retry),
            ParkingReason(),
        ],
        heartbeat_timeout=heartbeat_timeout_ms,
        dead_message_ttl=_PARKED_FOR_MS,
        maintenance_chance=_MAINTENANCE_CHANCE,
    )

    def count_and_log(report: FileReport) -> None:
        tallies.count_file(report)
        _log_file(report)

    pipelines = context.pipelines
    _declare(broker, context, IngestFile.name, IngestJob(pipelines).run, count_and_log)
    _declare(broker, context, FetchDay.name, FetchJob(pipelines).run, count_and_log)
    _declare(broker, context, ReplayFile.name, ReplayJob(pipelines).run, count_and_log)
    _declare(broker, context, ArchiveMonths.name, ArchiveJob(pipelines).run, _log_archived)
    _declare(broker, context, DbtRun.name, DbtJob(pipelines).run, _log_built)
    return broker


def _declare(broker: RedisBroker, context: WorkerContext, name: str, run: Run[ReportT], log: Callable[[ReportT], None]) -> None:
    """Declare the actor of a job, which logs each report of a run."""

    def perform(**payload: Any) -> None:
        try:
            context.loop.run(context.check_schema())
            reports = context.loop.run(run(payload))
        except AurumError as error:
            if fate_of(error) is JobFate.PARK:
                raise
            raise dramatiq.Retry(error.detail, delay=wait_ms(_tries(), error)) from error
        for report in reports:
            log(report)

    # Expected failures are parked without a stack trace in the log.
    options = {"throws": AurumError}
    dramatiq.Actor(perform, broker=broker, actor_name=name, queue_name=INGEST_QUEUE, priority=0, options=options)


def _tries() -> int:
    message = CurrentMessage.get_current_message()
    return 0 if message is None else int(message.options.get("retries", 0))


def _log_file(report: FileReport) -> None:
    _log.info(
        "file processed",
        name=report.name,
        outcome=str(report.outcome),
        reason=report.reason,
        new=report.new,
        revised=report.revised,
        quarantined=report.quarantined,
        suspect_series=report.suspect_series,
        unit_jumps=[asdict(jump) for jump in report.unit_jumps],
    )


def _log_built(report: RunReport) -> None:
    _log.info("models built", run_id=report.run_id, command=report.run.command, target=report.run.target)


def _log_archived(report: ArchiveReport) -> None:
    _log.info(
        "months archived",
        source=report.source,
        months=str(report.months),
        archive_id=report.archive_id,
        parts=report.parts,
        rows=report.rows,
        left=report.left,
    )
