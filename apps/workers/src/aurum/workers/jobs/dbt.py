"""``dbt.run``: build or test the models over the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurum.assembly.pipelines import Pipelines
from aurum.pipelines.jobs import DbtRun
from aurum.pipelines.models.run import Invocation, RunReport, Verb
from aurum.workers.jobs.payload import read_payload


@dataclass(frozen=True, slots=True)
class DbtJob:
    """Runs the project with the settings of this worker."""

    pipelines: Pipelines

    async def run(self, payload: Mapping[str, object]) -> list[RunReport]:
        """Run, check the marts that were built, and keep what came of both.

        Raises ``InvalidPayload``, ``ModelsFailed`` and ``ExpectationsFailed`` (recorded; nothing gets better by trying again),
        ``BrokenProject``,
        ``BuildUnderWay``, ``BuildTooLong``, ``Unavailable``.
        """
        job = read_payload(DbtRun, payload)
        invocation = Invocation(Verb(job.verb), job.select, job.exclude, job.full_refresh)
        report = await self.pipelines.models.run(invocation)
        checked = await self.pipelines.check_build(report.run) if invocation.verb.builds else None
        report.raise_failure()
        if checked is not None:
            checked.raise_failure()
        return [report]
