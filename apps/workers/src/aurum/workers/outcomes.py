"""Decides what becomes of an attempt that has ended: another one, and when, or the end of the job."""

from __future__ import annotations

import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aurum.common.forking.endings import ran_out_of_memory
from aurum.common.settings.workers import WorkersSettings
from aurum.core.clock import Clock
from aurum.core.jobs.fates import MOST_DEATHS, Backoff, Fate
from aurum.core.jobs.states import JobState
from aurum.services.jobs.definition import Definition
from aurum.storage.ports.jobs import Claim, Outcome
from aurum.workers.failures import Failure
from aurum.workers.processes.ready import ChildEnd


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Makes the outcomes of attempts by the settings of the worker."""

    settings: WorkersSettings
    clock: Clock

    def succeeded(self, claim: Claim, result: Mapping[str, object] | None) -> Outcome:
        return Outcome(claim.job_id, claim.attempt, JobState.SUCCEEDED, result=result)

    def cancelled(self, claim: Claim) -> Outcome:
        return Outcome(claim.job_id, claim.attempt, JobState.CANCELLED, reason="cancelled while it ran")

    def handed_back(self, claim: Claim, reason: str) -> Outcome:
        """Return the outcome of an attempt that ends because the worker stops, or did not begin. It does not count."""
        return Outcome(claim.job_id, claim.attempt, JobState.QUEUED, reason=reason, handed_back=True)

    def failed(self, claim: Claim, definition: Definition, failure: Failure) -> Outcome:
        """Return the outcome of an attempt whose function raised an exception."""
        evidence = {"kind": failure.kind, **({"traceback": failure.trace} if failure.trace else {})}
        if failure.fate is Fate.PARK:
            return Outcome(claim.job_id, claim.attempt, JobState.PARKED, reason=failure.reason, evidence=evidence)
        return self._another(claim, definition, failure.reason, evidence, least_s=failure.wait_s)

    def died(self, claim: Claim, definition: Definition, reason: str, evidence: Mapping[str, object]) -> Outcome:
        """Return the outcome of an attempt that ended its process, or that had to be ended. The third one parks the job."""
        if claim.deaths + 1 >= MOST_DEATHS:
            last = f"{reason}; it has ended its process {claim.deaths + 1} times"
            return Outcome(claim.job_id, claim.attempt, JobState.PARKED, reason=last, evidence=evidence, died=True)
        return self._another(claim, definition, reason, evidence, died=True)

    def interrupted(self, claim: Claim, definition: Definition) -> Outcome:
        """Return the outcome of an attempt whose process ended because the ready job process did."""
        return self._another(claim, definition, "the ready job process ended while the job ran", {})

    def _another(
        self,
        claim: Claim,
        definition: Definition,
        reason: str,
        evidence: Mapping[str, object],
        *,
        least_s: float = 0.0,
        died: bool = False,
    ) -> Outcome:
        if claim.attempts >= definition.attempts:
            last = f"{reason}; it was the last of {definition.attempts} attempts"
            return Outcome(claim.job_id, claim.attempt, JobState.PARKED, reason=last, evidence=evidence, died=died)
        again = self._later(definition, claim.attempts, least_s)
        return Outcome(
            claim.job_id, claim.attempt, JobState.QUEUED, reason=reason, evidence=evidence, run_after=again, died=died
        )

    def _later(self, definition: Definition, failures: int, least_s: float) -> datetime:
        backoff = Backoff(self.settings.first_retry_s, definition.longest_wait_s or self.settings.longest_retry_s)
        wait_s = backoff.wait_s(failures, spread=random.random(), least_s=least_s)  # noqa: S311 - spreads retries
        return self.clock.now() + timedelta(seconds=wait_s)


def reason_of_death(end: ChildEnd, settings: WorkersSettings) -> str:
    """Return why the process of a job ended without reporting the end of its attempt."""
    code = end.code or 0
    if ran_out_of_memory(code, end.errors):
        signal_name = f" ({signal.Signals(-code).name})" if code < 0 else ""
        return f"the job needs more memory than {settings.memory_mib} MiB, the limit of AURUM_WORKERS__MEMORY_MIB{signal_name}"
    # The kernel kills a process that ignores SIGXCPU one second later.
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and end.processor_s >= settings.processor_s):
        limit = f"{settings.processor_s} s, the limit of AURUM_WORKERS__PROCESSOR_S (SIGXCPU)"
        return f"the job takes more processor time than {limit}"
    if code < 0:
        number = signal.Signals(-code)
        return f"the process of the job was ended by the signal {number.name} ({signal.strsignal(number)})"
    return f"the process of the job ended with exit code {code} and without a result"


def evidence_of_death(end: ChildEnd) -> dict[str, object]:
    """Return the facts about a process that ended, for operators."""
    code = end.code or 0
    how: dict[str, object] = {"signal": signal.Signals(-code).name} if code < 0 else {"exit_code": code}
    return {
        **how,
        "peak_memory_mib": round(end.peak_mib, 1),
        "processor_s": round(end.processor_s, 3),
        "error_output": end.errors,
    }
