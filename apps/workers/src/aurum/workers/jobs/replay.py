"""The job ``quarantine.replay``: it loads a file with rows in quarantine again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurum.assembly.pipelines import Pipelines
from aurum.pipelines.jobs import ReplayFile
from aurum.pipelines.loading.load import FileReport
from aurum.pipelines.loading.replay import replay
from aurum.workers.jobs.payload import read_payload


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """Loads files again from the raw files that this worker has stored."""

    pipelines: Pipelines

    async def run(self, payload: Mapping[str, object]) -> list[FileReport]:
        """Load the file of a payload again and return its reports; do nothing if none of its rows is in quarantine any more.

        Raises ``InvalidPayload``, ``RawFileMissing``, ``Unavailable``.
        """
        job = read_payload(ReplayFile, payload)
        pipelines, store = self.pipelines, self.pipelines.store
        reports = replay(store.quality.log, store.files.log, pipelines.raw_files, pipelines.ingestion, digest=job.digest)
        return [report async for report in reports]
