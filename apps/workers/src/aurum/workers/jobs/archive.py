"""The job ``history.archive``: it moves closed months to history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from aurum.assembly.pipelines import Pipelines
from aurum.pipelines.history.archive import ArchiveReport, archive_closed
from aurum.pipelines.history.copies import update_copy
from aurum.pipelines.jobs import ArchiveMonths
from aurum.workers.jobs.payload import read_payload


@dataclass(frozen=True, slots=True)
class ArchiveJob:
    """Moves the months that are closed by the settings. After a kill at any point the next run loses or doubles nothing."""

    pipelines: Pipelines

    async def run(self, payload: Mapping[str, object]) -> list[ArchiveReport]:
        """Move closed months, maintain the files of history, and update the copy of history, if it has one.

        Raises ``InvalidPayload``, ``NoHistory``, ``ArchiveRunning`` and other ``Unavailable``.
        """
        job = read_payload(ArchiveMonths, payload)
        store, archive = self.pipelines.store, self.pipelines.archive
        closed_after = timedelta(days=store.settings.history.closed_after_days)
        moves = archive_closed(archive, now=store.clock.now(), closed_after=closed_after, source=job.source)
        reports = [report async for report in moves]
        async with archive.log.exclusive_run():
            await archive.history.upkeep()
        async with self.pipelines.history_copy() as copy:
            if copy is not None:
                await update_copy(archive, copy)
        return reports
