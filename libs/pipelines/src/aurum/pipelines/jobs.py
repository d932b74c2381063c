"""Jobs by name and payload, as they stand in the queue: what a worker does, anybody may ask for without importing it.

Payloads are described in ``contracts/events``; a test compares.
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
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from redis import Redis
from redis.exceptions import RedisError

from aurum.core.errors import Unavailable

INGEST_QUEUE = "ingest"
REASON = "reason"
"""The option under which a parked message says why."""


class QueueUnavailable(Unavailable):
    """The queue does not answer."""


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("the path is not absolute: a worker runs in a folder of its own")
    return path


class Job(BaseModel):
    """What is to be done. ``name``: of the job, and of its schema in ``contracts/events``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[str]


class IngestFile(Job):
    """Load one file that the worker can read. Done twice it does nothing twice."""

    name: ClassVar[str] = "ingest.file"

    path: Annotated[Path, AfterValidator(_absolute)] = Field(description="Absolute path of the file.")
    known_at: str | None = Field(default=None, description="A time with offset, 'file' or 'schedule'.")
    force: bool = Field(default=False, description="Load again what was loaded before.")


class FetchDay(Job):
    """Get one day's file of a dataset from its publisher and load it."""

    name: ClassVar[str] = "fetch.day"

    source: str = Field(description="Name of the source.")
    dataset: str = Field(description="Name of the dataset within its source.")
    day: date = Field(description="Local day of the dataset.")


class ReplayFile(Job):
    """Load a file again that has rows in quarantine, with the known time it had."""

    name: ClassVar[str] = "quarantine.replay"

    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of its content, hexadecimal.")


class ArchiveMonths(Job):
    """Move closed months to history, then compact its files. Done twice it does nothing twice."""

    name: ClassVar[str] = "history.archive"

    source: str | None = Field(default=None, description="Only of this source.")


class DbtRun(Job):
    """Build or test the models over the store."""

    name: ClassVar[str] = "dbt.run"

    verb: Literal["build", "run", "test", "freshness", "docs"] = Field(default="build", description="What dbt is asked to do.")
    select: tuple[str, ...] = Field(default=(), description="Only these models, in dbt's syntax.")
    exclude: tuple[str, ...] = Field(default=(), description="All but these.")
    full_refresh: bool = Field(default=False, description="Build incremental models from nothing.")


JOBS: dict[str, type[Job]] = {job.name: job for job in (IngestFile, FetchDay, ReplayFile, ArchiveMonths, DbtRun)}
"""Every job there is, by name."""


class ParkedJob(BaseModel):
    """A job that failed for good. ``payload``: as it stood in the queue, which may be why. ``parked_at``: UTC."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    payload: dict[str, object]
    reason: str
    parked_at: datetime


class JobQueue:
    """The queue on a Redis server; use as a context manager. Every method raises ``QueueUnavailable``.

    ``carried``: what goes along with each job as options of its message: whose work it is, and in which trace.
    """

    def __init__(self, url: str, *, carried: Callable[[], Mapping[str, object]] = dict) -> None:
        self._carried = carried
        self._client: Redis = Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType] - open keywords
        self._broker = RedisBroker(client=self._client, middleware=[])
        self._broker.declare_queue(INGEST_QUEUE)

    def __enter__(self) -> JobQueue:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._broker.close()

    def put(self, job: Job) -> str:
        """Ask for a job; gives the id of its message."""
        payload = job.model_dump(mode="json")
        message: Message[None] = Message(
            queue_name=INGEST_QUEUE, actor_name=job.name, args=(), kwargs=payload, options={**self._carried()}
        )
        with _queue_errors():
            self._broker.enqueue(message)  # pyright: ignore[reportUnknownMemberType] - Dramatiq leaves the result's type open
        return message.message_id

    def ping(self) -> None:
        """Return when the server answers."""
        with _queue_errors():
            self._client.ping()  # pyright: ignore[reportUnknownMemberType] - one signature for two kinds of client

    def parked(self) -> list[ParkedJob]:
        """The jobs that failed for good, the oldest first."""
        folder = f"{self._broker.namespace}:{INGEST_QUEUE}.XQ"
        with _queue_errors():
            answer = self._client.zrange(folder, 0, -1, withscores=True)  # pyright: ignore[reportUnknownMemberType] - as ping
            times = cast("list[tuple[bytes, float]]", answer)
            contents = cast("dict[bytes, bytes]", self._client.hgetall(f"{folder}.msgs"))
        return [_parked(contents[key], parked_ms) for key, parked_ms in times if key in contents]


def _parked(content: bytes, parked_ms: float) -> ParkedJob:
    message = cast("Message[None]", Message.decode(content))  # pyright: ignore[reportUnknownMemberType] - of an open type
    return ParkedJob(
        id=message.message_id,
        name=message.actor_name,
        payload=message.kwargs,
        reason=message.options.get(REASON, ""),
        parked_at=datetime.fromtimestamp(parked_ms / 1000, UTC),
    )


@contextmanager
def _queue_errors() -> Generator[None]:
    try:
        yield
    except RedisError as error:
        raise QueueUnavailable("the queue does not answer: check AURUM_REDIS__URL", retry_after=1.0) from error
