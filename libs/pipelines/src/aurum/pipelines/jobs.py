"""Jobs by name and payload, as they stand in the queue: what a worker does, anybody may ask for without importing it.

Payloads are described in ``contracts/events``; a test compares.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from pydantic import BaseModel, ConfigDict, Field
from redis.exceptions import RedisError

from aurum.core.errors import Unavailable

INGEST_QUEUE = "ingest"
INGEST_FILE = "ingest.file"
FETCH_DAY = "fetch.day"


class QueueUnavailable(Unavailable):
    """The queue does not answer."""


class IngestFile(BaseModel):
    """Load one file that the worker can read. Done twice it does nothing twice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="Absolute path of the file.")
    known_at: str | None = Field(default=None, description="A time with offset, 'file' or 'schedule'.")
    force: bool = Field(default=False, description="Load again what was loaded before.")


class FetchDay(BaseModel):
    """Get one day's file of a dataset from its publisher and load it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    dataset: str
    day: date


JOBS: dict[str, type[BaseModel]] = {INGEST_FILE: IngestFile, FETCH_DAY: FetchDay}
"""Every job there is, by name."""


def enqueue(url: str, name: str, payload: BaseModel) -> str:
    """Put a job into the queue of a Redis server; gives the id of its message. Raises ``QueueUnavailable``."""
    message: Message[None] = Message(
        queue_name=INGEST_QUEUE,
        actor_name=name,
        args=(),
        kwargs=payload.model_dump(mode="json"),
        options={},
    )
    broker = RedisBroker(url=url)
    try:
        broker.declare_queue(INGEST_QUEUE)
        broker.enqueue(message)  # pyright: ignore[reportUnknownMemberType] - Dramatiq leaves the result's type open
    except RedisError as error:
        raise QueueUnavailable("the queue does not answer: check AURUM_REDIS__URL", retry_after=1.0) from error
    finally:
        broker.close()
    return message.message_id
