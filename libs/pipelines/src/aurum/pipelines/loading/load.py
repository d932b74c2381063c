"""Loads a file, from its bytes to a committed transaction: look up, recognise, parse, check, store, report."""

from __future__ import annotations

import asyncio
import hashlib
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from aurum.common.clock import SystemClock
from aurum.core.catalog.entries import KnownAtBasis, QuoteFlag, UnitJump
from aurum.core.clock import Clock
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.errors import Conflict, Unavailable
from aurum.pipelines.loading.isolated import IsolatedFiles, needs_isolation
from aurum.pipelines.loading.known_time import KnownAtChoice, KnownAtPolicy
from aurum.pipelines.loading.no_data import Skipped
from aurum.pipelines.loading.owned import owned
from aurum.pipelines.loading.prepare import Prepared, prepare, surprise, with_reason
from aurum.pipelines.loading.reasons import brief
from aurum.pipelines.loading.unpacking import Unreadable
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.retention import ValidationCleanup
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.quality.unit_jump import mark_unit_jumps
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import SourceFile
from aurum.pipelines.storable import storable
from aurum.storage.ports.curves import CurveReader, UnknownProduct
from aurum.storage.ports.files import FileLoad, FileRecord, Loader
from aurum.storage.ports.observations import NeighbourReader
from aurum.storage.quote_flags import flag_quotes

_log = structlog.get_logger(__name__)

_TIDY_AFTER = 200
"""Number of recorded validations after which old ones are deleted.

Not only at the end: an archive may hold a hundred thousand files.
"""


class FileOutcome(StrEnum):
    """The outcome of loading a file."""

    APPLIED = "applied"
    ALREADY_LOADED = "already loaded"
    REFUSED = "refused"
    SKIPPED = "skipped"
    """Its name says that the file holds no data; nothing about it is recorded."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """The result of loading one file. Counts are of observations, except ``rows_read`` (data rows) and ``quarantined``.

    ``suspect_series``, ``unit_jumps``, ``flagged_curves``, ``quote_flags``: as in ``FileEntry``.
    """

    name: str
    digest: str
    outcome: FileOutcome
    source: str = ""
    dataset: str = ""
    reason: str = ""
    rows_read: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    quarantined: int = 0
    seconds: float = 0.0
    suspect_series: int = 0
    unit_jumps: tuple[UnitJump, ...] = ()
    flagged_curves: int = 0
    quote_flags: tuple[QuoteFlag, ...] = ()
    notices: tuple[str, ...] = ()
    """Sentences of the file about itself, such as that it does not hold all records of its query."""


class Ingestion:
    """A loader of files, with its registry, its expectation suites and the store's ``Loader``."""

    def __init__(
        self,
        *,
        registry: Registry,
        suites: Suites,
        loader: Loader,
        raw_files: RawFiles,
        cleanup: ValidationCleanup | None = None,
        neighbours: NeighbourReader | None = None,
        curves: CurveReader | None = None,
        stored_key: Callable[[str], str] = str,
        clock: Clock | None = None,
        isolated: IsolatedFiles | None = None,
        owner: str | None = None,
        terms: Callable[[], Awaitable[ReadingTerms]] | None = None,
    ) -> None:
        """Create a loader of files.

        ``cleanup``: deletes old validations; with None they all stay. ``neighbours``: the points by which changes of unit are
        noticed; with None they are not. ``curves``: the products and quotes by which jumps and stale prices of quotes are
        noticed; with None they are not. ``stored_key``: returns the key under which ``loader`` stores the quotes of a key in a
        file. ``clock``: bounds the instants that are plausible; with None it is the system's.
        ``isolated``: reads files in child processes that could crash this one, with a registry and suites of its own; with None
        this process reads every file. ``owner``: the tenant to whose own products the quotes of all files belong; None: they
        belong to shared products. A file of an owner is refused whole for one bad row, and only the owner learns of it.
        ``terms``: reads what the store says of labels, once for each call; None: files are read with the data of the package.
        """
        self._registry = registry
        self._suites = suites
        self._loader = loader
        self._raw_files = raw_files
        self._cleanup = cleanup
        self._neighbours = neighbours
        self._curves = curves
        self._stored_key = stored_key
        self._clock = clock or SystemClock()
        self._isolated = isolated
        self._owner = owner
        self._terms = terms

    async def ingest(
        self, document: SourceFile | Unreadable | Skipped, *, known_at: KnownAtPolicy | None = None, force: bool = False
    ) -> FileReport:
        """Load one file completely or not at all; a refused file is recorded with its reason.

        Raises ``Unavailable`` when the store does not answer; the caller can then load the file again.
        """
        (report,) = [report async for report in self.ingest_all([document], known_at=known_at, force=force)]
        return report

    async def ingest_all(
        self,
        documents: Iterable[SourceFile | Unreadable | Skipped],
        *,
        known_at: KnownAtPolicy | None = None,
        force: bool = False,
    ) -> AsyncIterator[FileReport]:
        """Load files in order, each in its own transaction; the next file is prepared while one is being stored."""
        policy = known_at or KnownAtPolicy()
        remaining = iter(documents)
        terms = SHIPPED_TERMS if self._terms is None else await self._terms()
        ahead = asyncio.create_task(self._next(remaining, policy, terms, force))
        checked: list[str] = []
        try:
            while (work := await ahead) is not None:
                ahead = asyncio.create_task(self._next(remaining, policy, terms, force))
                report = await self._finish(work, force)
                checked += work.suites
                if len(checked) >= _TIDY_AFTER:
                    await self._tidy(checked)
                yield report
            await self._tidy(checked)
        finally:
            ahead.cancel()
            await asyncio.wait([ahead])

    async def _tidy(self, checked: list[str]) -> None:
        if self._cleanup is not None:
            await self._cleanup.tidy(checked)
        checked.clear()

    async def _next(
        self, remaining: Iterator[SourceFile | Unreadable | Skipped], policy: KnownAtPolicy, terms: ReadingTerms, force: bool
    ) -> _Work | None:
        document = await asyncio.to_thread(next, remaining, None)
        if document is None:
            return None
        started = time.perf_counter()
        if isinstance(document, Skipped):
            return _Work(document, "", None, started)
        digest = await asyncio.to_thread(_digest, document)
        if not force and self._owner is None and isinstance(document, SourceFile):
            same = await self._loader.already_loaded(
                digest, basis=_requested_basis(policy), known_at=policy.time, again=policy.choice is KnownAtChoice.NOW
            )
            if same is not None:
                return _Work(document, digest, None, started)
        prepared = await asyncio.to_thread(self._prepare, document, digest, policy, terms)
        return _Work(document, digest, prepared, started, terms)

    def _prepare(self, document: SourceFile | Unreadable, digest: str, policy: KnownAtPolicy, terms: ReadingTerms) -> Prepared:
        if isinstance(document, Unreadable):
            self._log_failure(document.name, digest, document.failure)
            return Prepared(refusal=brief(document.reason))
        now = self._clock.now()
        if self._isolated is not None and needs_isolation(document):
            prepared = self._isolated.prepare(document, digest, policy, now, terms)
        else:
            prepared = prepare(self._registry, self._suites, document, digest, policy, now, terms)
        self._log_failure(document.name, digest, prepared.failure)
        return prepared if self._owner is None else owned(prepared, self._owner)

    @staticmethod
    def _log_failure(name: str, digest: str, failure: str) -> None:
        if failure:
            _log.error("file not read", file=name, digest=digest, failure=failure)

    async def _finish(self, work: _Work, force: bool) -> FileReport:
        document, prepared = work.document, work.prepared
        if isinstance(document, Skipped):
            return FileReport(document.name, "", FileOutcome.SKIPPED)
        if prepared is None:
            return FileReport(document.name, work.digest, FileOutcome.ALREADY_LOADED, seconds=work.elapsed)
        refusal, validations = storable(prepared.refusal), prepared.validations
        if prepared.load is not None:
            try:
                return await self._store(work, prepared.load, force, prepared.notices)
            except (Conflict, UnknownProduct) as error:
                refusal = brief(error.detail)
            except (Unavailable, OSError):
                raise  # not the fault of the file
            except Exception as error:  # noqa: BLE001 - the transaction was rolled back, and the next file may fare better
                refusal = surprise(error, "storing its rows")
                self._log_failure(document.name, work.digest, traceback.format_exc())
            validations = with_reason(validations, refusal)
        if self._owner is None:
            record = FileRecord(storable(document.name), work.digest, len(document.content), prepared.source, prepared.dataset)
            await self._loader.refuse(record, reason=refusal, validations=validations)
        return FileReport(
            document.name,
            work.digest,
            FileOutcome.REFUSED,
            source=prepared.source,
            dataset=prepared.dataset,
            reason=refusal,
            seconds=work.elapsed,
        )

    async def _store(self, work: _Work, load: FileLoad, force: bool, notices: tuple[str, ...]) -> FileReport:
        # Stored before the commit, so that a file with rows in quarantine can be loaded again once they are there.
        if missing := await asyncio.to_thread(self._raw_files.store, load, work.document.content):
            notices = (*notices, missing)
        if self._neighbours is not None:
            load = await mark_unit_jumps(load, self._neighbours)
        if self._curves is not None:
            load = await flag_quotes(load, self._curves, self._stored_key)
        outcome = await self._loader.load(replace(load, read_with=work.terms.versions), force=force)
        record = load.record
        return FileReport(
            name=record.name,
            digest=record.digest,
            outcome=FileOutcome.ALREADY_LOADED if outcome.already_loaded else FileOutcome.APPLIED,
            source=record.source,
            dataset=record.dataset,
            rows_read=0 if outcome.already_loaded else record.rows_read,
            new=outcome.new,
            revised=outcome.revised,
            unchanged=outcome.unchanged,
            quarantined=outcome.quarantined,
            seconds=work.elapsed,
            suspect_series=0 if outcome.already_loaded else record.suspect_series,
            unit_jumps=() if outcome.already_loaded else record.unit_jumps,
            flagged_curves=0 if outcome.already_loaded else record.flagged_curves,
            quote_flags=() if outcome.already_loaded else record.quote_flags,
            notices=notices,
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """A file on its way to the store. ``prepared``: None when it is skipped, or its content is loaded already."""

    document: SourceFile | Unreadable | Skipped
    digest: str
    prepared: Prepared | None
    started: float
    terms: ReadingTerms = SHIPPED_TERMS

    @property
    def suites(self) -> list[str]:
        """Names of the suites whose validations are recorded with the file."""
        return [validation.suite for validation in self.prepared.validations] if self.prepared is not None else []

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.started


def _digest(document: SourceFile | Unreadable) -> str:
    return hashlib.sha256(document.content).hexdigest()


def _requested_basis(policy: KnownAtPolicy) -> KnownAtBasis | None:
    return KnownAtBasis.STATED if policy.choice is KnownAtChoice.TIME else None
