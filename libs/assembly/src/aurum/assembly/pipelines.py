"""The pipelines over a store, for the command and the workers: loading files, archiving months, building models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from aurum.assembly.fetching import downloads_of
from aurum.assembly.history import copy_of, iceberg_of
from aurum.assembly.own_quotes import OwnVenueLoader
from aurum.assembly.store import ModelInputs, Store
from aurum.common.contracts import contracts_directory
from aurum.common.settings import Settings
from aurum.core.errors import Invalid
from aurum.core.lineage import FileToSearch, Place
from aurum.pipelines.alerts import find_faults
from aurum.pipelines.declarations import declare_catalog, declare_products
from aurum.pipelines.fetch.catch_up import Load, SinceLast
from aurum.pipelines.fetch.downloads import Downloads
from aurum.pipelines.fetch.fetching import Fetching
from aurum.pipelines.history.archive import Archive, NoHistory, archive_of
from aurum.pipelines.loading.documents import read_source_files
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.loading.load import Ingestion
from aurum.pipelines.loading.no_data import Skipped
from aurum.pipelines.loading.stored_place import find_places
from aurum.pipelines.loading.unpacking import Unreadable
from aurum.pipelines.models.project import ModelPaths, project_directory
from aurum.pipelines.models.run import ModelRunner, require_dbt
from aurum.pipelines.quality.marts import MartsReport, validate_build
from aurum.pipelines.quality.raw_files import Bounds, RawFiles
from aurum.pipelines.quality.retention import ValidationCleanup
from aurum.pipelines.quality.suites import MartSuite, Suites, read_mart_suites, read_suites
from aurum.pipelines.registry import Registry, logged_registry
from aurum.pipelines.seeds import seeds
from aurum.pipelines.source import SourceFile
from aurum.services.alerts.recording import CHECK, Changes, record_findings
from aurum.services.catalog.reading_terms import reading_terms
from aurum.services.curves.own_venue import key_at
from aurum.services.webhooks.log import delete_old_deliveries
from aurum.storage.ports.access import Actor
from aurum.storage.ports.files import Loader
from aurum.storage.ports.models import MartReader, ModelRun
from aurum.storage.ports.wide import HistoryCopy

_RELEASE = Actor("aurum")
"""The actor of what a release writes by itself."""


def model_paths(settings: Settings) -> ModelPaths:
    """Return the folders of the dbt project and of the models it builds. Raises ``ProjectNotFound``."""
    return ModelPaths(project_directory(settings.dbt.project_dir), settings.data_dir.resolve() / "warehouse")


def isolated_files(settings: Settings) -> IsolatedFiles:
    """Return the child processes that read workbooks, XML and archives. Raises ``ContractsNotFound``."""
    return IsolatedFiles(settings.files, expectations=_expectations(settings))


def _expectations(settings: Settings) -> Path:
    return contracts_directory(settings.contracts_dir) / "expectations"


@dataclass(frozen=True)
class Pipelines:
    """The pipelines over one store. Expensive parts are made once, at their first use.

    ``readers``: the child processes that read files, where several processes share them; None: this one starts its own.
    """

    store: Store
    readers: IsolatedFiles | None = None

    @cached_property
    def registry(self) -> Registry:
        """The registry of all sources, those of plugins too. A plugin that cannot be used is logged."""
        return logged_registry()

    @cached_property
    def suites(self) -> Suites:
        """The expectations of each dataset. Raises ``ContractsNotFound``."""
        return read_suites(self._expectations, of_plugins=self.registry.suites_of_plugins)

    @cached_property
    def mart_suites(self) -> tuple[MartSuite, ...]:
        """The expectations of each mart. Raises ``ContractsNotFound``."""
        return tuple(read_mart_suites(self._expectations))

    @cached_property
    def raw_files(self) -> RawFiles:
        """The files that are stored as they came, in the data directory."""
        folder, files = self.store.settings.data_dir, self.store.settings.files
        most = None if files.raw_files_mib is None else files.raw_files_mib << 20
        return RawFiles(
            folder / "quarantine", folder / "raw", choice=files.raw_files, bounds=Bounds(most, files.raw_files_days)
        )

    @cached_property
    def validation_cleanup(self) -> ValidationCleanup:
        """The cleanup of old results of checks."""
        return ValidationCleanup(self.store.quality.recorder, self.store.settings.quality, self.store.clock)

    @cached_property
    def ingestion(self) -> Ingestion:
        """The loader of files of shared series and products."""
        return self._ingestion(self.store.files.loader, None)

    def ingestion_of(self, tenant: str, venue: str | None = None) -> Ingestion:
        """Return the loader of files with quotes of a tenant's own products.

        ``venue``: stands in their keys in place of that of the file; products that the tenant does not have yet are added with
        the terms of the shared ones. None: the file names the tenant's products itself.
        """
        if venue is None:
            return self._ingestion(self.store.files.loader, tenant)
        loader = OwnVenueLoader(self.store, tenant, venue)
        return self._ingestion(loader, tenant, lambda key: key_at(key, venue))

    def _ingestion(self, loader: Loader, owner: str | None, stored_key: Callable[[str], str] = str) -> Ingestion:
        return Ingestion(
            registry=self.registry,
            suites=self.suites,
            loader=loader,
            raw_files=self.raw_files,
            cleanup=self.validation_cleanup,
            neighbours=self.store.observations.neighbours,
            curves=self.store.curves,
            stored_key=stored_key,
            isolated=self.isolated_files,
            owner=owner,
            terms=lambda: reading_terms(self.store.curves, self.store.catalog.mappings, tenant=owner),
        )

    @cached_property
    def isolated_files(self) -> IsolatedFiles:
        """The child processes that read workbooks, XML and archives. They start at the first such file."""
        return self.readers or isolated_files(self.store.settings)

    async def places_of(self, wanted: Sequence[FileToSearch]) -> Sequence[Place]:
        """Return the place of one number in each of some stored files, as ``find_places`` does. Raises ``Unavailable``.

        They are read with what the store says of labels.
        """
        if not wanted:
            return []
        terms = await reading_terms(self.store.curves, self.store.catalog.mappings, tenant=wanted[0].tenant)
        return await asyncio.to_thread(find_places, self.raw_files, self.isolated_files, wanted, terms)

    def read(self, path: Path) -> Iterator[SourceFile | Unreadable | Skipped]:
        """Yield the file at a path, or each member when it is an archive."""
        return read_source_files(path, self.isolated_files, most_bytes=self.store.settings.files.file_mib << 20)

    def downloads(self, folder: Path | None = None) -> Downloads:
        """Return the downloads into a folder; None for ``fetched`` in the data directory."""
        return downloads_of(self.store.settings, self.registry, folder, self.store.clock)

    def fetching(self, downloads: Downloads | None = None) -> Fetching:
        """Return what downloads public files, loads them and records that it did. ``downloads``: None for the usual ones."""
        return Fetching(downloads or self.downloads(), self.ingestion, self.read, self.store.fetches, self.store.clock)

    @property
    def archive(self) -> Archive:
        """The archive, which moves closed months to history. Raises ``NoHistory``."""
        settings, history = self.store.settings, self.store.history
        if history is None:
            raise NoHistory("this store has no archive log: use a PostgreSQL store")
        return archive_of(settings.history, settings.database, history.log, history.store)

    @property
    def models(self) -> ModelRunner:
        """The runner of dbt models over the store. Raises ``DbtNotInstalled``, ``ProjectNotFound``."""
        require_dbt()  # DuckDB is installed with it
        from aurum.storage.duckdb.model_inputs import DuckDbStoreCopy

        store, settings, paths = self.store, self.store.settings, model_paths(self.store.settings)
        parts = self._model_inputs
        return ModelRunner(
            settings=settings.dbt,
            database=store.database,
            paths=paths,
            registry=self.registry,
            clock=store.clock,
            catalog=store.catalog.reader,
            export=parts.export,
            copy=DuckDbStoreCopy(paths.file),
            calendars=parts.calendars,
            log=store.models,
            history=iceberg_of(settings.history, settings.trino),
        )

    def marts(self) -> MartReader:
        """Return a reader of the marts of the target ``AURUM_DBT__TARGET``.

        Raises ``Invalid`` for a target whose marts cannot be read by this process.
        """
        settings = self.store.settings.dbt
        match settings.target:
            case "postgres":
                return self._model_inputs.marts_in(settings.schema_name)
            case "duckdb":
                from aurum.storage.duckdb.mart_reader import DuckDbMartReader  # DuckDB is slow to load, and only marts need it

                return DuckDbMartReader(model_paths(self.store.settings).file, settings.schema_name)
            case target:
                raise Invalid(
                    f"marts of target {target!r} cannot be read by this process: set AURUM_DBT__TARGET to duckdb or postgres",
                    target=target,
                )

    async def check_build(self, built: ModelRun) -> MartsReport | None:
        """Check the marts that a run has built and record the results; None for target trino.

        This process cannot read the marts of that target. Raises ``Unavailable``.
        """
        if self.store.settings.dbt.target == "trino":
            return None
        return await validate_build(
            self.marts(), self.mart_suites, self.store.quality.recorder, built, cleanup=self.validation_cleanup
        )

    @asynccontextmanager
    async def history_copy(self) -> AsyncGenerator[HistoryCopy | None]:
        """Open the copy of history for wide scans, for the length of the block; None if settings configure none."""
        async with copy_of(self.store.settings.clickhouse, self.store.settings.resilience) as copy:
            yield copy

    async def check_alerts(self) -> Changes:
        """Check all datasets for faults, open or resolve their alerts, and delete old deliveries. Raises ``Unavailable``."""
        store, now = self.store, self.store.clock.now()
        grace = timedelta(minutes=store.settings.alerts.grace_minutes)
        findings = await find_faults(self.registry, store.quality.log, store.alerts, grace=grace, now=now)
        changes = await record_findings(store.transactions, findings, now=now)
        oldest = now - timedelta(days=store.settings.webhooks.log_days)
        await delete_old_deliveries(store.transactions, before=oldest, by=CHECK)
        return changes

    async def declare_catalog(self) -> None:
        """Write every source, dataset, default block and product of this release into the store. Raises ``Unavailable``."""
        await declare_catalog(self.registry, self.store.catalog.writer)
        await declare_products(self.store.transactions)

    async def declare_schedule(self) -> int:
        """Write the schedules of this release into the store, under the settings of this process, and return their number.

        Those that a person edited stay as they are. Raises ``Unavailable``.
        """
        store, specs = self.store, seeds(self.registry, self.store.settings)
        async with store.transactions.transaction(by=_RELEASE) as tx:
            await tx.schedule.seed(specs, at=store.clock.now(), by=_RELEASE.subject)
        return len(specs)

    def since_last(self, source: str, dataset: str, load: Load, *, by: str) -> SinceLast:
        """Return the fetch of what was published of a dataset since the last one. Raises ``UnknownName``."""
        store, settings = self.store, self.store.settings
        return SinceLast(
            self.registry.dataset(source, dataset),
            load,
            store.watermarks,
            store.transactions,
            store.clock,
            Actor(by),
            grace=timedelta(minutes=settings.alerts.grace_minutes),
            first_days=settings.schedule.first_days,
        )

    @property
    def _model_inputs(self) -> ModelInputs:
        if self.store.model_inputs is None:
            raise Invalid("models cannot be built from this store: use a PostgreSQL store")
        return self.store.model_inputs

    @property
    def _expectations(self) -> Path:
        return _expectations(self.store.settings)
