"""Names and payloads of jobs, and the queue they are put into, for processes that do not import the worker.

The schemas in ``contracts/events`` describe the payloads; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Annotated, ClassVar, Literal, cast

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from redis import Redis
from redis.exceptions import RedisError

from aurum.common.resilience.unreachable import cause_of, server_of
from aurum.core.errors import Unavailable
from aurum.core.markettime import MOMENT_PATTERN, InvalidInstant, parse_day

INGEST_QUEUE = "ingest"
REASON = "reason"
"""Name of the message option that holds why a job was parked."""


class QueueUnavailable(Unavailable):
    """The queue does not answer."""


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"path {str(path)!r} is not absolute: give an absolute path, a worker runs in another folder")
    return path


def _day_as_written(value: object) -> object:
    """Return the day of a text ``YYYY-MM-DD``; Pydantic alone also reads a number, as seconds since 1970."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return parse_day(str(value))
    except InvalidInstant as error:
        raise ValueError(error.detail) from error


class Job(BaseModel):
    """The payload of a job. ``name``: the job's name, which is also that of its schema in ``contracts/events``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[str]


class IngestFile(Job):
    """Load one file that the worker can read. Repeating the job changes nothing."""

    name: ClassVar[str] = "ingest.file"

    path: Annotated[Path, AfterValidator(_absolute)] = Field(description="Absolute path of the file.")
    known_at: str | None = Field(
        default=None,
        description="A time with an offset, such as 2025-11-02T14:00:00Z, 'file' or 'schedule'.",
        pattern=f"^(file|schedule|{MOMENT_PATTERN})$",
    )
    force: bool = Field(default=False, description="Load again what was loaded before.")


class FetchDay(Job):
    """Download one day's file of a dataset from its publisher and load it."""

    name: ClassVar[str] = "fetch.day"

    source: str = Field(description="Name of the source.")
    dataset: str = Field(description="Name of the dataset within its source.")
    day: Annotated[date, BeforeValidator(_day_as_written)] = Field(description="Local day of the dataset, YYYY-MM-DD.")


class ReplayFile(Job):
    """Load a file that has rows in quarantine again, with the known time it had before."""

    name: ClassVar[str] = "quarantine.replay"

    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of its content, hexadecimal.")


class ArchiveMonths(Job):
    """Move closed months to history, then compact its files. Repeating the job changes nothing."""

    name: ClassVar[str] = "history.archive"

    source: str | None = Field(default=None, description="Only of this source.")


class DbtRun(Job):
    """Build or test the dbt models."""

    name: ClassVar[str] = "dbt.run"

    verb: Literal["build", "run", "test", "freshness", "docs"] = Field(default="build", description="The dbt command to run.")
    select: tuple[str, ...] = Field(default=(), description="Only these models, in dbt's syntax.")
    exclude: tuple[str, ...] = Field(default=(), description="All but these.")
    full_refresh: bool = Field(default=False, description="Build incremental models from nothing.")


JOBS: dict[str, type[Job]] = {job.name: job for job in (IngestFile, FetchDay, ReplayFile, ArchiveMonths, DbtRun)}
"""Payload class of each job, by the job's name."""


class ParkedJob(BaseModel):
    """A job that failed for good. ``payload``: as it was in the queue, valid or not. ``parked_at``: UTC."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    payload: dict[str, object]
    reason: str
    parked_at: datetime


class JobQueue:
    """The job queue on a Redis server; use as a context manager. Every method raises ``QueueUnavailable``.

    ``options``: returns the message options that each job takes along, such as its caller and its trace.
    """

    def __init__(self, url: str, *, options: Callable[[], Mapping[str, object]] = dict) -> None:
        self._options = options
        self._server = server_of(url, port=6379)
        self._client: Redis = Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType] - open keywords
        self._broker = RedisBroker(client=self._client, middleware=[])
        self._broker.declare_queue(INGEST_QUEUE)

    def __enter__(self) -> JobQueue:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._broker.close()

    def put(self, job: Job) -> str:
        """Put a job into the queue and return the id of its message."""
        payload = job.model_dump(mode="json")
        message: Message[None] = Message(
            queue_name=INGEST_QUEUE, actor_name=job.name, args=(), kwargs=payload, options={**self._options()}
        )
        with _queue_errors(self._server):
            self._broker.enqueue(message)  # pyright: ignore[reportUnknownMemberType] - Dramatiq leaves the result's type open
        return message.message_id

    def ping(self) -> None:
        """Return when the server answers."""
        with _queue_errors(self._server):
            self._client.ping()  # pyright: ignore[reportUnknownMemberType] - one signature for two kinds of client

    def parked(self) -> list[ParkedJob]:
        """Return the jobs that failed for good, the oldest first."""
        key = f"{self._broker.namespace}:{INGEST_QUEUE}.XQ"
        with _queue_errors(self._server):
            answer = self._client.zrange(key, 0, -1, withscores=True)  # pyright: ignore[reportUnknownMemberType] - as ping
            times = cast("list[tuple[bytes, float]]", answer)
            contents = cast("dict[bytes, bytes]", self._client.hgetall(f"{key}.msgs"))
        return [_parked_job(contents[message_id], parked_ms) for message_id, parked_ms in times if message_id in contents]


def _parked_job(content: bytes, parked_ms: float) -> ParkedJob:
    message = cast("Message[None]", Message.decode(content))  # pyright: ignore[reportUnknownMemberType] - its type is open
    return ParkedJob(
        id=message.message_id,
        name=message.actor_name,
        payload=message.kwargs,
        reason=message.options.get(REASON, ""),
        parked_at=datetime.fromtimestamp(parked_ms / 1000, UTC),
    )


@contextmanager
def _queue_errors(server: str) -> Generator[None]:
    try:
        yield
    except RedisError as error:
        text = "the job queue does not answer: check AURUM_REDIS__URL"
        raise QueueUnavailable(text, retry_after=1.0, where=f"{server}: {cause_of(error)}") from error
