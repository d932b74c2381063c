"""What is kept for a time, and is over: forgotten beside the requests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from aurum.common.cache import TierAway
from aurum.core.errors import Unavailable

_EVERY_S = 900.0

Sweep = Callable[[], Awaitable[int]]
"""Forgets what is over; gives how many that were. Two processes may do it at once. Raises ``Unavailable``, ``TierAway``."""

_log = structlog.get_logger(__name__)


async def sweep_often(*sweeps: Sweep, every_s: float = _EVERY_S) -> None:
    """All of them every quarter of an hour or so, for ever; cancel it to end it. A store that is away is asked next time."""
    while True:
        # Not all processes at once.
        await asyncio.sleep(every_s * random.uniform(0.8, 1.2))  # noqa: S311 - nothing secret
        for sweep in sweeps:
            try:
                gone = await sweep()
            except (Unavailable, TierAway) as error:
                _log.warning("not swept", what=sweep.__qualname__, reason=str(error))
            else:
                _log.debug("swept", what=sweep.__qualname__, gone=gone)
