"""Background tasks that run as long as the service does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager

import structlog

from aurum.common.telemetry.untraced import untraced

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def background(*work: Coroutine[object, object, None]) -> AsyncGenerator[None]:
    """Run coroutines for the length of the block. One that fails is logged and ends; the service goes on."""
    with untraced():
        tasks = [asyncio.create_task(one, name=one.__qualname__) for one in work]
    for task in tasks:
        task.add_done_callback(_report)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("background work failed", work=task.get_name(), exc_info=error)
