"""Middleware that logs the outcome of each job and stores the reason in parked messages."""

from __future__ import annotations

from typing import Any

import structlog
from dramatiq import Broker, MessageProxy, Middleware, Retry
from dramatiq.brokers.redis import RedisBroker

from aurum.core.errors import AurumError
from aurum.pipelines.jobs import REASON

_log = structlog.get_logger(__name__)


class JobLog(Middleware):
    """Middleware that logs whether a job is done, will be tried again or is parked, and why."""

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        # It stands before Retries, so Dramatiq calls this after Retries, which has then decided.
        del broker, result  # Dramatiq passes them by name
        job = {"job": message.actor_name, "id": message.message_id}
        if exception is None:
            _log.info("job done", **job)
        elif message.failed:
            _log.error("job parked", **job, reason=_reason(exception))
        else:
            _log.warning("job will be tried again", **job, reason=_reason(exception), tries=message.options["retries"])


class ParkingReason(Middleware):
    """Middleware that writes the reason into the message in Redis before Dramatiq moves it to the dead-letter queue."""

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        del broker, result
        if exception is not None:
            message.options[REASON] = _reason(exception)

    def before_nack(self, broker: Broker, message: MessageProxy) -> None:
        if not isinstance(broker, RedisBroker):
            raise TypeError(f"the broker is a {type(broker).__name__}; only a RedisBroker is supported")
        # A message without a declared job comes here without a try.
        message.options.setdefault(REASON, f"no job is called {message.actor_name}")
        messages = f"{broker.namespace}:{message.queue_name}.msgs"
        broker.client.hset(messages, message.options["redis_message_id"], message.encode())


def _reason(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, Retry) and error.__cause__ is not None else error
    return cause.detail if isinstance(cause, AurumError) else f"{type(cause).__name__} {cause}".strip()
