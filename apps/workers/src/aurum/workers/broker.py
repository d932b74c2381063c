"""The broker and its actors, made for some settings: nothing happens at import."""

from __future__ import annotations

import asyncio
from typing import Any

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Callbacks, Retries, ShutdownNotifications, TimeLimit

from aurum.common.settings import Settings
from aurum.pipelines.jobs import FETCH_DAY, INGEST_FILE, INGEST_QUEUE
from aurum.workers.jobs.fetch import FetchJob
from aurum.workers.jobs.ingest import IngestJob
from aurum.workers.middleware import JobLog
from aurum.workers.outcomes import EXPECTED, LONGEST_WAIT_MS, SHORTEST_WAIT_MS, should_retry

_LONGEST_JOB_MS = 3_600_000
_log = structlog.get_logger(__name__)


def make_broker(settings: Settings) -> RedisBroker:
    """A broker over the settings' Redis, with every job declared."""
    retries = Retries(min_backoff=SHORTEST_WAIT_MS, max_backoff=LONGEST_WAIT_MS, retry_when=should_retry)
    broker = RedisBroker(
        url=settings.redis.url,
        middleware=[
            AgeLimit(),
            TimeLimit(time_limit=_LONGEST_JOB_MS),
            ShutdownNotifications(),
            Callbacks(),
            retries,
            JobLog(),
        ],
        # How long a worker may be silent before its messages go to another.
        heartbeat_timeout=30_000,
    )
    _declare(broker, INGEST_FILE, IngestJob(settings))
    _declare(broker, FETCH_DAY, FetchJob(settings))
    return broker


def _declare(broker: RedisBroker, name: str, job: IngestJob | FetchJob) -> None:
    def perform(**payload: Any) -> None:
        for report in asyncio.run(job.run(payload)):
            _log.info(
                "file",
                name=report.name,
                outcome=str(report.outcome),
                reason=report.reason,
                new=report.new,
                revised=report.revised,
                quarantined=report.quarantined,
            )

    options = {"throws": EXPECTED}
    dramatiq.Actor(perform, broker=broker, actor_name=name, queue_name=INGEST_QUEUE, priority=0, options=options)
