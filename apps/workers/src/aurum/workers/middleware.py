"""What became of each job: one line in the log, and the reason beside what is parked."""

from __future__ import annotations

from typing import Any

import structlog
from dramatiq import Broker, MessageProxy, Middleware, Retry
from dramatiq.brokers.redis import RedisBroker

from aurum.core.errors import AurumError
from aurum.pipelines.jobs import REASON

_log = structlog.get_logger(__name__)


class JobLog(Middleware):
    """Says of each job whether it is done, will be tried again or is parked, and why."""

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        # Stands before Retries, so it hears of what comes after a job later than Retries, which has decided by then.
        del broker, result  # Dramatiq gives them by name
        job = {"job": message.actor_name, "id": message.message_id}
        if exception is None:
            _log.info("job done", **job)
        elif message.failed:
            _log.error("job parked", **job, reason=_reason(exception))
        else:
            _log.warning("job will be tried again", **job, reason=_reason(exception), tries=message.options["retries"])


class ParkingReason(Middleware):
    """Writes the reason into a message before Dramatiq moves it, as it stands in Redis, to the dead-letter queue."""

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        del broker, result
        if exception is not None:
            message.options[REASON] = _reason(exception)

    def before_nack(self, broker: Broker, message: MessageProxy) -> None:
        if not isinstance(broker, RedisBroker):
            raise TypeError(f"messages stand in Redis, not in {type(broker).__name__}")
        # What is nobody's job comes here without having been tried.
        message.options.setdefault(REASON, f"no job is called {message.actor_name}")
        waiting = f"{broker.namespace}:{message.queue_name}.msgs"
        broker.client.hset(waiting, message.options["redis_message_id"], message.encode())


def _reason(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, Retry) and error.__cause__ is not None else error
    return cause.detail if isinstance(cause, AurumError) else f"{type(cause).__name__} {cause}".strip()
