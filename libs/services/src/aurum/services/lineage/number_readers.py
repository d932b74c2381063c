"""Reads again the number that a job names, for the worker that looks for it in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aurum.core.errors import NotFound
from aurum.core.lineage import FileToSearch
from aurum.services.curves.reading import CurveReading
from aurum.services.jobs.definitions import LocateNumber
from aurum.services.lineage.answer import Lineage
from aurum.services.lineage.locating import file_to_search
from aurum.services.lineage.observation import lineage_of_observation
from aurum.services.lineage.quote import lineage_of_quote
from aurum.services.observations import Reading
from aurum.services.private import tenant_reading
from aurum.storage.ports.curves import CurveReader
from aurum.storage.ports.lineage import LineageReader
from aurum.storage.ports.private import PrivateStores


@dataclass(frozen=True, slots=True)
class NumberReaders:
    """The readers of a worker. ``shared``, ``records``: of shared numbers. ``private``: those of tenants."""

    shared: Reading
    curves: CurveReader
    records: LineageReader
    private: PrivateStores

    async def wanted(self, job: LocateNumber, *, now: datetime) -> Sequence[FileToSearch]:
        """Return the files of a job, in its order, with the stored number that is looked for in them.

        Raises ``NotFound`` for a number that has changed since the job was submitted, and ``Unavailable``.
        """
        lineage = await self._lineage(job, now)
        origins = {one.file.file_id: one for one in lineage.origins}
        missing = [file_id for file_id in job.file_ids if file_id not in origins or lineage.known_at != job.known_at]
        if missing:
            raise NotFound(f"the number has changed since, and file {missing[0]} is none of its files any more")
        return [file_to_search(lineage, origins[file_id]) for file_id in job.file_ids]

    async def _lineage(self, job: LocateNumber, now: datetime) -> Lineage:
        own = None if job.tenant is None else self.private.of(job.tenant)
        records = self.records if own is None else own.lineage
        if job.series is not None:
            assert job.start is not None
            reading = self.shared if own is None else tenant_reading(self.shared, own)
            return await lineage_of_observation(
                reading,
                records,
                job.series,
                job.start,
                as_of=job.known_at,
                as_loaded=job.as_loaded,
                now=now,
                tenant=job.tenant,
            )
        assert job.curve is not None
        assert job.trade_date is not None
        assert job.field is not None
        return await lineage_of_quote(
            CurveReading(self.curves, self.shared, job.tenant, None if own is None else own.loaded),
            lambda _tenant: records,
            job.curve,
            f"{job.delivery_start}..{job.delivery_end}",
            trade_date=job.trade_date,
            field=job.field,
            as_of=job.known_at,
            as_loaded=job.as_loaded,
            now=now,
        )
