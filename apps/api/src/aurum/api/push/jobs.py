"""The push of jobs: one reader in each process, which looks up all jobs that somebody watches, in one query."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from aurum.api.contract.jobs import JobStatus
from aurum.api.push.events import COMMENT, retry
from aurum.common.settings import ChangesSettings
from aurum.core.access import LOCAL, Caller
from aurum.core.errors import Unavailable
from aurum.services.jobs.events import LOOK_EVERY_S, JobEvent, event_of, mark_of
from aurum.services.jobs.listing import shown_job
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.jobs import Job, JobLog

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Watcher:
    """One open stream. ``job``: as it was at the last look; a stream whose client is slow skips what was between."""

    caller: Caller
    job: Job
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_ended: bool = False

    def show(self, job: Job) -> None:
        self.job = job
        self.woken.set()

    def end(self) -> None:
        """Let the stream end; its client connects again."""
        self.is_ended = True
        self.woken.set()


class JobHub:
    """Passes changes of jobs to the streams of one process. They hold no connection to the store while they wait.

    While no job is watched, nothing is read. ``settings``: those of all streams of a process.
    """

    def __init__(self, log: JobLog, settings: ChangesSettings) -> None:
        self._log = log
        self._settings = settings
        self._watchers: set[_Watcher] = set()
        self._is_watched = asyncio.Event()
        self._is_draining = False

    def changed(self, change: Change) -> None:
        """React to a change of the store: a listener of its ``ChangeFeed``."""
        if change.kind is ChangeKind.ACCESS:
            # A key may have been revoked, so clients have to show theirs again.
            for watcher in self._watchers:
                if watcher.caller is not LOCAL:
                    watcher.end()

    def drain(self) -> None:
        """End all streams, and each new one at once, because the process ends."""
        self._is_draining = True
        for watcher in self._watchers:
            watcher.end()

    async def run(self) -> None:
        """Look for changes of watched jobs, until it is cancelled."""
        while True:
            await self._is_watched.wait()
            try:
                await self._look()
            except Unavailable as error:
                _log.warning("jobs not read", detail=error.operator_detail)
            except Exception:  # noqa: BLE001 - without this task no stream would show a change
                _log.exception("jobs not passed on")
            await asyncio.sleep(LOOK_EVERY_S)

    async def stream(self, job: Job, caller: Caller, *, seen: str | None) -> AsyncGenerator[bytes]:
        """Yield the events of a job, as it is and after each change, with comments between them, until it has ended.

        ``seen``: id of the last event that the client has; the job is not sent again while it is as that event said.
        """
        settings = self._settings
        watcher = _Watcher(caller, job, is_ended=self._is_draining)
        sent = job if seen == mark_of(job) else None
        ends_at = time.monotonic() + settings.stream_s
        self._enter(watcher)
        try:
            yield retry(self._retry_s())
            while not watcher.is_ended and (left := ends_at - time.monotonic()) > 0:
                watcher.woken.clear()
                now = watcher.job
                if (change := event_of(now, sent)) is not None:
                    sent = now
                    yield _event(change, now, caller)
                    if now.state.has_ended:
                        return
                elif not await _is_woken(watcher, min(settings.comment_s, left)):
                    yield COMMENT
            yield retry(self._retry_s())
        finally:
            self._leave(watcher)

    async def _look(self) -> None:
        watchers = [*self._watchers]
        jobs = {job.job_id: job for job in await self._log.jobs(sorted({one.job.job_id for one in watchers}))}
        for watcher in watchers:
            job = jobs.get(watcher.job.job_id)
            if job is None:
                watcher.end()  # it was deleted; the client connects again and gets 404
            elif event_of(job, watcher.job) is not None:
                watcher.show(job)

    def _enter(self, watcher: _Watcher) -> None:
        self._watchers.add(watcher)
        self._is_watched.set()

    def _leave(self, watcher: _Watcher) -> None:
        self._watchers.discard(watcher)
        if not self._watchers:
            self._is_watched.clear()

    def _retry_s(self) -> float:
        # Spread, so that all clients of a process do not come back at once.
        return self._settings.retry_s * random.uniform(1, 2)  # noqa: S311 - no secret


def _event(change: JobEvent, job: Job, caller: Caller) -> bytes:
    text = JobStatus.from_domain(shown_job(job, caller)).model_dump_json()
    return f"id: {mark_of(job)}\nevent: {change}\ndata: {text}\n\n".encode()


async def _is_woken(watcher: _Watcher, within_s: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await watcher.woken.wait()
        return True
    return False
