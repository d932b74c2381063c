"""A worker: its roles, put together on one event loop."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from opentelemetry.trace import Tracer

from aurum.assembly.store import Store
from aurum.common.settings import Settings
from aurum.common.telemetry.metrics import Metrics
from aurum.core.errors import Unavailable
from aurum.core.jobs.states import Queue
from aurum.services.jobs.definition import Place
from aurum.services.schedule.scheduler import Pace, run_scheduler
from aurum.storage.ports.jobs import Claim, Lost, QueueCounts
from aurum.workers.database import Database
from aurum.workers.essentials import Essentials, Watchdog
from aurum.workers.health import Answer, served_health
from aurum.workers.jobs import Jobs
from aurum.workers.outcomes import Outcomes
from aurum.workers.places import Places
from aurum.workers.processes.ready import ReadyProcess
from aurum.workers.processes.setup import Setup
from aurum.workers.relay import Relay, Sweeper
from aurum.workers.runner import Runner
from aurum.workers.telemetry import JobTallies, QueueGauges
from aurum.workers.tracing import JobSpans
from aurum.workers.wakeups import WakeUps

_CANCELLATIONS_EVERY_S = 0.7
"""How often a busy worker asks for cancellations, in case a notice was lost. A cancelled job is to end within two seconds."""
_SCHEMA_FOR_S = 1.0
"""How long the schema of the database is taken to be the same."""
_LAST_RECORDS_S = 10.0
"""Time to record the last ends of attempts when the worker stops."""
_COUNTS_WITHIN_S = 2.0
_COUNTS_FOR_S = 1.0

_log = structlog.get_logger(__name__)


def scheduler_pace(settings: Settings) -> Pace:
    """Return how often the scheduler of a worker looks."""
    return Pace(look_s=settings.schedule.look_s)


class Service:
    """A worker over an open store. ``jobs_path``: path ``module:function`` of the function that returns ``jobs``."""

    def __init__(
        self, settings: Settings, store: Store, jobs: Jobs, jobs_path: str, metrics: Metrics, tracer: Tracer | None
    ) -> None:
        self._settings = settings
        self._options = settings.workers
        self._store = store
        self._log = store.worker_log
        self._definitions = jobs.definitions
        self._loop = asyncio.get_running_loop()
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._database = Database()
        self.essentials = Essentials()
        self.started = asyncio.Event()
        self.wakeups = WakeUps(settings.redis.url or "", self._wake_from_thread)
        self.ready = ReadyProcess(Setup(jobs_path, settings))
        self._is_prepared = False
        self._preparing = asyncio.Lock()
        tallies = JobTallies(metrics, jobs.definitions, store.clock.now)
        self.runner = Runner(
            self._log,
            self._database,
            self._options,
            jobs.definitions,
            jobs.light(store),
            self.ready,
            Outcomes(self._options, store.clock),
            tallies,
            JobSpans(tracer),
        )
        self.watchdog = Watchdog(self._options.stalled_s, self.runner.light_names)
        self._relay = Relay(self._log, self._database, self.wakeups, self._wake_all)
        self.sweeper = Sweeper(
            self._log,
            self._database,
            self.wakeups,
            names=tuple(jobs.definitions.by_name),
            every_s=self._options.sweep_s,
            lease_s=self._options.lease_s,
            unknown_s=self._options.unknown_s,
            recovered=self._wake_all,
        )
        self._light_gate = asyncio.Lock()
        self.places = self._make_places(jobs)
        self._heartbeat_at: float | None = None
        self._schema_until = 0.0
        self._counts: tuple[float, Sequence[QueueCounts]] | None = None
        self._strangers: frozenset[tuple[str, int]] = frozenset()
        QueueGauges(
            metrics,
            read=self._read_counts,
            redis_answers=lambda: self.wakeups.is_reachable,
            database_answers=lambda: self._database.is_reachable,
            now=store.clock.now,
        )
        self._metrics = metrics

    def _make_places(self, jobs: Jobs) -> list[Places]:
        options = self._options
        in_processes = {
            Queue.INTERACTIVE: options.interactive_places,
            Queue.BULK: options.bulk_places,
            Queue.MAINTENANCE: options.maintenance_places,
        }
        return [
            Places(
                self._log,
                self.worker,
                queue,
                place,
                names=names,
                most=most,
                start=self._start,
                may_claim=may_claim,
                database=self._database,
                look_s=options.sweep_s,
                room_changed=self._room_changed,
            )
            for queue in Queue
            for place, most, may_claim in (
                (Place.WORKER, options.light_places, self._may_claim_light),
                (Place.PROCESS, in_processes[queue], self._may_claim_process),
            )
            if most and (names := jobs.names(place, queue))
        ]

    # --- running ------------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set, then end the jobs in order. Raises ``EssentialEnded``."""
        self._start_essentials()
        with served_health(self._options, self._metrics, live=self.live, health=self.health):
            _log.info("worker started", worker=self.worker, roles=list(self._options.roles))
            self.started.set()
            try:
                await self._until(stop)
            except BaseException:
                await self._shut_down(grace_s=0.0)
                raise
            await self._shut_down(grace_s=self._options.grace_s)

    async def _submit_scheduled(self) -> None:
        store, never = self._store, asyncio.Event()  # the task is cancelled
        pace = scheduler_pace(self._settings)
        await run_scheduler(store.schedule, store.schedule_firings, self._definitions, store.clock, never, pace=pace)

    async def _until(self, stop: asyncio.Event) -> None:
        watching, stopping = asyncio.create_task(self.essentials.watch()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((watching, stopping), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
        finally:
            watching.cancel()
            stopping.cancel()

    def _start_essentials(self) -> None:
        essentials, roles = self.essentials, self._options.roles
        self.watchdog.thread.start()
        essentials.add_thread(self.watchdog.thread)
        essentials.add_task("watchdog tick", self.watchdog.tick())
        essentials.add_task("notices", self._follow_notices())
        if "relay" in roles:
            essentials.add_task("relay", self._relay.run())
            essentials.add_task("sweep", self.sweeper.run())
        if "schedule" in roles:
            essentials.add_task("schedule", self._submit_scheduled())
        if "run" in roles:
            essentials.add_task("heartbeat", self._beat())
            essentials.add_task("recorder", self.runner.recorder.run())
            essentials.add_task("progress", self.runner.progress.run())
            essentials.add_task("reconciliation", self._reconcile())
            essentials.add_task("lost jobs", self._run_lost())
            if any(places.place is Place.PROCESS for places in self.places):
                essentials.add_task("ready job process", self.ready.keep_running())
            self.wakeups.start()
            for listener in self.wakeups.listeners.values():
                essentials.add_thread(listener)
            for places in self.places:
                essentials.add_task(f"{places.place} places of {places.queue}", places.run())

    async def _shut_down(self, *, grace_s: float) -> None:
        await asyncio.to_thread(self.wakeups.stop)
        try:
            async with asyncio.timeout(grace_s + _LAST_RECORDS_S):
                for places in self.places:
                    await places.close()
                await self.runner.stop(grace_s)
                await self._log.leave(self.worker)
        except (TimeoutError, Unavailable):
            _log.warning("the ends of some jobs could not be recorded; other workers run them again")
        await self.essentials.stop()
        await asyncio.to_thread(self.watchdog.stop)

    def _start(self, claim: Claim, places: Places) -> None:
        self.runner.start(claim, places)

    # --- claiming -----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _may_claim_light(self) -> AsyncGenerator[None]:
        async with self._light_gate:
            await self._schema_fits()
            yield

    @asynccontextmanager
    async def _may_claim_process(self) -> AsyncGenerator[None]:
        async with self._preparing:
            while not self._is_prepared:
                self._is_prepared = await self.runner.prepare()
        await self.ready.ready.wait()
        await self._schema_fits()  # last: a migration may have come while this waited
        yield

    async def _schema_fits(self) -> None:
        """Wait while a migration has made the release of this worker too old: jobs are left for a newer one."""
        said = False
        while time.monotonic() >= self._schema_until:
            state = await self._database.until_it_answers(self._store.probe.look)
            if state.mismatch is None:
                self._schema_until = time.monotonic() + _SCHEMA_FOR_S
                return
            if not said:
                said = True
                _log.error("jobs wait for a newer worker", reason=state.mismatch.detail)
            await asyncio.sleep(self._options.sweep_s)

    async def _run_lost(self) -> None:
        """Run light jobs whose worker vanished, each alone: if it ends this worker, too, it is known to be the reason."""
        light = [places for places in self.places if places.place is Place.WORKER]
        while True:
            await asyncio.sleep(self._options.sweep_s)
            for places in light:
                while await self._run_lost_of(places):
                    pass

    async def _run_lost_of(self, places: Places) -> bool:
        """Run one lost job of a queue. Return whether there was one."""
        waits = await self._database.once(lambda: self._log.has_lost(places.queue, names=places.names))
        if waits is None or not waits[0]:
            return False
        async with self._light_gate:
            await self.runner.until_no_light_job()
            await self._schema_fits()
            claimed = await self._database.once(
                lambda: self._log.claim(self.worker, places.queue, names=places.names, limit=1, lost=Lost.ALONE)
            )
            for claim in () if claimed is None else claimed[0]:
                places.take()
                self._start(claim, places)
            await self.runner.until_no_light_job()
        return claimed is not None and len(claimed[0]) > 0

    # --- waking -------------------------------------------------------------------------------------------------------

    def _wake_from_thread(self, queue: str) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, queue)

    def _wake(self, queue: str) -> None:
        for places in self.places:
            if places.queue == queue:
                places.wake()

    def _wake_all(self) -> None:
        for places in self.places:
            places.wake()

    def _room_changed(self) -> None:
        for queue, listener in self.wakeups.listeners.items():
            if any(places.has_room for places in self.places if places.queue == queue):
                listener.room.set()
            else:
                listener.room.clear()

    async def _follow_notices(self) -> None:
        """Act on notices of the database, and connect again when the connection is lost."""
        while True:
            try:
                async with self._log.listen() as notices:
                    self._database.answered()
                    self._relay.wake()
                    self._wake_all()  # notices may have been missed
                    async for notice in notices:
                        if notice.job_id is not None:
                            self.runner.cancel(notice.job_id)
                            continue
                        self._relay.wake()
                        if not self.wakeups.is_reachable:
                            self._wake_all()
            except Unavailable as error:
                await self._database.failed(error)

    # --- what the log knows of this worker ----------------------------------------------------------------------------

    async def _beat(self) -> None:
        facts = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "roles": list(self._options.roles),
            "places": {f"{places.queue} {places.place}": places.most for places in self.places},
        }
        while True:
            await self._database.until_it_answers(lambda: self._log.heartbeat(self.worker, facts=facts))
            self._heartbeat_at = time.monotonic()
            await asyncio.sleep(self._options.lease_s / 3)

    async def _reconcile(self) -> None:
        """End attempts whose cancellation was asked for, and hand back those that only the log knows.

        Such a one was claimed, but the answer was lost with the connection. It is handed back the second time it is seen.
        """
        looked = 0.0
        while True:
            await asyncio.sleep(_CANCELLATIONS_EVERY_S)
            if not self.runner.keys and time.monotonic() - looked < self._options.sweep_s:
                continue
            looked = time.monotonic()
            held = await self._database.once(lambda: self._log.held(self.worker))
            if held is None:
                continue
            for one in held[0]:
                if one.is_cancelled:
                    self.runner.cancel(one.job_id, one.attempt)
            strangers = frozenset((one.job_id, one.attempt) for one in held[0]) - self.runner.keys
            if forgotten := strangers & self._strangers:
                await self._database.once(lambda: self._log.finish(self.runner.unclaimed(forgotten)))
                _log.warning("claims whose answer was lost are handed back", jobs=len(forgotten))
            self._strangers = strangers

    # --- health -------------------------------------------------------------------------------------------------------

    def live(self) -> Answer:
        """Return whether every essential task and thread runs, for ``/live``. Safe in any thread."""
        ended = self.essentials.ended()
        if self.watchdog.silent_s >= 5.0:
            ended.append("event loop")
        if ended:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "dead", "ended": ended}
        return HTTPStatus.OK, {"status": "live"}

    def health(self) -> Answer:
        """Return the state of the worker and its queues, for ``/health``. Safe in any thread but that of the event loop."""
        status, live = self.live()
        counts = self._read_counts()
        now = self._store.clock.now()
        beat = self._heartbeat_at
        return status, {
            **live,
            "worker": self.worker,
            "roles": list(self._options.roles),
            "database": "ok" if self._database.is_reachable else "away",
            "redis": "ok" if self.wakeups.is_reachable else "away",
            "last_heartbeat_s": None if beat is None else round(time.monotonic() - beat, 1),
            "ready_job_process": self.ready.pid if self.ready.ready.is_set() else None,
            "running": [
                {"job": one.claim.name, "id": one.claim.job_id, "seconds": round(time.perf_counter() - one.began, 1)}
                for one in self.runner.running()
            ],
            "queues": None
            if counts is None
            else [
                {
                    "queue": one.queue,
                    "waiting": one.waiting,
                    "delayed": one.delayed,
                    "running": one.running,
                    "parked": one.parked,
                    "oldest_waiting_s": None if one.oldest is None else round((now - one.oldest).total_seconds(), 1),
                }
                for one in counts
            ],
        }

    def _read_counts(self) -> Sequence[QueueCounts] | None:
        """Return the numbers of the queues, at most a second old; None when they cannot be read."""
        if self._counts is not None and time.monotonic() - self._counts[0] < _COUNTS_FOR_S:
            return self._counts[1]
        if self._loop.is_closed():
            return None
        asked_for = asyncio.run_coroutine_threadsafe(self._store.jobs.counts(), self._loop)
        try:
            counts = asked_for.result(_COUNTS_WITHIN_S)
        except (Unavailable, FutureTimeout) as error:
            asked_for.cancel()
            _log.warning("numbers of queues not read", reason=str(error) or type(error).__name__)
            return None
        self._counts = time.monotonic(), counts
        return counts
