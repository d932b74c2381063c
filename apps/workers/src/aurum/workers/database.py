"""The database as a worker sees it: there, or away for a while. Nothing is lost meanwhile, and calls are repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from aurum.core.errors import Unavailable

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 3.0

_log = structlog.get_logger(__name__)


class Database:
    """Whether the database answers, said once when it changes."""

    def __init__(self) -> None:
        self.is_reachable = True
        self._pause_s = _FIRST_PAUSE_S

    async def until_it_answers(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until the database answers, and return its answer."""
        while True:
            answer = await self.once(call)
            if answer is not None:
                return answer[0]

    async def once(self, call: Callable[[], Awaitable[T]]) -> tuple[T] | None:
        """Call once. Return the answer; None, after a pause, when the database does not answer."""
        try:
            answer = await call()
        except Unavailable as error:
            await self.failed(error)
            return None
        self.answered()
        return (answer,)

    def answered(self) -> None:
        """Note that the database answers."""
        self._pause_s = _FIRST_PAUSE_S
        if not self.is_reachable:
            self.is_reachable = True
            _log.info("the database answers again")

    async def failed(self, error: Unavailable) -> None:
        """Note that the database does not answer, and wait a little, longer each time."""
        if self.is_reachable:
            self.is_reachable = False
            _log.warning("the database does not answer; jobs wait until it does", reason=error.operator_detail)
        pause, self._pause_s = self._pause_s, min(self._pause_s * 2, _LONGEST_PAUSE_S)
        await asyncio.sleep(pause)
