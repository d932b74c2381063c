"""The job ``dbt.run``: it builds or tests the models over the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurum.assembly.pipelines import Pipelines
from aurum.pipelines.jobs import DbtRun
from aurum.pipelines.models.run import Invocation, RunReport, Verb
from aurum.workers.jobs.payload import read_payload


@dataclass(frozen=True, slots=True)
class DbtJob:
    """Runs the dbt project with the settings of this worker."""

    pipelines: Pipelines

    async def run(self, payload: Mapping[str, object]) -> list[RunReport]:
        """Run dbt, check the marts that were built, and record the results of both.

        Raises ``ModelsFailed`` and ``ExpectationsFailed`` once they are recorded; another try would not help. Also raises
        ``InvalidPayload``, ``BrokenProject``, ``BuildUnderWay``, ``BuildTooLong`` and ``Unavailable``.
        """
        job = read_payload(DbtRun, payload)
        invocation = Invocation(Verb(job.verb), job.select, job.exclude, job.full_refresh)
        report = await self.pipelines.models.run(invocation)
        checked = await self.pipelines.check_build(report.run) if invocation.verb.builds else None
        report.raise_failure()
        if checked is not None:
            checked.raise_failure()
        return [report]
