"""One line a request: method, path, status, milliseconds. At DEBUG for what went well, so that it costs nothing by default."""

from __future__ import annotations

import logging
import time

import structlog
from starlette.types import Scope

from aurum.api.request_state import RequestState

_log = structlog.get_logger(__name__)
_level = logging.getLogger(__name__)


def log_access(scope: Scope, state: RequestState) -> None:
    """An observer of ``RequestContext``."""
    if not _level.isEnabledFor(logging.DEBUG):
        return
    took = (time.perf_counter() - state.started) * 1000
    _log.debug(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=state.status,
        milliseconds=round(took, 3),
        cache=state.cache,
    )
