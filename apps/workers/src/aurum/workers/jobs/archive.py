"""``history.archive``: move closed months to history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from aurum.pipelines.archive import ArchiveReport, archive_closed
from aurum.pipelines.copies import follow
from aurum.pipelines.jobs import ArchiveMonths
from aurum.storage.history_tier import copy_of
from aurum.workers.jobs.payload import read_payload
from aurum.workers.wiring import Workshop


@dataclass(frozen=True, slots=True)
class ArchiveJob:
    """Moves what settings call closed. Killed anywhere and done again, it loses nothing and doubles nothing."""

    workshop: Workshop

    async def run(self, payload: Mapping[str, object]) -> list[ArchiveReport]:
        """Move closed months, then look after history's files and bring its copy up to date, where there is one.

        Raises ``InvalidPayload``, ``NoHistory``, ``ArchiveRunning`` and other ``Unavailable``.
        """
        job = read_payload(ArchiveMonths, payload)
        closed_after = timedelta(days=self.workshop.settings.history.closed_after_days)
        async with self.workshop.archive() as archive:
            moves = archive_closed(archive, now=self.workshop.clock.now(), closed_after=closed_after, source=job.source)
            reports = [report async for report in moves]
            async with archive.log.alone():
                await archive.history.upkeep()
            settings = self.workshop.settings
            async with copy_of(settings.clickhouse, settings.resilience) as copy:
                if copy is not None:
                    await follow(archive, copy)
        return reports
