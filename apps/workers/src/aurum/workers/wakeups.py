"""Wake-ups: messages of Dramatiq over Redis that say in which queue jobs wait.

A message names the announced jobs, for people who look into the queues; a worker that receives it looks into the log of jobs.
So a message that is lost, doubled, foreign or damaged does no harm. Only Dramatiq touches its keys in Redis: ``enqueue`` sends
messages, ``consume`` receives them, and ``flush`` empties a queue with a message that cannot be read.

Dramatiq's own ``Worker`` is not used: a message with a foreign queue name ends its threads, it receives messages while it
cannot run their jobs, and each of its actors blocks a thread.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import structlog
from dramatiq import Message
from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError
from redis import Redis
from redis.exceptions import RedisError

from aurum.core.errors import Unavailable
from aurum.core.jobs.states import Queue
from aurum.storage.ports.jobs import Announced

ACTOR = "run"
"""The name of the actor in messages."""

_POLL_MS = {Queue.INTERACTIVE: 30, Queue.BULK: 150, Queue.MAINTENANCE: 500}
"""Longest pause between two looks into a queue of Redis: Dramatiq has no blocking receive."""
_JOBS_A_MESSAGE = 16
_PREFETCH = 32
_TIMEOUT_S = 5.0
_AWAY_S = 1.0
"""Pause before Redis is tried again."""
_ROOM_S = 0.5

_REDIS_ERRORS = (RedisError, BrokerConnectionError, OSError)

_log = structlog.get_logger(__name__)


class WakeUpsUnavailable(Unavailable):
    """Redis does not answer, so no wake-ups can be sent."""


class WakeUps:
    """Sends and receives wake-ups. ``wake``: called with a queue in which jobs wait, in the thread of its listener."""

    def __init__(self, url: str, wake: Callable[[str], None]) -> None:
        self._wake = wake
        client: Redis = Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
        # Expired messages and the hints of killed workers are worth nothing: no maintenance.
        self._broker = RedisBroker(client=client, middleware=[])
        self._client = client
        for queue in Queue:
            self._broker.declare_queue(queue)
        self._stop = threading.Event()
        self._reachable = True
        self._changing = threading.Lock()
        self.listeners: Mapping[str, Listener] = {
            queue: Listener(queue, self._broker, self._received, self._stop, self.answered, self.failed) for queue in Queue
        }
        """A thread for each queue."""

    @property
    def is_reachable(self) -> bool:
        """Whether Redis has answered last."""
        return self._reachable

    def start(self) -> None:
        """Start to listen to all queues."""
        for listener in self.listeners.values():
            listener.start()

    def stop(self) -> None:
        """End the listeners and disconnect."""
        self._stop.set()
        for listener in self.listeners.values():
            if listener.ident is not None:
                listener.room.set()
                listener.join()
        self._broker.close()
        self._client.close()

    def announce(self, jobs: Iterable[Announced]) -> None:
        """Send wake-ups for jobs; it blocks. Raises ``WakeUpsUnavailable``."""
        by_queue: defaultdict[str, list[str]] = defaultdict(list)
        for job in jobs:
            by_queue[job.queue].append(job.job_id)
        self._send((queue, part) for queue, ids in by_queue.items() for part in _parts(ids))

    def remind(self, queues: Iterable[str]) -> None:
        """Send a wake-up for each queue; it blocks. Raises ``WakeUpsUnavailable``."""
        self._send((queue, []) for queue in queues)

    def answered(self) -> None:
        """Note that Redis answers."""
        with self._changing:
            was_reachable, self._reachable = self._reachable, True
        if not was_reachable:
            _log.info("Redis answers again")
            for queue in self.listeners:
                self._wake(queue)

    def failed(self, error: BaseException) -> None:
        """Note that Redis does not answer."""
        with self._changing:
            was_reachable, self._reachable = self._reachable, False
        if was_reachable:
            _log.warning(
                "Redis does not answer; the worker is woken by the database instead",
                reason=f"{type(error).__name__}: {error}",
                setting="AURUM_REDIS__URL",
            )

    def _send(self, messages: Iterable[tuple[str, Sequence[str]]]) -> None:
        try:
            for queue, ids in messages:
                self._broker.enqueue(Message(queue, ACTOR, (), {"jobs": list(ids)}, {}))
        except _REDIS_ERRORS as error:
            self.failed(error)
            raise WakeUpsUnavailable("Redis does not answer: check AURUM_REDIS__URL", retry_after=_AWAY_S) from error
        self.answered()

    def _received(self, queue: str) -> None:
        self._wake(queue)


class Listener(threading.Thread):
    """Receives the wake-ups of one queue. ``room``: cleared while the worker has no room for jobs of the queue, so that its
    messages wait for another worker.
    """

    def __init__(
        self,
        queue: Queue,
        broker: RedisBroker,
        received: Callable[[str], None],
        stop: threading.Event,
        answered: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name=f"wake-ups of {queue}", daemon=True)
        self.room = threading.Event()
        self.room.set()
        self._queue = queue
        self._broker = broker
        self._received = received
        self._stopping = stop
        self._answered = answered
        self._failed = failed
        self._consumer: Consumer | None = None

    def run(self) -> None:
        while not self._stopping.is_set():
            if not self.room.wait(_ROOM_S):
                continue
            try:
                if self._consumer is None:
                    self._consumer = self._broker.consume(self._queue, prefetch=_PREFETCH, timeout=_POLL_MS[self._queue])
                self._receive(self._consumer)
                self._answered()
            except _REDIS_ERRORS as error:
                self._failed(error)
                self._consumer = None
                self._stopping.wait(_AWAY_S)

    def _receive(self, consumer: Consumer) -> None:
        """Wait for a message for the time of a poll, and act on it."""
        try:
            message = next(consumer)
        except _REDIS_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - the bytes may come from anywhere, and Dramatiq assumes its own form
            self._empty(f"{type(error).__name__}: {error}")
            return
        if message is None:
            return
        if message.actor_name == ACTOR and message.queue_name == self._queue:
            self._acknowledge(consumer, message)
            self._received(self._queue)
        else:
            _log.warning(
                "a foreign message was dropped", queue=self._queue, actor=message.actor_name, names_queue=message.queue_name
            )
            self._acknowledge(consumer, message)

    def _acknowledge(self, consumer: Consumer, message: object) -> None:
        try:
            consumer.ack(message)  # type: ignore[arg-type]
        except (KeyError, TypeError, AttributeError) as error:  # options without the id that Dramatiq adds
            self._empty(f"{type(error).__name__}: {error}")

    def _empty(self, reason: str) -> None:
        """Empty the queue, whose messages are hints only, and look into the log of jobs at once."""
        _log.warning("a message cannot be read; the queue of wake-ups is emptied", queue=self._queue, reason=reason)
        self._broker.flush(self._queue)
        self._received(self._queue)


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _JOBS_A_MESSAGE] for start in range(0, len(ids), _JOBS_A_MESSAGE))
