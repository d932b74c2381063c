"""The access log: one line for each request with method, path, status and milliseconds.

Failures of the service are logged as WARNING, refusals as INFO, successes as DEBUG: by default these cost nothing.
"""

from __future__ import annotations

import logging
import time

import structlog
from starlette.types import Scope

from aurum.api.http.request_state import RequestState

_log = structlog.get_logger(__name__)
_level = logging.getLogger(__name__)


def log_access(scope: Scope, state: RequestState) -> None:
    """An observer of ``RequestContext``."""
    level = _level_of(state.status)
    if not _level.isEnabledFor(level):
        return
    took = (time.perf_counter() - state.started) * 1000
    _log.log(
        level,
        "request",
        method=scope["method"],
        path=scope["path"],
        status=state.status,
        milliseconds=round(took, 3),
        cache=state.cache,
    )


def _level_of(status: int) -> int:
    # 0: the client was gone before the response; what else ends a request without one is logged where it happens.
    if status < 400:
        return logging.DEBUG
    return logging.INFO if 400 <= status < 500 or status == 501 else logging.WARNING
