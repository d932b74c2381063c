"""The worker process, ``python -m aurum.workers``.

It does the work of its roles until SIGTERM or SIGINT; then it ends the running jobs, or hands them back.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack, suppress

import structlog

from aurum.assembly.postgres import open_store
from aurum.assembly.store import Store
from aurum.common.errors import InvalidSetting
from aurum.common.settings import Settings, load_settings
from aurum.common.telemetry.logging import configure_logging
from aurum.common.telemetry.metrics import Metrics
from aurum.core.errors import Unavailable
from aurum.workers.essentials import EssentialEnded
from aurum.workers.export import exported_telemetry
from aurum.workers.jobs import Jobs, default_jobs
from aurum.workers.service import Service

JOBS = "aurum.workers.jobs:default_jobs"
"""The function that returns the jobs of this release, for the ready job process."""

_START_AGAIN_S = 1.0
_START_WITHIN_S = 30.0


def main() -> int:
    """Run a worker with the settings of this process and return the exit code. An expected failure prints one line."""
    try:
        settings = load_settings()
    except InvalidSetting as error:
        return _fail(str(error), 2)
    for name, url in (("AURUM_DATABASE__URL", settings.database.url), ("AURUM_REDIS__URL", settings.redis.url)):
        if url is None:
            return _fail(f"{name} is needed (`aurum up` sets it)", 1)
    configure_logging(settings.logging)
    return run_worker(settings, default_jobs(), JOBS)


def run_worker(settings: Settings, jobs: Jobs, jobs_path: str) -> int:
    """Run a worker until a signal, and return the exit code. ``jobs_path``: path ``module:function`` that returns ``jobs``."""
    try:
        asyncio.run(_serve(settings, jobs, jobs_path))
    except Unavailable as error:
        return _fail(f"AURUM_DATABASE__URL: {error.operator_detail}", 1)
    except EssentialEnded as error:
        structlog.get_logger(__name__).critical("the worker ends, to be started again", reason=str(error), exc_info=error)
        return _fail(str(error), 1)
    return 0


async def _serve(settings: Settings, jobs: Jobs, jobs_path: str) -> None:
    stop, metrics = asyncio.Event(), Metrics()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        store = await _opened(settings, stack, stop)
        if store is not None:
            tracer = stack.enter_context(exported_telemetry(settings, metrics))
            await Service(settings, store, jobs, jobs_path, metrics, tracer).run(stop)


async def _opened(settings: Settings, stack: AsyncExitStack, stop: asyncio.Event) -> Store | None:
    """Open the store. A server that is starting, or that starts again after a crash, is waited for a while.

    Returns None when a stop is requested meanwhile. Raises ``Unavailable``.
    """
    deadline, said = time.monotonic() + _START_WITHIN_S, False
    while not stop.is_set():
        try:
            return await stack.enter_async_context(open_store(settings))
        except Unavailable as error:
            passes_soon = error.retry_after is not None and error.retry_after <= _START_AGAIN_S
            if not passes_soon or time.monotonic() > deadline:
                raise
            if not said:
                said = True
                structlog.get_logger(__name__).warning("waiting for the database", reason=error.operator_detail)
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_AGAIN_S):
                await stop.wait()
    return None


def _fail(line: str, code: int) -> int:
    print(f"aurum.workers: {line}", file=sys.stderr)
    return code
