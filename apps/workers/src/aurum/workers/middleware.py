"""One line a job: done, to be tried again, or parked, with the reason."""

from __future__ import annotations

from typing import Any

import structlog
from dramatiq import Broker, MessageProxy, Middleware

from aurum.workers.outcomes import should_retry

_log = structlog.get_logger(__name__)


class JobLog(Middleware):
    """Logs what became of each message."""

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        del broker, result  # Dramatiq gives them by name
        if exception is None:
            _log.info("job done", job=message.actor_name, id=message.message_id)
            return
        # Retries has counted this failure already.
        again = should_retry(int(message.options.get("retries", 1)) - 1, exception)
        log = _log.warning if again else _log.error
        log("job failed", job=message.actor_name, id=message.message_id, reason=str(exception), again=again)
