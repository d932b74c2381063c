"""The functions of the jobs of the schedule: fetches, backfills, the inbox and maintenance. Only workers load this module."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from aurum.assembly.pipelines import Pipelines
from aurum.pipelines.fetch.backfill import Backfill, days_left, parts_of
from aurum.pipelines.fetch.catch_up import CatchUp
from aurum.pipelines.fetch.fetching import Fetched
from aurum.pipelines.fetch.loads import load_with
from aurum.pipelines.inbox import Inbox, NoInbox
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileReport
from aurum.pipelines.seeds import is_frequent
from aurum.pipelines.warming import warm
from aurum.services.curves.derived import refresh_derived
from aurum.services.jobs.definitions import BackfillPart, BackfillRange, FetchDue, Nothing, default_definitions
from aurum.services.jobs.running import JobFunction, Result, RunningJob
from aurum.storage.ports.access import Actor
from aurum.storage.ports.derived_curves import REFRESH
from aurum.storage.ports.jobs import NewJob
from aurum.storage.ports.transaction import Transaction

_AT_ONCE = 5_000


@dataclass(slots=True)
class _Files:
    """The files that a job has loaded, in numbers. ``tell``: logs one and counts it in the metrics of the worker."""

    tell: Callable[[FileReport], None]
    rows: Counter[str] = field(default_factory=Counter[str])

    def add(self, fetched: Fetched) -> None:
        for report in fetched.reports:
            self.tell(report)
            self.rows.update(files=1, new=report.new, revised=report.revised, quarantined=report.quarantined)


@dataclass(frozen=True, slots=True)
class ScheduleJobs:
    """The functions. ``tell``: logs a loaded file and counts it in the metrics of the worker."""

    pipelines: Pipelines
    tell: Callable[[FileReport], None]

    def functions(self) -> Mapping[str, JobFunction]:
        """Return the functions by the names of their jobs."""
        return {
            "fetch.due": self.fetch_due,
            "backfill.range": self.backfill_range,
            "backfill.part": self.backfill_part,
            "inbox.scan": self.scan_inbox,
            REFRESH: self.refresh_curves,
            "jobs.retention": self.retain,
            "aggregates.refresh": self.refresh,
            "cache.warm": self.warm,
            "catalog.declare": self.declare,
        }

    async def fetch_due(self, job: FetchDue, running: RunningJob) -> Result:
        """Fetch and load what is due of a dataset, and submit the next look for what is not published yet.

        A publisher that fails does not fail the job: the watermark says so. Raises ``UnknownName``, ``NoPublicFile`` and
        ``Unavailable``.
        """
        dataset, files = self.pipelines.registry.dataset(job.source, job.dataset), _Files(self.tell)
        load = load_with(self.pipelines.fetching(), job.source, job.dataset, tell=files.add)
        result: dict[str, object] = {}

        async def follow_up(tx: Transaction, caught_up: CatchUp) -> None:
            result.update(_facts(caught_up), rows=dict(files.rows))
            if caught_up.again_at is not None and not is_frequent(dataset):
                await tx.jobs.submit([_next_look(job, running, caught_up)])
            await running.succeed(tx, result)

        async def progress(done: int, total: int) -> None:
            await running.progress(done, total)

        since_last = self.pipelines.since_last(job.source, job.dataset, load, by=running.subject)
        await since_last.run(progress=progress, follow_up=follow_up)
        return result

    async def backfill_range(self, job: BackfillRange, running: RunningJob) -> Result:
        """Submit the parts of a backfill, which run ``parallel`` at a time.

        Raises ``UnknownName``, ``NoPublicFile`` and ``Unavailable``.
        """
        store, pipelines = self.pipelines.store, self.pipelines
        dataset = pipelines.registry.dataset(job.source, job.dataset)
        left = await days_left(dataset, store.watermarks, store.clock, job.first, job.last, force=job.force)
        plan = pipelines.downloads().plan(job.source, job.dataset, left.days)
        parts = parts_of(plan.publications)
        definition, since = default_definitions()["backfill.part"], store.clock.now()
        jobs = [
            NewJob(
                definition.name,
                BackfillPart(
                    source=job.source, dataset=job.dataset, days=days, known_at=job.known_at, force=job.force, since=since
                ).model_dump(mode="json"),
                definition.queue,
                priority=definition.priority,
                subject=running.subject,
                key=f"backfill:{running.job_id}:{days[0]}",
                # As many texts as jobs may run at a time.
                exclusive=f"backfill {running.job_id} {number % job.parallel}",
                parent=running.job_id,
            )
            for number, days in enumerate(parts)
        ]
        result = {"parts": len(parts), "days": len(left.days), "done_before": left.done, "not_published_yet": left.ahead}
        async with store.transactions.transaction(by=Actor(running.subject)) as tx:
            await tx.jobs.submit(jobs)
            await running.succeed(tx, result)
        return result

    async def backfill_part(self, job: BackfillPart, running: RunningJob) -> Result:
        """Fetch and load days that were not fetched yet. What was done before a failure is not repeated; with ``force`` this
        needs ``since``.

        Raises the error of the publisher, after which the job is tried again or parked, and ``Unavailable``.
        """
        store, files = self.pipelines.store, _Files(self.tell)
        dataset = self.pipelines.registry.dataset(job.source, job.dataset)
        wanted = (job.days[0], job.days[-1])
        left = await days_left(dataset, store.watermarks, store.clock, *wanted, force=job.force, since=job.since)
        days = tuple(day for day in job.days if day in left.days)
        load = load_with(
            self.pipelines.fetching(),
            job.source,
            job.dataset,
            known_at=KnownAtPolicy.parse(job.known_at),
            force=job.force,
            tell=files.add,
        )
        backfill = Backfill(dataset, load, store.transactions, store.clock, Actor(running.subject))

        async def progress(done: int) -> None:
            await running.progress(done, len(days))

        report = await backfill.run(days, progress=progress)
        if report.error is not None:
            raise report.error
        return {"days": {str(state): count for state, count in report.days.items()}, "rows": dict(files.rows)}

    async def scan_inbox(self, job: Nothing, running: RunningJob) -> Result:
        """Load the files of the inbox that are whole. Raises ``NoInbox``, ``FolderUnusable``, ``Unavailable``."""
        del job
        settings = self.pipelines.store.settings
        if settings.inbox.folder is None:
            raise NoInbox("AURUM_INBOX__FOLDER is not set", folder="")
        loaded = 0

        async def load(path: Path) -> AsyncIterator[FileReport]:
            nonlocal loaded
            async for report in self.pipelines.ingestion.ingest_all(self.pipelines.read(path)):
                self.tell(report)
                loaded += 1
                await running.progress(loaded, note=report.name)
                yield report

        inbox = Inbox(
            settings.inbox.folder,
            settings.data_dir / "inbox.json",
            load,
            moves=settings.inbox.loaded == "move",
            needs_marker=settings.inbox.needs_marker,
        )
        report = await inbox.scan()
        return {"files": dict(report.files), **({"left": report.left} if report.left else {})}

    async def refresh_curves(self, job: Nothing, running: RunningJob) -> Result:
        """Submit builds of derived curves that are stale, failed or never built, and have no job. Raises ``Unavailable``."""
        del job
        store = self.pipelines.store
        by, now = Actor(running.subject or REFRESH), store.clock.now()
        refreshed = await refresh_derived(store.transactions, store.derived_curves, store.jobs, by=by, now=now)
        return asdict(refreshed)

    async def retain(self, job: Nothing, running: RunningJob) -> Result:
        """Delete jobs that ended longer ago than AURUM_SCHEDULE__JOBS_DAYS, in steps. Raises ``Unavailable``."""
        del job
        settings, now = self.pipelines.store.settings, self.pipelines.store.clock.now()
        before = now - timedelta(days=settings.schedule.jobs_days)
        jobs = await self._in_steps(lambda tx: tx.jobs.delete_ended(before=before, limit=_AT_ONCE), running)
        return {"jobs": jobs}

    async def refresh(self, job: Nothing, running: RunningJob) -> Result:
        """Write the words of the search anew where they are outdated. Raises ``Unavailable``."""
        del job, running
        return {"series": await self.pipelines.store.catalog.writer.refresh_search()}

    async def warm(self, job: Nothing, running: RunningJob) -> Result:
        """Request the addresses of ``AURUM_SCHEDULE__WARM``. Raises ``WarmingFailed``."""
        del job
        settings = self.pipelines.store.settings.schedule

        async def progress(done: int) -> None:
            await running.progress(done, len(settings.warm))

        await warm(settings.warm, settings.warm_key, progress=progress)
        return {"requested": len(settings.warm)}

    async def declare(self, job: Nothing, running: RunningJob) -> Result:
        """Write the sources, datasets and schedules of this release into the store. Raises ``Unavailable``."""
        del job, running
        await self.pipelines.declare_catalog()
        return {"schedules": await self.pipelines.declare_schedule()}

    async def _in_steps(self, step: Callable[[Transaction], Awaitable[int]], running: RunningJob) -> int:
        total = 0
        while True:
            async with self.pipelines.store.transactions.transaction(by=Actor(running.subject)) as tx:
                count = await step(tx)
            total += count
            await running.progress(total)
            if count < _AT_ONCE:
                return total


def _facts(caught_up: CatchUp) -> dict[str, object]:
    watermark = caught_up.watermark
    return {
        "days": [str(day) for day in caught_up.loaded[-10:]],
        "fetched_to": None if watermark.fetched_to is None else str(watermark.fetched_to),
        "state": str(watermark.state),
        "reason": watermark.reason,
    }


def _next_look(job: FetchDue, running: RunningJob, caught_up: CatchUp) -> NewJob:
    definition = default_definitions()["fetch.due"]
    return NewJob(
        definition.name,
        job.model_dump(mode="json"),
        definition.queue,
        priority=definition.priority,
        subject=running.subject,
        run_after=caught_up.again_at,
        # Two fetches that find the same day missing look again once.
        key=f"fetch.due:{job.source}:{job.dataset}:{caught_up.again_at:%Y-%m-%dT%H:%M}",
        exclusive=definition.exclusive(job),
        parent=running.job_id,
    )
