"""Removal of expired records, as a background task."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from aurum.common.cache import TierUnavailable
from aurum.core.errors import Unavailable

_EVERY_S = 900.0

Sweep = Callable[[], Awaitable[int]]
"""Deletes expired records and returns their number. Two processes may run it. Raises ``Unavailable``, ``TierUnavailable``."""

_log = structlog.get_logger(__name__)


async def sweep_often(*sweeps: Sweep, every_s: float = _EVERY_S) -> None:
    """Run all sweeps about every quarter of an hour until cancelled. One whose store does not answer runs again next time."""
    while True:
        # Random, so that not all processes sweep at once.
        await asyncio.sleep(every_s * random.uniform(0.8, 1.2))  # noqa: S311 - nothing secret
        for sweep in sweeps:
            try:
                gone = await sweep()
            except (Unavailable, TierUnavailable) as error:
                _log.warning("expired records not removed", what=sweep.__qualname__, reason=str(error))
            else:
                _log.debug("expired records removed", what=sweep.__qualname__, gone=gone)
