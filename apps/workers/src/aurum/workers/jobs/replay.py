"""``quarantine.replay``: load a file again that has rows in quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurum.pipelines.jobs import ReplayFile
from aurum.pipelines.loading.load import FileReport
from aurum.pipelines.loading.replay import replay
from aurum.workers.jobs.payload import read_payload
from aurum.workers.wiring import Workshop


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """Loads what this worker has kept."""

    workshop: Workshop

    async def run(self, payload: Mapping[str, object]) -> list[FileReport]:
        """Load the file of a payload again; nothing is done when none of its rows is in quarantine any more.

        Raises ``InvalidPayload``, ``FileNotKept``, ``Unavailable``.
        """
        job = read_payload(ReplayFile, payload)
        async with self.workshop.quarantine() as (ingestion, quality, kept):
            return [report async for report in replay(quality, kept, ingestion, digest=job.digest)]
