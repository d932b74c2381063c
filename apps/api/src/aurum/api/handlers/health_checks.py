"""Health checks of the dependencies of the service, all run at once, none for longer than a second."""

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
    """The state of a dependency: ``ok``, or a word for what is wrong. ``detail``: a sentence without secrets."""

    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check of one dependency. ``needed``: the service cannot work without it; without others it is degraded."""

    name: str
    look: Callable[[], Awaitable[Finding]]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of a check, and how long it took."""

    check: HealthCheck
    finding: Finding
    seconds: float

    @property
    def is_ok(self) -> bool:
        return self.finding.status == "ok"


async def look_at(checks: Sequence[HealthCheck]) -> list[Looked]:
    """Run all checks at once."""
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
        # Not awaited: cancelling a call to a server that does not answer may take seconds. Its later errors are logged.
        looking.add_done_callback(_ended)
        looking.cancel()
    return Looked(check, finding, time.perf_counter() - started)


def _ended(look: asyncio.Future[Finding]) -> None:
    if not look.cancelled() and (error := look.exception()) is not None and not isinstance(error, TimeoutError | Unavailable):
        _log.error("health check failed", exc_info=error)


def store_check(probe: StoreProbe) -> HealthCheck:
    """Return the check that the store answers, and that this release runs on its schema."""

    async def look() -> Finding:
        state = await probe.look()
        if state.mismatch is None:
            return Finding("ok", f"schema {state.schema}")
        return Finding(state.mismatch.kind, state.mismatch.detail)

    return HealthCheck("store", look)


def feed_check(feed: ChangeFeed) -> HealthCheck:
    """Return the check that the change feed vouches for cached responses."""

    async def look() -> Finding:
        behind = time.monotonic() - feed.delivered_until
        if behind < _BEHIND_S:
            return Finding("ok", f"the change feed is current; it lags {max(behind, 0.0):.1f} s")
        lag = f"for {behind:.0f} s" if math.isfinite(behind) else "since the start"
        return Finding("behind", f"the change feed has received nothing {lag}: responses are not cached, or sent as stale")

    return HealthCheck("changes", look, needed=False)


def history_check(history: HistoryStore) -> HealthCheck:
    """Return the check that history answers: without it, archived months are not served."""

    async def look() -> Finding:
        await history.look()
        return Finding("ok", "answers")

    return HealthCheck("history", look, needed=False)


def redis_check(client: Redis) -> HealthCheck:
    """Return the check that Redis answers: without it, each process has limits and caches of its own."""

    async def look() -> Finding:
        from redis.exceptions import RedisError

        try:
            await client.ping()  # pyright: ignore[reportGeneralTypeIssues] - one signature for two kinds of client
        except (RedisError, OSError) as error:
            return Finding(
                "unavailable", f"does not answer ({type(error).__name__}): each process has limits and caches of its own"
            )
        return Finding("ok", "answers")

    return HealthCheck("redis", look, needed=False)


def disk_check(folder: Path) -> HealthCheck:
    """Return the check that the disk with the data folder has free space."""

    async def look() -> Finding:
        free = await asyncio.to_thread(_free, folder)
        gibibytes = f"{free / (1 << 30):.1f} GiB free"
        return Finding("ok", gibibytes) if free >= _LEAST_FREE else Finding("full", gibibytes)

    return HealthCheck("disk", look, needed=False)


def _free(folder: Path) -> int:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free
