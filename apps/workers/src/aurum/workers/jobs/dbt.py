"""``dbt.run``: build or test the models over the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurum.pipelines.jobs import DbtRun
from aurum.pipelines.warehouse.run import Invocation, RunReport, Verb
from aurum.workers.jobs.payload import read_payload
from aurum.workers.wiring import Workshop


@dataclass(frozen=True, slots=True)
class DbtJob:
    """Runs the project with the settings of this worker."""

    workshop: Workshop

    async def run(self, payload: Mapping[str, object]) -> list[RunReport]:
        """Run, and keep in the catalog what came of it.

        Raises ``InvalidPayload``, ``ModelsFailed`` (recorded; nothing gets better by trying again), ``BrokenProject``,
        ``BuildUnderWay``, ``BuildTooLong``, ``Unavailable``.
        """
        job = read_payload(DbtRun, payload)
        async with self.workshop.warehouse() as warehouse:
            report = await warehouse.run(Invocation(Verb(job.verb), job.select, job.exclude, job.full_refresh))
        report.raise_failure()
        return [report]
