"""Finds the place of a number in its files by jobs: only workers can run parsers, and have the stored files."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from pydantic import TypeAdapter, ValidationError

from aurum.core.curves.reading_terms import ReadingTerms
from aurum.core.jobs.states import JobState
from aurum.core.lineage import FileToSearch, Place, PlaceState, SoughtPoint
from aurum.services.catalog.reading_terms import reading_terms
from aurum.services.jobs.definitions import LOCATE, LocateNumber
from aurum.services.jobs.submit import new_job
from aurum.services.jobs.transaction import job_transaction
from aurum.services.lineage.answer import Lineage, is_computed, sender_of
from aurum.services.lineage.origins import Origin
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveReader
from aurum.storage.ports.files import FileLog
from aurum.storage.ports.jobs import Job, JobLog, JobNotParked, NewJob, UnknownJob
from aurum.storage.ports.mappings import MappingReader
from aurum.storage.ports.transaction import Transactions

MOST_SEARCHED = 5
"""Files of one answer that are searched, the likeliest first, until one has the number."""
LOOK_EVERY_S = 0.05
"""Seconds between two looks at jobs that were submitted."""
_PLACES, _TERMS = TypeAdapter(tuple[Place, ...]), TypeAdapter(ReadingTerms)
_RELEASE = "aurum-services"
"""The package whose release is that of the parsers, too."""


def file_to_search(lineage: Lineage, origin: Origin) -> FileToSearch:
    """Return what a parser needs to know to find a number in one of its files."""
    file = origin.file
    return FileToSearch(
        digest=file.digest,
        name=file.name,
        sought=lineage.sought,
        archive=file.archive,
        format=file.format,
        parser_version=file.parser_version,
        release=file.release,
        tenant=lineage.tenant,
        loaded_at=file.loaded_at,
    )


def unlocated(origin: Origin, number: int) -> Place | None:
    """Return the place in a file that is not searched; None: it can be. ``number``: of the file in its answer, from 0."""
    if (sender := sender_of(origin.file)) is not None:
        how = "computed by Aurum" if is_computed(origin.file) else f"sent over HTTP ({sender})"
        return Place(PlaceState.NO_FILE, f"it was {how}: there is no file")
    if number >= MOST_SEARCHED:
        return Place(PlaceState.NOT_REQUESTED, f"only the first {MOST_SEARCHED} files are searched")
    return None


@dataclass(frozen=True, slots=True)
class PlaceJobs:
    """The jobs of one caller that find numbers in their files.

    ``files``: the records of the owner of the numbers. ``curves``, ``mappings``: what the store says of labels. ``tenant``: of
    the caller, who owns the jobs; None: an operator. ``pause``: waits for some seconds.
    """

    transactions: Transactions
    jobs: JobLog
    files: FileLog
    curves: CurveReader
    mappings: MappingReader
    by: Actor
    tenant: str | None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def places(self, lineage: Lineage, *, wait_s: float) -> Sequence[Place]:
        """Return the place of a number in each file of its lineage, in their order.

        One job searches the files, until one has the number. A job that was submitted for the same number and files before is
        not submitted again while the release and what the store says of labels are the same; one that failed or was cancelled
        is tried again. Waits for the result, up to ``wait_s``, if there is a worker; what is not there then is pending, or
        still failed. Raises ``Unavailable``.
        """
        places = [unlocated(origin, number) for number, origin in enumerate(lineage.origins)]
        wanted = [origin for origin, place in zip(lineage.origins, places, strict=True) if not place]
        located = iter(await self._located(lineage, wanted, wait_s))
        return [place or next(located) for place in places]

    async def _located(self, lineage: Lineage, wanted: Sequence[Origin], wait_s: float) -> Sequence[Place]:
        if not wanted:
            return []
        job = await self._job(lineage, wanted)
        async with job_transaction(self.transactions, by=self.by, tenant=self.tenant) as tx:
            (job_id,) = await tx.jobs.submit([job])
        ended = await self._ended(job_id)
        failed = ended if ended is not None and ended.state is not JobState.SUCCEEDED else None
        if failed is not None:
            await self._retry(job_id)
        return _places_of(await self._finished(job_id, wait_s) or failed, job_id, len(wanted))

    async def _job(self, lineage: Lineage, origins: Sequence[Origin]) -> NewJob:
        """Return the job that finds a number in files.

        It is another one once a content is loaded again, and for another release or other terms, which may read the files
        differently.
        """
        wanted = [file_to_search(lineage, origin) for origin in origins]
        terms, records = await asyncio.gather(
            reading_terms(self.curves, self.mappings, tenant=lineage.tenant),
            asyncio.gather(*(self.files.applied(digest) for digest in {one.digest for one in wanted})),
        )
        newest = sorted(some[-1].file_id for some in records if some)
        reason = [newest, version(_RELEASE), _digest(terms), str(lineage.as_loaded), repr(wanted)]
        key = f"lineage:{hashlib.sha256(json.dumps(reason).encode()).hexdigest()}"
        payload = _payload(lineage, [origin.file.file_id for origin in origins])
        return new_job(LOCATE, payload, subject=self.by.subject, tenant=self.tenant, key=key)

    async def _retry(self, job_id: str) -> None:
        try:
            async with job_transaction(self.transactions, by=self.by, tenant=self.tenant) as tx:
                await tx.jobs.retry(job_id)
        except (JobNotParked, UnknownJob):
            return  # another request has queued it again meanwhile, or an operator has dropped it

    async def _finished(self, job_id: str, wait_s: float) -> Job | None:
        """Return the job once it has ended; None if it has not after ``wait_s``."""
        ended = await self._ended(job_id)
        if ended is not None or wait_s <= 0 or not await self.jobs.workers():
            return ended
        waited = 0.0
        while ended is None and waited < wait_s:
            await self.pause(LOOK_EVERY_S)
            waited += LOOK_EVERY_S
            ended = await self._ended(job_id)
        return ended

    async def _ended(self, job_id: str) -> Job | None:
        return next((job for job in await self.jobs.jobs([job_id]) if job.state.has_ended), None)


def _payload(lineage: Lineage, file_ids: Sequence[int]) -> LocateNumber:
    """Return what names a number and its files, without anything that the store holds of them."""
    sought = lineage.sought
    number: dict[str, object]
    if isinstance(sought, SoughtPoint):
        number = {"series": lineage.number.key, "start": sought.start}
    else:
        number = {
            "curve": lineage.number.key,
            "trade_date": sought.trade_date,
            "delivery_start": sought.delivery_start,
            "delivery_end": sought.delivery_end,
            "field": sought.field,
        }
    about = {"file_ids": file_ids, "known_at": lineage.known_at, "as_loaded": lineage.as_loaded, "tenant": lineage.tenant}
    return LocateNumber.model_validate(about | number)


def _digest(terms: ReadingTerms) -> str:
    document = json.dumps(_TERMS.dump_python(terms, mode="json"), sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


def _places_of(job: Job | None, job_id: str, count: int) -> Sequence[Place]:
    """Return the places that a job has found in its files. ``job``: None: it has not ended. ``count``: of its files."""
    if job is None:
        why = f"job {job_id} looks for it: send the request again, or watch /v2/jobs/{job_id}"
        return [Place(PlaceState.PENDING, why, job_id=job_id)] * count
    if job.state is not JobState.SUCCEEDED:
        why = f"job {job_id} that looked for it was {job.state}: {job.reason or 'without a reason'}; it is tried again"
        return [Place(PlaceState.FAILED, why, job_id=job_id)] * count
    try:
        places = _PLACES.validate_python((job.result or {}).get("places"))
    except ValidationError:
        places = ()
    if len(places) != count:
        return [Place(PlaceState.FAILED, f"job {job_id} left a result that this release does not read", job_id=job_id)] * count
    return [replace(place, job_id=job_id) for place in places]
