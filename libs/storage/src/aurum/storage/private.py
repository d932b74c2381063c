"""Private series beside shared ones: readers of both for one tenant, and the writers of every adapter's private transaction.

The readers know a private series by the id under which their catalog returned it, so they are made for one request. Ids of
private and of shared series come from one sequence and are never equal.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from datetime import datetime
from typing import cast

import polars as pl

from aurum.core.asof import ALL_TIME, Span
from aurum.core.catalog.entries import DatasetEntry, DatasetExtent, IssueEntry, LocationEntry, SeriesIssue, SourceEntry
from aurum.core.catalog.validations import ValidationResult
from aurum.core.curves.reading_terms import Spelling
from aurum.core.errors import UnknownName
from aurum.core.frames import BASES
from aurum.core.series.model import Series
from aurum.core.series.points import Points
from aurum.storage.ports.catalog import Catalog, IssueChoice, LocationFilter, SeriesFilter
from aurum.storage.ports.files import BasesReader
from aurum.storage.ports.observations import (
    LockedSeries,
    Moment,
    ObservationWriter,
    PartialsReader,
    SeriesReader,
    SeriesRows,
    StoredRows,
)
from aurum.storage.ports.private import PRIVATE_SOURCE, PrivateSeriesWriter, is_private
from aurum.storage.ports.recordings import LoadedReaders
from aurum.storage.ports.removal import InvalidSeries


class DeclaredSeriesWriter:
    """``ObservationWriter`` that stores points of declared series only, so that a load does not bring back a removed one."""

    def __init__(self, writer: ObservationWriter, series: PrivateSeriesWriter) -> None:
        self._writer = writer
        self._series = series

    async def lock(self, series: pl.DataFrame) -> LockedSeries:
        titles: dict[str, str] = {}
        for key in series["key"].sort().to_list():
            declared = await self._series.lock(key)
            if declared is None:
                raise UnknownName("series", key)
            titles[key] = declared.title
        # The title may have changed since the load was prepared.
        return await self._writer.lock(series.with_columns(pl.col("key").replace_strict(titles).alias("location_name")))

    async def store(self, part: SeriesRows, locked: LockedSeries, *, moment: Moment, recording_id: int) -> StoredRows:
        return await self._writer.store(part, locked, moment=moment, recording_id=recording_id)

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        await self._writer.record(file_id, touched)


class NoQuarantine:
    """``QualityWriter`` of private series: a bad row refuses its whole file, so there is nothing to hold back or to check."""

    async def quarantine(self, file_id: int, rows: pl.DataFrame) -> None:
        if not rows.is_empty():
            raise ValueError(f"file {file_id} of a private series has {rows.height} refused rows: refuse the whole file")

    async def mark_replayed(self, digest: str) -> None:
        del digest

    async def record_validations(
        self, results: Sequence[ValidationResult], *, file_id: int | None = None, file_name: str | None = None
    ) -> tuple[int, ...]:
        if results:
            raise ValueError(f"{file_name or file_id}: results of checks are recorded for shared series only")
        return ()


class TenantCatalog:
    """``Catalog`` of shared series, which also finds the private series of one tenant by their keys.

    ``ids``: ids of the private series that it has returned. Lists and counts hold shared series only, except for a list of the
    source ``private``, or of keys that begin with it. An unknown private key is compared with the tenant's own keys, a shared
    one with shared ones.
    """

    def __init__(self, shared: Catalog, private: Catalog) -> None:
        self._shared = shared
        self._private = private
        self.ids: set[int] = set()

    async def series_by_key(self, keys: Sequence[str]) -> Mapping[str, Series]:
        own = [key for key in keys if is_private(key)]
        if not own:
            return await self._shared.series_by_key(keys)
        series = await self._private.series_by_key([key for key in own if "\0" not in key])
        self._note(series.values())
        others = [key for key in keys if not is_private(key)]
        return {**(await self._shared.series_by_key(others) if others else {}), **series}

    async def series_page(self, criteria: SeriesFilter, *, after: str | None, limit: int) -> Sequence[Series]:
        if criteria.source != PRIVATE_SOURCE and not is_private(criteria.pattern or ""):
            return await self._shared.series_page(criteria, after=after, limit=limit)
        page = await self._private.series_page(criteria, after=after, limit=limit)
        self._note(page)
        return page

    async def nearest_keys(self, key: str) -> tuple[str, ...]:
        return await (self._private if is_private(key) else self._shared).nearest_keys(key)

    async def issues_page(
        self, series_id: int, *, as_of: datetime | None = None, before: tuple[datetime, int] | None, limit: int
    ) -> Sequence[IssueEntry]:
        return await self._of(series_id).issues_page(series_id, as_of=as_of, before=before, limit=limit)

    async def series_issues(
        self, series_ids: Sequence[int], issue: IssueChoice, *, as_of: datetime | None = None
    ) -> Mapping[int, SeriesIssue]:
        private, shared = _split(series_ids, self.ids)
        issues: dict[int, SeriesIssue] = {}
        for catalog, ids in ((self._shared, shared), (self._private, private)):
            if ids:
                issues |= await catalog.series_issues(ids, issue, as_of=as_of)
        return issues

    async def nearest_issues(
        self, series_id: int, known_at: datetime, *, as_of: datetime | None = None, limit: int
    ) -> Sequence[datetime]:
        return await self._of(series_id).nearest_issues(series_id, known_at, as_of=as_of, limit=limit)

    async def invalid_series(self) -> Sequence[InvalidSeries]:
        return await self._shared.invalid_series()

    async def locations_page(
        self, criteria: LocationFilter, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[LocationEntry]:
        return await self._shared.locations_page(criteria, after=after, limit=limit)

    async def sources(self) -> Sequence[SourceEntry]:
        return await self._shared.sources()

    async def datasets(self, *, source: str | None = None) -> Sequence[DatasetEntry]:
        return await self._shared.datasets(source=source)

    async def dataset_extents(self) -> Mapping[tuple[str, str], DatasetExtent]:
        return await self._shared.dataset_extents()

    async def dimensions(self) -> Mapping[str, Mapping[str, int]]:
        return await self._shared.dimensions()

    async def blocks(self) -> Sequence[Mapping[str, object]]:
        return await self._shared.blocks()

    async def spellings(self) -> Sequence[Spelling]:
        return await self._shared.spellings()

    def _of(self, series_id: int) -> Catalog:
        return self._private if series_id in self.ids else self._shared

    def _note(self, series: Collection[Series]) -> None:
        self.ids.update(one.series_id for one in series)


class TenantSeriesReader:
    """``SeriesReader`` of shared and of private series. ``ids``: those of private series, which may grow.

    Each kind is read from one snapshot. The two snapshots are taken one after the other.
    """

    def __init__(self, shared: SeriesReader, private: SeriesReader, ids: Collection[int]) -> None:
        self._shared = shared
        self._private = private
        self._ids = ids

    async def observations(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        return await self._of(series_id).observations(series_id, span=span, as_of=as_of)

    async def points(self, series_id: int, *, span: Span, as_of: datetime | None = None) -> Points:
        return await self._of(series_id).points(series_id, span=span, as_of=as_of)

    async def revisions(self, series_id: int, *, span: Span) -> pl.DataFrame:
        return await self._of(series_id).revisions(series_id, span=span)

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        private, shared = _split(series_ids, self._ids)
        if not (private and shared):
            return await (self._private if private else self._shared).many(series_ids, span=span, as_of=as_of)
        parts = [
            await reader.many(ids, span=span, as_of=as_of) for reader, ids in ((self._shared, shared), (self._private, private))
        ]
        return pl.concat(parts).sort("series_id", "ts")

    async def stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        private, shared = _split(series_ids, self._ids)
        streams = [
            reader.stream(ids, span=span, as_of=as_of)
            for reader, ids in ((self._shared, shared), (self._private, private))
            if ids
        ]
        async with aclosing(_merged(streams)) as batches:
            async for batch in batches:
                yield batch

    async def versions(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        private, shared = _split(series_ids, self._ids)
        if not (private and shared):
            return await (self._private if private else self._shared).versions(series_ids, span=span, as_of=as_of)
        parts = [
            await reader.versions(ids, span=span, as_of=as_of)
            for reader, ids in ((self._shared, shared), (self._private, private))
        ]
        return pl.concat(parts).sort("series_id", "ts", "known_at")

    async def version_stream(
        self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        private, shared = _split(series_ids, self._ids)
        streams = [
            reader.version_stream(ids, span=span, as_of=as_of)
            for reader, ids in ((self._shared, shared), (self._private, private))
            if ids
        ]
        async with aclosing(_merged(streams)) as batches:
            async for batch in batches:
                yield batch

    async def confirmations(self, series_ids: Sequence[int], *, span: Span, known: Span = ALL_TIME) -> pl.DataFrame:
        private, shared = _split(series_ids, self._ids)
        if not (private and shared):
            return await (self._private if private else self._shared).confirmations(series_ids, span=span, known=known)
        parts = [
            await reader.confirmations(ids, span=span, known=known)
            for reader, ids in ((self._shared, shared), (self._private, private))
        ]
        return pl.concat(parts).sort("series_id", "ts", "known_at")

    def _of(self, series_id: int) -> SeriesReader:
        return self._private if series_id in self._ids else self._shared


class TenantPartialsReader:
    """``PartialsReader`` of shared and of private series."""

    def __init__(self, shared: PartialsReader, private: PartialsReader, ids: Collection[int]) -> None:
        self._shared = shared
        self._private = private
        self._ids = ids

    @property
    def has_sums(self) -> bool:
        return self._shared.has_sums

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        private, shared = _split(series_ids, self._ids)
        if not (private and shared):
            return await (self._private if private else self._shared).partials(series_ids, span=span)
        parts = [await self._shared.partials(shared, span=span), await self._private.partials(private, span=span)]
        return pl.concat(parts).sort("series_id", "ts")


class TenantLoadedReaders:
    """``LoadedReaders`` of shared and of private series."""

    def __init__(self, shared: LoadedReaders, private: LoadedReaders, ids: Collection[int]) -> None:
        self._shared = shared
        self._private = private
        self._ids = ids

    async def latest(self) -> datetime:
        return max(await self._shared.latest(), await self._private.latest())

    async def as_loaded(self, instant: datetime) -> SeriesReader:
        # The shared store first: it says since when loads are recorded at all.
        return TenantSeriesReader(await self._shared.as_loaded(instant), await self._private.as_loaded(instant), self._ids)


class TenantBases:
    """``BasesReader`` of shared and of private series."""

    def __init__(self, shared: BasesReader, private: BasesReader, ids: Collection[int]) -> None:
        self._shared = shared
        self._private = private
        self._ids = ids

    async def bases(self, series_ids: Sequence[int], *, first: datetime, last: datetime) -> pl.DataFrame:
        private, shared = _split(series_ids, self._ids)
        parts = [
            await reader.bases(ids, first=first, last=last)
            for reader, ids in ((self._shared, shared), (self._private, private))
            if ids
        ]
        return pl.concat(parts) if parts else pl.DataFrame(schema=BASES)


def _split(series_ids: Sequence[int], private: Collection[int]) -> tuple[list[int], list[int]]:
    """Return the private and the shared ids among some."""
    own, others = list[int](), list[int]()
    for series_id in series_ids:
        (own if series_id in private else others).append(series_id)
    return own, others


async def _merged(streams: Sequence[AsyncIterator[pl.DataFrame]]) -> AsyncGenerator[pl.DataFrame]:
    """Yield the batches of streams that ascend by ``series_id`` and have no series in common, in one ascending stream."""
    async with AsyncExitStack() as stack:
        for stream in streams:
            # Adapters return generators.
            closing = cast("AbstractAsyncContextManager[object]", aclosing(stream))  # pyright: ignore[reportArgumentType]
            await stack.enter_async_context(closing)
        heads = [(head, stream) for stream in streams if (head := await _next(stream)) is not None]
        while len(heads) > 1:
            heads.sort(key=lambda pair: int(pair[0]["series_id"][0]))
            (head, stream), (other, _) = heads[0], heads[1]
            before = head["series_id"].search_sorted(int(other["series_id"][0]))
            yield head.head(before)
            rest = head.slice(before) if before < head.height else await _next(stream)
            if rest is None:
                heads.pop(0)
            else:
                heads[0] = rest, stream
        for head, stream in heads:
            yield head
            async for batch in stream:
                yield batch


async def _next(stream: AsyncIterator[pl.DataFrame]) -> pl.DataFrame | None:
    """Return the next batch that has rows; None at the end."""
    async for batch in stream:
        if not batch.is_empty():
            return batch
    return None
