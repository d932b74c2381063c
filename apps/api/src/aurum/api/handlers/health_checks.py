"""What the service depends on, each looked at by itself, all at once, none for longer than a second."""

from __future__ import annotations

import asyncio
import math
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from aurum.core.errors import Unavailable
from aurum.storage.ports.changes import ChangeFeed
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.probe import StoreProbe

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATIENCE_S = 1.0
_log = structlog.get_logger(__name__)

_BEHIND_S = 2.0
_LEAST_FREE = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """How a dependency is: ``ok``, or a word for what is wrong. ``detail``: a sentence without secrets."""

    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A dependency. ``needed``: without it the service cannot serve; else it serves worse."""

    name: str
    look: Callable[[], Awaitable[Finding]]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look, and how long it took."""

    check: HealthCheck
    finding: Finding
    seconds: float

    @property
    def is_ok(self) -> bool:
        return self.finding.status == "ok"


async def look_at(checks: Sequence[HealthCheck]) -> list[Looked]:
    """Look at all, at once."""
    return list(await asyncio.gather(*map(_look, checks)))


async def _look(check: HealthCheck) -> Looked:
    started = time.perf_counter()
    looking = asyncio.ensure_future(check.look())
    try:
        await asyncio.wait([looking], timeout=PATIENCE_S)
        finding = looking.result() if looking.done() else Finding("unavailable", f"did not answer within {PATIENCE_S:g} s")
    except TimeoutError:
        finding = Finding("unavailable", "did not answer in time")
    except Unavailable as error:
        finding = Finding("unavailable", error.detail)
    finally:
        # Not awaited: what it holds of a silent server may take seconds to be let go. Nor is it left to a failure of its own.
        looking.add_done_callback(_ended)
        looking.cancel()
    return Looked(check, finding, time.perf_counter() - started)


def _ended(look: asyncio.Future[Finding]) -> None:
    if not look.cancelled() and (error := look.exception()) is not None and not isinstance(error, TimeoutError | Unavailable):
        _log.error("health check broke", exc_info=error)


def store_check(probe: StoreProbe) -> HealthCheck:
    """The store answers, and this release runs on its schema."""

    async def look() -> Finding:
        state = await probe.look()
        if state.mismatch is None:
            return Finding("ok", f"schema {state.schema}")
        return Finding(state.mismatch.kind, state.mismatch.detail)

    return HealthCheck("store", look)


def feed_check(feed: ChangeFeed) -> HealthCheck:
    """The change feed vouches for what is kept."""

    async def look() -> Finding:
        behind = time.monotonic() - feed.told_until
        if behind < _BEHIND_S:
            return Finding("ok", f"changes are told as they are committed; all up to {max(behind, 0.0):.1f} s ago are")
        lag = f"for {behind:.0f} s" if math.isfinite(behind) else "since the start"
        return Finding("behind", f"changes are not told {lag}: answers are not kept, or given as stale")

    return HealthCheck("changes", look, needed=False)


def history_check(history: HistoryStore) -> HealthCheck:
    """History answers: without it what is in archived months is not served, the rest is."""

    async def look() -> Finding:
        await history.look()
        return Finding("ok", "answers")

    return HealthCheck("history", look, needed=False)


def redis_check(client: Redis) -> HealthCheck:
    """Redis answers: without it each process counts and keeps for itself."""

    async def look() -> Finding:
        from redis.exceptions import RedisError

        try:
            await client.ping()  # pyright: ignore[reportGeneralTypeIssues] - one signature for two kinds of client
        except (RedisError, OSError) as error:
            return Finding("unavailable", f"does not answer ({type(error).__name__}): limits and caches are each process's own")
        return Finding("ok", "answers")

    return HealthCheck("redis", look, needed=False)


def disk_check(folder: Path) -> HealthCheck:
    """There is room where files are kept."""

    async def look() -> Finding:
        free = await asyncio.to_thread(_free, folder)
        gibibytes = f"{free / (1 << 30):.1f} GiB free"
        return Finding("ok", gibibytes) if free >= _LEAST_FREE else Finding("full", gibibytes)

    return HealthCheck("disk", look, needed=False)


def _free(folder: Path) -> int:
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free
