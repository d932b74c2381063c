"""``quarantine.replay``: load a file again that has rows in quarantine."""

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
    """Loads what this worker has kept."""

    pipelines: Pipelines

    async def run(self, payload: Mapping[str, object]) -> list[FileReport]:
        """Load the file of a payload again; nothing is done when none of its rows is in quarantine any more.

        Raises ``InvalidPayload``, ``RawFileMissing``, ``Unavailable``.
        """
        job = read_payload(ReplayFile, payload)
        pipelines, store = self.pipelines, self.pipelines.store
        again = replay(store.quality.log, store.files.log, pipelines.raw_files, pipelines.ingestion, digest=job.digest)
        return [report async for report in again]
