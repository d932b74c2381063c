"""The job ``ingest.file``: it loads one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurum.assembly.pipelines import Pipelines
from aurum.core.errors import NotFound
from aurum.pipelines.jobs import IngestFile
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileReport
from aurum.workers.jobs.payload import read_payload


class NoSuchFile(NotFound):
    """The file does not exist on the worker's machine. Facts: ``path``."""


@dataclass(frozen=True, slots=True)
class IngestJob:
    """Loads files that this worker can read."""

    pipelines: Pipelines

    async def run(self, payload: Mapping[str, object]) -> list[FileReport]:
        """Load the file of a payload, or every file in it if it is an archive, and return a report of each.

        A rejected file is recorded with its reason, and the job still succeeds. Raises ``InvalidPayload``, ``InvalidKnownAt``,
        ``NoSuchFile``, ``Unavailable``.
        """
        job = read_payload(IngestFile, payload)
        policy = KnownAtPolicy.parse(job.known_at)
        if not job.path.is_file():
            raise NoSuchFile(f"no file {job.path}", path=str(job.path))
        reports = self.pipelines.ingestion.ingest_all(self.pipelines.read(job.path), known_at=policy, force=job.force)
        return [report async for report in reports]
