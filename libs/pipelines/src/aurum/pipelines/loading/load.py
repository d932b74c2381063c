"""One file, from bytes to a committed transaction: look up, recognise, parse, check, store, report."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Conflict
from aurum.core.frames import FILE_ROWS, REFUSED, SERIES, FrameMismatch
from aurum.pipelines.loading.documents import Unreadable
from aurum.pipelines.loading.known_time import KnownAtPolicy, known_time
from aurum.pipelines.quality.gate import pass_gate
from aurum.pipelines.quality.kept_files import KeptFiles
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Document, Parsed, RefusedFile, Source
from aurum.storage.ports import FileLoad, SeriesWriter


class Outcome(StrEnum):
    """What became of a file."""

    APPLIED = "applied"
    ALREADY_LOADED = "already loaded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one file did. Counts are of observations, but ``rows_read`` (data rows) and ``quarantined``."""

    name: str
    digest: str
    outcome: Outcome
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


class Ingestion:
    """Loads documents through one registry, one set of expectations and one writer."""

    def __init__(self, *, registry: Registry, suites: Suites, writer: SeriesWriter, kept: KeptFiles) -> None:
        self._registry = registry
        self._suites = suites
        self._writer = writer
        self._kept = kept

    async def ingest(
        self, document: Document | Unreadable, *, known_at: KnownAtPolicy | None = None, force: bool = False
    ) -> FileReport:
        """Load one document whole or not at all; a refused one is recorded with its reason.

        Raises ``Unavailable`` when the store does not answer: the document may then be given again.
        """
        async for report in self.ingest_all([document], known_at=known_at, force=force):
            return report
        raise AssertionError("one document gives one report")

    async def ingest_all(
        self,
        documents: Iterable[Document | Unreadable],
        *,
        known_at: KnownAtPolicy | None = None,
        force: bool = False,
    ) -> AsyncIterator[FileReport]:
        """Load documents in order, each in its own transaction, reading the next while one is being stored."""
        policy = known_at or KnownAtPolicy()
        waiting = iter(documents)
        ahead = asyncio.create_task(self._next(waiting, policy, force))
        try:
            while (work := await ahead) is not None:
                ahead = asyncio.create_task(self._next(waiting, policy, force))
                yield await self._finish(work, force)
        finally:
            ahead.cancel()

    async def _next(self, waiting: Iterator[Document | Unreadable], policy: KnownAtPolicy, force: bool) -> _Work | None:
        document = await asyncio.to_thread(next, waiting, None)
        if document is None:
            return None
        started = time.perf_counter()
        digest = await asyncio.to_thread(_digest, document)
        if not force and isinstance(document, Document):
            same = await self._writer.already_loaded(digest, basis=_asked(policy), known_at=policy.time)
            if same is not None:
                return _Work(document, digest, None, started)
        prepared = await asyncio.to_thread(self._prepare, document, digest, policy)
        return _Work(document, digest, prepared, started)

    def _prepare(self, document: Document | Unreadable, digest: str, policy: KnownAtPolicy) -> _Prepared:
        if isinstance(document, Unreadable):
            return _Prepared(refused=document.reason)
        source: Source | None = None
        try:
            source, file_format = self._registry.recognise(document)
            parts = file_format.parse(document)
            load = _to_load(source, document, digest, parts, self._suites, policy)
        except RefusedFile as error:
            datasets = "" if source is None else ",".join(dataset.name for dataset in file_format.datasets)  # pyright: ignore[reportPossiblyUnboundVariable] - set with source
            return _Prepared(refused=error.reason, source=source.name if source else "", dataset=datasets)
        return _Prepared(load=load, source=load.source, dataset=load.dataset)

    async def _finish(self, work: _Work, force: bool) -> FileReport:
        document, prepared = work.document, work.prepared
        if prepared is None:
            return FileReport(document.name, work.digest, Outcome.ALREADY_LOADED, seconds=work.elapsed)
        refused = prepared.refused
        if prepared.load is not None:
            try:
                return await self._store(work, prepared.load, force)
            except Conflict as error:
                refused = error.detail
        await self._writer.refuse(
            name=document.name,
            digest=work.digest,
            size=len(document.content),
            source=prepared.source,
            dataset=prepared.dataset,
            reason=refused,
        )
        return FileReport(
            document.name,
            work.digest,
            Outcome.REFUSED,
            source=prepared.source,
            dataset=prepared.dataset,
            reason=refused,
            seconds=work.elapsed,
        )

    async def _store(self, work: _Work, load: FileLoad, force: bool) -> FileReport:
        if not load.quarantine.is_empty():
            # Before the commit: what is in quarantine can always be loaded again.
            await asyncio.to_thread(self._kept.keep, load.digest, work.document.content)
        outcome = await self._writer.load(load, force=force)
        return FileReport(
            name=load.name,
            digest=load.digest,
            outcome=Outcome.ALREADY_LOADED if outcome.already_loaded else Outcome.APPLIED,
            source=load.source,
            dataset=load.dataset,
            rows_read=0 if outcome.already_loaded else load.rows_read,
            new=outcome.new,
            revised=outcome.revised,
            unchanged=outcome.unchanged,
            quarantined=outcome.quarantined,
            seconds=work.elapsed,
        )


@dataclass(frozen=True, slots=True)
class _Work:
    document: Document | Unreadable
    digest: str
    prepared: _Prepared | None
    started: float

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.started


def _digest(document: Document | Unreadable) -> str:
    return hashlib.sha256(document.content).hexdigest()


def _asked(policy: KnownAtPolicy) -> KnownAtBasis | None:
    return policy.basis if policy.basis in (KnownAtBasis.ARGUMENT, KnownAtBasis.SCHEDULE) else None


def _to_load(
    source: Source,
    document: Document,
    digest: str,
    parts: tuple[Parsed, ...],
    suites: Suites,
    policy: KnownAtPolicy,
) -> FileLoad:
    series: list[pl.DataFrame] = []
    rows: list[pl.DataFrame] = []
    held: list[pl.DataFrame] = []
    times = [known_time(part, policy) for part in parts]
    offset = 0
    for part, known in zip(parts, times, strict=True):
        gated = pass_gate(part, suites.of(source.name, part.dataset.name))
        described = _described(source, part)
        series.append(described.drop("index"))
        rows.append(_indexed(gated.rows, described, known.column, offset))
        held.append(gated.held)
        offset += described.height
    same_time = len({known.time for known in times}) == 1
    return FileLoad(
        name=document.name,
        digest=digest,
        size=len(document.content),
        source=source.name,
        dataset=",".join(dict.fromkeys(part.dataset.name for part in parts)),
        known_at=times[0].time if times and same_time else None,
        known_at_basis=times[0].basis if times else KnownAtBasis.INGESTION,
        rows_read=sum(part.rows_read for part in parts),
        series=pl.concat(series) if series else pl.DataFrame(schema=SERIES),
        rows=pl.concat(rows) if rows else pl.DataFrame(schema=FILE_ROWS),
        quarantine=pl.concat(held) if held else pl.DataFrame(schema=REFUSED),
    )


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
