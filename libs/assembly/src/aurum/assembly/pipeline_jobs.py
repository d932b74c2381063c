"""The functions of jobs over the pipelines, which run in processes of their own. Only workers load this module."""

from __future__ import annotations

import dataclasses
import importlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import structlog

from aurum.assembly.pipelines import Pipelines, isolated_files
from aurum.assembly.postgres import open_store
from aurum.assembly.schedule_jobs import ScheduleJobs
from aurum.assembly.services import reading
from aurum.common.contracts import ContractsNotFound
from aurum.common.settings import Settings
from aurum.core.errors import NotFound
from aurum.pipelines.fetch.downloads import FetchOutcome
from aurum.pipelines.fetch.errors import NotPublished
from aurum.pipelines.history.archive import archive_closed
from aurum.pipelines.history.copies import update_copy
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.known_time import KnownAtPolicy
from aurum.pipelines.loading.load import FileOutcome, FileReport
from aurum.pipelines.loading.replay import replay
from aurum.pipelines.models.run import Invocation, Verb
from aurum.services.curves import CurveReading
from aurum.services.curves.derived import build_derived
from aurum.services.jobs.definitions import (
    ArchiveMonths,
    CheckAlerts,
    DbtRun,
    FetchDay,
    IngestFile,
    LocateNumber,
    RebuildCurve,
    ReplayFile,
)
from aurum.services.jobs.running import JobFunction, Result, RunningJob
from aurum.services.lineage import NumberReaders
from aurum.storage.ports.access import Actor
from aurum.storage.ports.derived_curves import REBUILD, BuildOvertaken, UnknownDerivedCurve

Count: TypeAlias = Callable[[str, str, float], None]

_MOST_REASONS = 10
"""Refused files whose reason is in the result of a job."""

_log = structlog.get_logger(__name__)


class NoSuchFile(NotFound):
    """The file does not exist on the worker's machine. Facts: ``path``."""


@dataclass(frozen=True, slots=True)
class PipelineJobs:
    """The functions. ``count``: adds to a counter of the worker."""

    pipelines: Pipelines
    count: Count

    def functions(self) -> Mapping[str, JobFunction]:
        """Return the functions by the names of their jobs."""
        return {
            "ingest.file": self.ingest_file,
            REBUILD: self.rebuild_curve,
            "fetch.day": self.fetch_day,
            "quarantine.replay": self.replay_file,
            "lineage.locate": self.locate_number,
            "history.archive": self.archive_months,
            "dbt.run": self.run_dbt,
            "alerts.check": self.check_alerts,
            **ScheduleJobs(self.pipelines, self._tell).functions(),
        }

    async def ingest_file(self, job: IngestFile, running: RunningJob) -> Result:
        """Load the file of a payload, or every file in it if it is an archive.

        A rejected file is recorded with its reason, and the job still succeeds. Raises ``InvalidKnownAt``, ``NoSuchFile``,
        ``Unavailable``.
        """
        policy = KnownAtPolicy.parse(job.known_at)
        if not job.path.is_file():
            raise NoSuchFile(f"no file {job.path}", path=str(job.path))
        return await self._load(job.path, policy, running, force=job.force)

    async def fetch_day(self, job: FetchDay, running: RunningJob) -> Result:
        """Fetch a day's file to the data directory and load it.

        Raises ``NotPublished`` and the errors of ``Fetching.fetch_days``.
        """
        loaded = _Loaded()
        async with aclosing(self.pipelines.fetching().fetch_days(job.source, job.dataset, [job.day])) as results:
            async for result in results:
                if result.download.outcome is FetchOutcome.NOT_PUBLISHED:
                    raise NotPublished(result.download.detail, source=job.source, dataset=job.dataset, days=str(job.day))
                for report in result.reports:
                    loaded.add(report)
                    self._tell(report)
                    await running.progress(loaded.files, note=report.name)
        return loaded.result()

    async def rebuild_curve(self, job: RebuildCurve, running: RunningJob) -> Result:
        """Build a derived curve if it is not fresh, or all of it.

        A curve that was deleted or waits for the build of another one, and a build that a later one has overtaken, end the job
        without an effect. Raises what the build failed of, which the curve then says, and ``Unavailable``.
        """
        store, by = self.pipelines.store, Actor(running.subject or REBUILD, running.tenant)
        curve_reading = CurveReading(store.curves, reading(store), running.tenant)
        try:
            curve = await build_derived(
                store.transactions,
                store.derived_curves,
                curve_reading,
                store.files.loader,
                job.derived_id,
                tenant=running.tenant,
                by=by,
                whole=job.whole,
                first=job.first,
            )
        except (UnknownDerivedCurve, BuildOvertaken) as error:
            return {"built": False, "reason": error.detail}
        if curve.needs_build and curve.waits_for:
            return {"built": False, "reason": f"{curve.key} is built after {', '.join(curve.waits_for)}"}
        _log.info("curve built", curve=curve.key, derived_id=curve.derived_id, builds=curve.builds)
        return {"built": True, "curve": curve.key, "report": curve.report}

    async def replay_file(self, job: ReplayFile, running: RunningJob) -> Result:
        """Load a stored file again; do nothing if none of its rows is in quarantine any more.

        Raises ``RawFileMissing``, ``Unavailable``.
        """
        pipelines, store = self.pipelines, self.pipelines.store
        reports = replay(store.quality.log, store.files.log, pipelines.raw_files, pipelines.ingestion, digest=job.digest)
        return await self._summed(reports, running)

    async def locate_number(self, job: LocateNumber, running: RunningJob) -> Result:
        """Find the place of a number in its stored files.

        Raises ``NotFound`` for a number that has changed, and ``Unavailable``.
        """
        del running  # the first file has it as a rule
        store = self.pipelines.store
        readers = NumberReaders(reading(store), store.curves, store.lineage, store.private)
        wanted = await readers.wanted(job, now=store.clock.now())
        return {"places": list(map(dataclasses.asdict, await self.pipelines.places_of(wanted)))}

    async def check_alerts(self, job: CheckAlerts, running: RunningJob) -> Result:
        """Check all datasets, and open or resolve their alerts. Raises ``Unavailable``."""
        del job, running  # nothing to choose, and done at once
        changes = await self.pipelines.check_alerts()
        for alert in changes.opened:
            _log.warning("alert opened", alert_id=alert.alert_id, kind=str(alert.subject.kind), summary=alert.summary)
        for alert in changes.resolved:
            _log.info("alert resolved", alert_id=alert.alert_id, kind=str(alert.subject.kind), summary=alert.summary)
        return {"opened": len(changes.opened), "resolved": len(changes.resolved)}

    async def archive_months(self, job: ArchiveMonths, running: RunningJob) -> Result:
        """Move closed months, maintain the files of history, and update the copy of history, if it has one.

        After a kill at any point the next attempt loses or doubles nothing. Raises ``NoHistory``, ``ArchiveRunning`` and other
        ``Unavailable``.
        """
        store, archive = self.pipelines.store, self.pipelines.archive
        closed_after = timedelta(days=store.settings.history.closed_after_days)
        parts = rows = 0
        async for report in archive_closed(archive, now=store.clock.now(), closed_after=closed_after, source=job.source):
            parts, rows = parts + report.parts, rows + report.rows
            await running.progress(rows, note=f"{report.source} {report.months}")
            _log.info(
                "months archived",
                source=report.source,
                months=str(report.months),
                archive_id=report.archive_id,
                parts=report.parts,
                rows=report.rows,
                left=report.left,
            )
        async with archive.log.exclusive_run():
            await archive.history.upkeep()
        async with self.pipelines.history_copy() as copy:
            if copy is not None:
                await update_copy(archive, copy)
        return {"parts": parts, "rows": rows}

    async def run_dbt(self, job: DbtRun, running: RunningJob) -> Result:
        """Run dbt with the settings of this worker, check the marts that were built, and record the results of both.

        Raises ``ModelsFailed`` and ``ExpectationsFailed`` once they are recorded; another attempt would not help. Also raises
        ``BrokenProject``, ``BuildUnderWay``, ``BuildTooLong`` and ``Unavailable``.
        """
        del running  # dbt says nothing while it runs
        invocation = Invocation(Verb(job.verb), job.select, job.exclude, job.full_refresh)
        report = await self.pipelines.models.run(invocation)
        checked = await self.pipelines.check_build(report.run) if invocation.verb.builds else None
        report.raise_failure()
        if checked is not None:
            checked.raise_failure()
        _log.info("models built", run_id=report.run_id, command=report.run.command, target=report.run.target)
        return {"run_id": report.run_id, "command": report.run.command, "target": report.run.target}

    async def _load(self, path: Path, policy: KnownAtPolicy, running: RunningJob, *, force: bool = False) -> Result:
        reports = self.pipelines.ingestion.ingest_all(self.pipelines.read(path), known_at=policy, force=force)
        return await self._summed(reports, running)

    async def _summed(self, reports: AsyncIterator[FileReport], running: RunningJob) -> Result:
        loaded = _Loaded()
        async for report in reports:
            loaded.add(report)
            self._tell(report)
            await running.progress(loaded.files, note=report.name)
        return loaded.result()

    def _tell(self, report: FileReport) -> None:
        """Log a file and count it in the metrics of the worker."""
        _log.info(
            "file processed",
            name=report.name,
            outcome=str(report.outcome),
            reason=report.reason,
            new=report.new,
            revised=report.revised,
            quarantined=report.quarantined,
            suspect_series=report.suspect_series,
            unit_jumps=[dataclasses.asdict(jump) for jump in report.unit_jumps],
            flagged_curves=report.flagged_curves,
            quote_flags=[dataclasses.asdict(flag) for flag in report.quote_flags],
        )
        self.count("aurum_ingested_files_total", str(report.outcome), 1)
        for change, rows in (("new", report.new), ("revised", report.revised), ("quarantined", report.quarantined)):
            self.count("aurum_ingested_rows_total", change, rows)


@dataclass(slots=True)
class _Loaded:
    """The files that a job has loaded, in numbers."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    rows: Counter[str] = field(default_factory=Counter[str])
    refused: list[str] = field(default_factory=list[str])

    @property
    def files(self) -> int:
        return self.outcomes.total()

    def add(self, report: FileReport) -> None:
        self.outcomes[str(report.outcome)] += 1
        self.rows.update(new=report.new, revised=report.revised, quarantined=report.quarantined)
        if report.outcome is FileOutcome.REFUSED and len(self.refused) < _MOST_REASONS:
            self.refused.append(f"{report.name}: {report.reason}")

    def result(self) -> Result:
        reasons = {"refused": self.refused} if self.refused else {}
        return {"files": dict(self.outcomes), "rows": dict(self.rows), **reasons}


class PipelineProcessJobs:
    """Opens the functions in the process of a job, over a store of its own.

    The jobs share the process that forks readers of files: its imports take longer than most files do.
    """

    def __init__(self) -> None:
        self._readers: IsolatedFiles | None = None

    def shared(self, settings: Settings) -> Sequence[int]:
        """Start the process that forks readers of files unless it runs, and return what its users keep open."""
        if self._readers is None:
            try:
                self._readers = isolated_files(settings)
            except ContractsNotFound:
                return ()  # a job that reads a file says so
        return self._readers.start()

    async def prepare(self, settings: Settings) -> None:
        """Declare in the catalog the sources and datasets that this release knows, and in the schedule its schedules.

        Raises ``DriverNotInstalled`` if the driver of history is missing, here and not in each job, and ``Unavailable``.
        """
        async with open_store(settings) as store:
            _ = store.history
            pipelines = Pipelines(store)
            await pipelines.declare_catalog()
            await pipelines.declare_schedule()

    @asynccontextmanager
    async def opened(self, settings: Settings, count: Count) -> AsyncGenerator[Mapping[str, JobFunction]]:
        """Open the store and yield the functions by name. Raises ``Unavailable``."""
        async with open_store(settings) as store:
            yield PipelineJobs(Pipelines(store, self._readers), count).functions()


_NEEDED = (
    "aurum.storage.loaded",
    "aurum.storage.loader",
    "aurum.storage.postgres.catalog.reader",
    "aurum.storage.postgres.catalog.search",
    "aurum.storage.postgres.catalog.writer",
    "aurum.storage.postgres.curves.readers",
    "aurum.storage.postgres.curves.writer",
    "aurum.storage.postgres.files.log",
    "aurum.storage.postgres.files.writer",
    "aurum.storage.postgres.history.log",
    "aurum.storage.postgres.jobs",
    "aurum.storage.postgres.lineage",
    "aurum.storage.postgres.observations.neighbours",
    "aurum.storage.postgres.observations.partials",
    "aurum.storage.postgres.observations.reader",
    "aurum.storage.postgres.observations.undo_log",
    "aurum.storage.postgres.observations.writer",
    "aurum.storage.postgres.private.store",
    "aurum.storage.postgres.quality.log",
    "aurum.storage.postgres.quality.writer",
    "aurum.storage.postgres.recordings.writer",
    "aurum.storage.postgres.transaction",
    "aurum.storage.tiered",
)
"""Modules that a store imports at the first use of a part. That takes a second, in each process of a job or once before."""


def process_jobs() -> PipelineProcessJobs:
    """Return the jobs that run in processes of their own, once everything that most of them need is imported."""
    for name in _NEEDED:
        importlib.import_module(name)
    with suppress(ModuleNotFoundError):  # the driver is an extra
        importlib.import_module("aurum.storage.duckdb")
    return PipelineProcessJobs()
