"""The attempts that run in a worker, from their claim until their end is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from opentelemetry.trace import Span

from aurum.services.jobs.definition import Definition, Place
from aurum.services.jobs.running import JobTransaction, Result
from aurum.storage.ports.jobs import Claim, Progress

if TYPE_CHECKING:
    import asyncio

    from aurum.workers.places import Places
    from aurum.workers.processes.ready import Child, ChildEnd


class Ending(StrEnum):
    """Why the worker ends an attempt before its function does."""

    CANCELLED = "cancelled"
    TIME_LIMIT = "time limit"
    STOPPING = "the worker stops"
    LOST = "another attempt runs"


@dataclass(eq=False, slots=True)
class RunningAttempt:
    """An attempt that runs. ``places``: those that it runs in. ``carried``: trace and log fields of the request, as
    ``common.telemetry.work.carried`` returns them. ``ending``: why it is being ended; None otherwise.

    ``is_recorded``: its function has recorded success in the transaction of its effect. ``is_exclusive``: other jobs may wait
    for its end.
    """

    claim: Claim
    definition: Definition
    places: Places
    carried: Mapping[str, object]
    span: Span | None = None
    began: float = field(default_factory=time.perf_counter)
    ended: float = 0.0
    ending: Ending | None = None
    is_recorded: bool = False
    is_exclusive: bool = False
    task: asyncio.Task[Result] | asyncio.Task[ChildEnd] | None = None
    child: Child | None = None
    timers: list[asyncio.TimerHandle] = field(default_factory=list["asyncio.TimerHandle"])

    @property
    def key(self) -> tuple[str, int]:
        """The job and the number of the attempt."""
        return self.claim.job_id, self.claim.attempt

    @property
    def is_light(self) -> bool:
        return self.definition.place is Place.WORKER


class LightAttempt:
    """``RunningJob`` on the event loop of the worker. ``show``: takes its progress."""

    def __init__(self, running: RunningAttempt, show: Callable[[RunningAttempt, Progress], None]) -> None:
        self._running = running
        self._show = show

    @property
    def job_id(self) -> str:
        return self._running.claim.job_id

    @property
    def attempt(self) -> int:
        return self._running.claim.attempt

    @property
    def attempts(self) -> int:
        return self._running.claim.attempts

    @property
    def tenant(self) -> str | None:
        return self._running.claim.tenant

    @property
    def subject(self) -> str:
        return self._running.claim.subject

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show progress. The worker cancels this attempt when another one runs."""
        self._show(self._running, Progress(done, total, note))

    async def succeed(self, tx: JobTransaction, result: Result = None) -> None:
        """Record success in the transaction of the effect. Raises ``ClaimLost``."""
        await tx.jobs.succeed(self.job_id, self.attempt, result)
        self._running.is_recorded = True
