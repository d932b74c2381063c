"""Runs attempts, light ones on the event loop and the others in processes, and ends them when they have to end early."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from aurum.common.settings.workers import WorkersSettings
from aurum.common.telemetry.work import in_carried_work
from aurum.core.errors import Unavailable
from aurum.core.jobs.fates import Fate
from aurum.core.jobs.states import JobState
from aurum.services.jobs.definition import Definition, Definitions
from aurum.services.jobs.running import Result
from aurum.storage.ports.jobs import Claim, ClaimLost, Outcome, Progress, WorkerLog
from aurum.workers.attempts import Ending, LightAttempt, RunningAttempt
from aurum.workers.database import Database
from aurum.workers.failures import Failure
from aurum.workers.jobs import Functions
from aurum.workers.outcomes import Outcomes, evidence_of_death, reason_of_death
from aurum.workers.places import Places
from aurum.workers.processes.messages import Message
from aurum.workers.processes.ready import ChildEnd, ReadyProcess
from aurum.workers.recording import ProgressWriter, Recorder
from aurum.workers.telemetry import JobTallies
from aurum.workers.tracing import JobSpans

_KILL_AFTER_S = 0.8
"""Time that a process has to cancel its work. A cancelled job is to end within two seconds."""
_PREPARE_AGAIN_S = 1.0

_log = structlog.get_logger(__name__)


class CannotPrepare(Exception):
    """The store cannot be prepared for jobs in processes."""


class Runner:
    """The attempts that run in this worker."""

    def __init__(
        self,
        log: WorkerLog,
        database: Database,
        settings: WorkersSettings,
        definitions: Definitions,
        functions: Functions,
        ready: ReadyProcess,
        outcomes: Outcomes,
        tallies: JobTallies,
        spans: JobSpans,
    ) -> None:
        self._settings = settings
        self._definitions = definitions
        self._functions = functions
        self._ready = ready
        self._outcomes = outcomes
        self._tallies = tallies
        self._spans = spans
        self._running: dict[tuple[str, int], RunningAttempt] = {}
        self._none_light = asyncio.Event()
        self._none_light.set()
        self._light = 0
        self._tasks = 0
        self._none = asyncio.Event()
        self._none.set()
        self.recorder = Recorder(log, database, self._recorded)
        self.progress = ProgressWriter(log, self._lose)

    @property
    def keys(self) -> frozenset[tuple[str, int]]:
        """Job and number of the attempts whose end is not recorded yet."""
        return frozenset(self._running)

    def running(self) -> list[RunningAttempt]:
        """Return the attempts that run. Safe in any thread."""
        return [one for one in list(self._running.values()) if not one.ended]

    def unclaimed(self, keys: Iterable[tuple[str, int]]) -> list[Outcome]:
        """Return the outcomes of attempts that only the log knows: they never began, and do not count."""
        reason = "the answer to the claim was lost"
        return [Outcome(job_id, attempt, JobState.QUEUED, reason=reason, handed_back=True) for job_id, attempt in keys]

    def light_names(self) -> list[str]:
        """Return the light jobs that run. Safe in any thread."""
        return [f"{one.claim.name} {one.claim.job_id}" for one in list(self._running.values()) if one.is_light]

    def start(self, claim: Claim, places: Places) -> None:
        """Start an attempt in a place that is in use for it."""
        definition = self._definitions[claim.name]
        span = self._spans.start(claim)
        running = RunningAttempt(claim, definition, places, self._spans.carried(claim, span), span)
        self._running[running.key] = running
        self._tasks += 1
        self._none.clear()
        self._tallies.started(running)
        loop = asyncio.get_running_loop()
        running.timers.append(loop.call_later(self._limit_s(definition), self._end_early, running, Ending.TIME_LIMIT))
        if running.is_light:
            self._light += 1
            self._none_light.clear()
            light = running.task = loop.create_task(self._light_work(running))
            light.add_done_callback(partial(self._light_ended, running))
        else:
            process = running.task = loop.create_task(self._process_work(running))
            process.add_done_callback(partial(self._process_ended, running))

    async def prepare(self) -> bool:
        """Prepare the store for jobs in processes, in a process of its own. Return False if it may work a little later.

        Raises ``CannotPrepare`` with the reason when it would fail again.
        """
        await self._ready.ready.wait()
        try:
            child = await self._ready.fork()
        except Unavailable:
            return False
        end = await child.work({"prepare": True, **self._limits()}, lambda _message: None)
        match end.message:
            case {"end": "succeeded"}:
                return True
            case {"end": "failed", "failure": Mapping() as values}:
                failure = Failure.of_message(values)
                if failure.fate is Fate.PARK:
                    raise CannotPrepare(failure.reason)
                reason = failure.reason
            case _:
                reason = "its process ended"
        _log.warning("the store is not prepared for jobs yet", reason=reason)
        await asyncio.sleep(_PREPARE_AGAIN_S)
        return False

    def _limit_s(self, definition: Definition) -> float:
        return min(definition.time_limit_s, self._settings.wall_s)

    def _limits(self) -> dict[str, int]:
        return {"memory_bytes": self._settings.memory_mib << 20, "processor_s": self._settings.processor_s}

    def cancel(self, job_id: str, attempt: int | None = None) -> None:
        """End a job whose cancellation was asked for. ``attempt``: only this one."""
        for (running_id, number), running in list(self._running.items()):
            if running_id == job_id and attempt in (None, number):
                self._end_early(running, Ending.CANCELLED)

    async def stop(self, grace_s: float) -> None:
        """Leave the attempts time to end, then end them and hand their jobs back; wait until all ends are recorded."""
        try:
            async with asyncio.timeout(grace_s):
                await self._none.wait()
        except TimeoutError:
            for running in list(self._running.values()):
                self._end_early(running, Ending.STOPPING)
            await self._none.wait()
        await self.recorder.until_idle()

    async def until_no_light_job(self) -> None:
        """Wait until no light job runs."""
        await self._none_light.wait()

    # --- light jobs ---------------------------------------------------------------------------------------------------

    async def _light_work(self, running: RunningAttempt) -> Result:
        claim = running.claim
        payload = running.definition.read(claim.payload)
        running.is_exclusive = running.definition.exclusive(payload) is not None
        attempt = LightAttempt(running, self.progress.put)
        function = self._functions[claim.name]
        if not running.carried:
            return await function(payload, attempt)
        with in_carried_work(running.carried):
            return await function(payload, attempt)

    def _light_ended(self, running: RunningAttempt, task: asyncio.Task[Result]) -> None:
        self._light -= 1
        if self._light == 0:
            self._none_light.set()
        if task.cancelled():
            outcome = self._outcome_of_early_end(running, None)
        elif (error := task.exception()) is None:
            outcome = self._outcomes.succeeded(running.claim, task.result())
        elif running.ending is not None:
            outcome = self._outcome_of_early_end(running, None)
        else:
            outcome = self._outcome_of_failure(running, error)
        self._ended(running, outcome)

    # --- jobs in processes --------------------------------------------------------------------------------------------

    async def _process_work(self, running: RunningAttempt) -> ChildEnd:
        claim = running.claim
        payload = running.definition.read(claim.payload)  # a wrong payload needs no process
        running.is_exclusive = running.definition.exclusive(payload) is not None
        child = running.child = await self._ready.fork()
        if running.ending is not None:
            child.kill()
        job = {
            "job_id": claim.job_id,
            "attempt": claim.attempt,
            "attempts": claim.attempts,
            "name": claim.name,
            "payload": claim.payload,
            "tenant": claim.tenant,
            "subject": claim.subject,
            "carried": running.carried,
            **self._limits(),
        }
        end = await child.work(job, partial(self._receive, running))
        await self.progress.flush(running)
        return end

    def _receive(self, running: RunningAttempt, message: Message) -> None:
        """Act on a message of the process of a job that runs."""
        match message:
            case {"progress": [int(done), int() | None as total, str(note)]}:
                self.progress.put(running, Progress(done, total, note))
            case {"count": [str(metric), str(label), int() | float() as amount]}:
                self._tallies.count(metric, label, amount)
            case _:
                _log.warning("a job sent a message of an unknown form", job=running.claim.name, id=running.claim.job_id)

    def _process_ended(self, running: RunningAttempt, task: asyncio.Task[ChildEnd]) -> None:
        if task.cancelled():
            outcome = self._outcome_of_early_end(running, None)
        elif (error := task.exception()) is not None:
            # The process was never started.
            if isinstance(error, Unavailable):
                outcome = self._outcomes.handed_back(running.claim, error.detail)
            else:
                outcome = self._outcome_of_failure(running, error)
        else:
            outcome = self._outcome_of_process(running, task.result())
        self._ended(running, outcome)

    def _outcome_of_process(self, running: RunningAttempt, end: ChildEnd) -> Outcome | None:
        claim, definition = running.claim, running.definition
        match end.message:
            case {"end": "succeeded", "result": result, "recorded": bool(is_recorded)}:
                running.is_recorded = is_recorded
                return self._outcomes.succeeded(claim, result)
            case {"end": "failed", "failure": Mapping() as failure} if running.ending is None:
                return self._outcomes.failed(claim, definition, Failure.of_message(failure))
            case {"end": "lost"}:
                return None
        if running.ending is not None:
            return self._outcome_of_early_end(running, end)
        if end.message is not None:  # cancelled by a signal to all processes of a service, which the worker receives, too
            return self._outcomes.handed_back(claim, "the process of the job was asked to end")
        if end.code is None:
            return self._outcomes.interrupted(claim, definition)
        return self._outcomes.died(claim, definition, reason_of_death(end, self._settings), evidence_of_death(end))

    # --- ends ---------------------------------------------------------------------------------------------------------

    def _outcome_of_failure(self, running: RunningAttempt, error: BaseException) -> Outcome | None:
        if isinstance(error, ClaimLost):
            return None
        return self._outcomes.failed(running.claim, running.definition, Failure.of(error))

    def _outcome_of_early_end(self, running: RunningAttempt, end: ChildEnd | None) -> Outcome | None:
        claim, definition = running.claim, running.definition
        match running.ending:
            case Ending.CANCELLED:
                return self._outcomes.cancelled(claim)
            case Ending.TIME_LIMIT:
                reason = f"the job takes longer than {self._limit_s(definition):g} s"
                return self._outcomes.died(claim, definition, reason, {} if end is None else evidence_of_death(end))
            case Ending.LOST:
                return None
            case Ending.STOPPING:
                return self._outcomes.handed_back(claim, "the worker was stopped")
            case None:  # a function that cancels itself
                error = asyncio.CancelledError("the function of the job cancelled itself")
                return self._outcomes.failed(claim, definition, Failure.of(error))

    def _ended(self, running: RunningAttempt, outcome: Outcome | None) -> None:
        """Free the place of an attempt that has ended, and record its end."""
        running.ended = time.perf_counter()
        for timer in running.timers:
            timer.cancel()
        running.places.free()
        if outcome is None:
            self._forget(running)
            self._tallies.lost(running)
        else:
            self.recorder.put(running, outcome)
        self._tasks -= 1
        if self._tasks == 0:
            self._none.set()

    def _recorded(self, running: RunningAttempt, outcome: Outcome, is_current: bool) -> None:
        self._forget(running)
        if running.is_exclusive:
            running.places.wake()
        if is_current or running.is_recorded:
            self._tallies.ended(running, outcome)
        else:
            self._tallies.lost(running)
        error = outcome.evidence.get("kind", outcome.reason) if outcome.reason else None
        self._spans.end(running.span, None if error is None else str(error))

    def _forget(self, running: RunningAttempt) -> None:
        self._running.pop(running.key, None)

    def _lose(self, running: RunningAttempt) -> None:
        self._end_early(running, Ending.LOST)

    def _end_early(self, running: RunningAttempt, why: Ending) -> None:
        """End an attempt: cancel a light one; tell the process of another one, then kill it."""
        if running.ended or running.ending is not None:
            return
        running.ending = why
        if running.is_light:
            assert running.task is not None
            running.task.cancel()
        elif running.child is not None:
            running.child.terminate()
            loop = asyncio.get_running_loop()
            running.timers.append(loop.call_later(_KILL_AFTER_S, running.child.kill))
