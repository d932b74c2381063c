"""One file, from bytes to a committed transaction: look up, recognise, parse, check, store, report."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.core.errors import Conflict
from aurum.core.frames import REFUSED, SERIES, FrameMismatch
from aurum.pipelines.loading.documents import Unreadable
from aurum.pipelines.loading.known_time import KnownAtPolicy, known_time
from aurum.pipelines.quality.gate import Gated, pass_gate
from aurum.pipelines.quality.raw_files import RawFiles
from aurum.pipelines.quality.retention import ValidationCleanup
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Dataset, Parsed, RefusedFile, Source, SourceFile
from aurum.storage.ports.files import FileLoad, FileRecord, Loader
from aurum.storage.ports.observations import SeriesRows

_TIDY_AFTER = 200
"""Checks after which what is too old is forgotten, and not only at the end: an archive may hold a hundred thousand files."""


class FileOutcome(StrEnum):
    """What became of a file."""

    APPLIED = "applied"
    ALREADY_LOADED = "already loaded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one file did. Counts are of observations, but ``rows_read`` (data rows) and ``quarantined``."""

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


@dataclass(frozen=True, slots=True)
class _Prepared:
    load: FileLoad | None = None
    refused: str = ""
    source: str = ""
    dataset: str = ""
    validations: tuple[ValidationResult, ...] = ()


class Ingestion:
    """Loads documents through one registry, one set of expectations and one loader."""

    def __init__(
        self,
        *,
        registry: Registry,
        suites: Suites,
        loader: Loader,
        kept: RawFiles,
        cleanup: ValidationCleanup | None = None,
    ) -> None:
        """``cleanup``: forgets old results of checks; without it all are kept."""
        self._registry = registry
        self._suites = suites
        self._loader = loader
        self._kept = kept
        self._cleanup = cleanup

    async def ingest(
        self, document: SourceFile | Unreadable, *, known_at: KnownAtPolicy | None = None, force: bool = False
    ) -> FileReport:
        """Load one document whole or not at all; a refused one is recorded with its reason.

        Raises ``Unavailable`` when the store does not answer: the document may then be given again.
        """
        (report,) = [one async for one in self.ingest_all([document], known_at=known_at, force=force)]
        return report

    async def ingest_all(
        self,
        documents: Iterable[SourceFile | Unreadable],
        *,
        known_at: KnownAtPolicy | None = None,
        force: bool = False,
    ) -> AsyncIterator[FileReport]:
        """Load documents in order, each in its own transaction, reading the next while one is being stored."""
        policy = known_at or KnownAtPolicy()
        waiting = iter(documents)
        ahead = asyncio.create_task(self._next(waiting, policy, force))
        checked: list[str] = []
        try:
            while (work := await ahead) is not None:
                ahead = asyncio.create_task(self._next(waiting, policy, force))
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

    async def _next(self, waiting: Iterator[SourceFile | Unreadable], policy: KnownAtPolicy, force: bool) -> _Work | None:
        document = await asyncio.to_thread(next, waiting, None)
        if document is None:
            return None
        started = time.perf_counter()
        digest = await asyncio.to_thread(_digest, document)
        if not force and isinstance(document, SourceFile):
            same = await self._loader.already_loaded(digest, basis=_asked(policy), known_at=policy.time)
            if same is not None:
                return _Work(document, digest, None, started)
        prepared = await asyncio.to_thread(self._prepare, document, digest, policy)
        return _Work(document, digest, prepared, started)

    def _prepare(self, document: SourceFile | Unreadable, digest: str, policy: KnownAtPolicy) -> _Prepared:
        if isinstance(document, Unreadable):
            return _Prepared(refused=document.reason)
        source: Source | None = None
        try:
            source, file_format = self._registry.recognise(document)
            parts = file_format.parse(document)
            gated = [pass_gate(part, self._suites.of(source.name, part.dataset.name)) for part in parts]
            validations = tuple(one.validation for one in gated)
            refused = next((one.refused for one in gated if one.refused), "")
            if refused:
                # The others passed, and their rows are refused with the file.
                validations = _refused(validations, refused)
                return _Prepared(None, refused, source.name, _names(part.dataset for part in parts), validations)
            load = _to_load(source, document, digest, parts, gated, policy)
        except RefusedFile as error:
            if source is None:
                return _Prepared(refused=error.reason)
            datasets = file_format.datasets  # pyright: ignore[reportPossiblyUnboundVariable] - set with source
            unread = ValidationResult(
                suite=",".join(self._suites.of(source.name, dataset.name).name for dataset in datasets),
                source=source.name,
                dataset=_names(datasets),
                reason=error.reason,
            )
            return _Prepared(None, error.reason, source.name, _names(datasets), (unread,))
        return _Prepared(load, "", load.record.source, load.record.dataset, load.validations)

    async def _finish(self, work: _Work, force: bool) -> FileReport:
        document, prepared = work.document, work.prepared
        if prepared is None:
            return FileReport(document.name, work.digest, FileOutcome.ALREADY_LOADED, seconds=work.elapsed)
        refused, validations = prepared.refused, prepared.validations
        if prepared.load is not None:
            try:
                return await self._store(work, prepared.load, force)
            except Conflict as error:
                refused = error.detail
                validations = _refused(validations, refused)
        record = FileRecord(document.name, work.digest, len(document.content), prepared.source, prepared.dataset)
        await self._loader.refuse(record, reason=refused, validations=validations)
        return FileReport(
            document.name,
            work.digest,
            FileOutcome.REFUSED,
            source=prepared.source,
            dataset=prepared.dataset,
            reason=refused,
            seconds=work.elapsed,
        )

    async def _store(self, work: _Work, load: FileLoad, force: bool) -> FileReport:
        if not load.quarantine.is_empty():
            # Before the commit: what is in quarantine can always be loaded again.
            await asyncio.to_thread(self._kept.keep, load.record.digest, work.document.content)
        outcome = await self._loader.load(load, force=force)
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
        )


@dataclass(frozen=True, slots=True)
class _Work:
    document: SourceFile | Unreadable
    digest: str
    prepared: _Prepared | None
    started: float

    @property
    def suites(self) -> list[str]:
        """Of the checks that are recorded with it."""
        return [one.suite for one in self.prepared.validations] if self.prepared is not None else []

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.started


def _digest(document: SourceFile | Unreadable) -> str:
    return hashlib.sha256(document.content).hexdigest()


def _asked(policy: KnownAtPolicy) -> KnownAtBasis | None:
    return policy.basis if policy.basis in (KnownAtBasis.ARGUMENT, KnownAtBasis.SCHEDULE) else None


def _to_load(
    source: Source,
    document: SourceFile,
    digest: str,
    parts: tuple[Parsed, ...],
    gated: Sequence[Gated],
    policy: KnownAtPolicy,
) -> FileLoad:
    series: list[pl.DataFrame] = []
    rows: list[pl.DataFrame] = []
    times = [known_time(part, policy) for part in parts]
    offset = 0
    for part, passed, known in zip(parts, gated, times, strict=True):
        described = _described(source, part)
        series.append(described.drop("index"))
        rows.append(_indexed(passed.rows, described, known.column, offset))
        offset += described.height
    same_time = len({known.time for known in times}) == 1
    record = FileRecord(
        name=document.name,
        digest=digest,
        size=len(document.content),
        source=source.name,
        dataset=_names(part.dataset for part in parts),
        known_at=times[0].time if times and same_time else None,
        known_at_basis=times[0].basis if times else KnownAtBasis.INGESTION,
        rows_read=sum(part.rows_read for part in parts),
    )
    return FileLoad(
        record=record,
        parts=(SeriesRows(pl.concat(series), pl.concat(rows)),) if series else (),
        quarantine=pl.concat([one.held for one in gated]) if gated else pl.DataFrame(schema=REFUSED),
        validations=tuple(one.validation for one in gated),
    )


def _names(datasets: Iterable[Dataset]) -> str:
    return ",".join(dict.fromkeys(dataset.name for dataset in datasets))


def _refused(validations: Iterable[ValidationResult], reason: str) -> tuple[ValidationResult, ...]:
    """The same, of a file that is refused whole whatever they found."""
    return tuple(replace(one, reason=one.reason or reason) for one in validations)


def _described(source: Source, part: Parsed) -> pl.DataFrame:
    dataset = pl.lit(part.dataset.name)
    key = pl.concat_str(pl.lit(source.name), dataset, "location", "measure", separator=":")
    return (
        part.series.with_columns(key.alias("key"), pl.lit(source.name).alias("source"), dataset.alias("dataset"))
        .select(list(SERIES))
        .with_row_index("index")
    )


def _indexed(rows: pl.DataFrame, described: pl.DataFrame, known_at: pl.Expr, offset: int) -> pl.DataFrame:
    numbered = rows.join(
        described.select("location", "measure", (pl.col("index") + offset).cast(pl.UInt32).alias("series")),
        on=["location", "measure"],
        how="left",
        maintain_order="left",
    )
    if numbered["series"].null_count():
        raise FrameMismatch("a parser gave observations of a series that it does not describe")
    return numbered.select("series", "ts", "value", "quality", known_at.alias("known_at"), "version")
