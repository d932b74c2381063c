"""One file into a store: the steps of a load, in one transaction, over ports alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from aurum.common.resilience.retry import Retry
from aurum.core.catalog.entries import FileEntry, KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.storage.ports.access import Actor
from aurum.storage.ports.files import FileLoad, FileLog, FileRecord, LoadOutcome
from aurum.storage.ports.observations import SeriesRows, StoredRows
from aurum.storage.ports.transaction import Transaction, Transactions

_CHOSEN = (KnownAtBasis.ARGUMENT, KnownAtBasis.SCHEDULE)
"""Bases that somebody chose for a file: with another known time the same content is another publication."""


class FileLoader:
    """Stores files, each whole or not at all, keeping the bitemporal law. Safe for many loaders at once.

    ``retry``: for loads that lose a race against another transaction (``LostRace``). ``by``: who loads.
    """

    def __init__(
        self, transactions: Transactions, files: FileLog, retry: Retry | None = None, *, by: Actor | None = None
    ) -> None:
        self._transactions = transactions
        self._files = files
        self._retry = retry
        self._by = by or Actor("loader")

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome:
        """Store one file in one transaction: its parts, quarantine, completeness, validations and its own record.

        A digest applied before is not loaded again, unless ``force`` is true or it comes with another ``known_at`` that
        somebody chose. Forced, a file whose known time is the moment of loading gets the time it got first, so that nothing
        changes. Raises ``ValueError`` when two parts name one series, ``Conflict`` when a series it names exists with another
        unit or frequency, ``Unavailable`` when the store does not answer; either way nothing is stored.
        """
        if self._retry is None:
            return await self._load(file, force=force)
        # A load is one transaction, and the same when it is done again. Jobs of the server (TimescaleDB compresses chunks)
        # and loads of the same series lock what both need in orders of their own.
        async for attempt in self._retry.attempts():
            with attempt:
                return await self._load(file, force=force)
        raise AssertionError  # the last attempt answers or raises

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None
    ) -> LoadOutcome | None:
        """Return what ``load`` without ``force`` would answer to content it would not load again; None when it would load it.

        ``basis``: when the caller chose a known time by argument or by schedule. One look-up by digest.
        """
        return _same_publication(await self._files.applied(digest), basis, known_at)

    async def refuse(self, file: FileRecord, *, reason: str, validations: Sequence[ValidationResult] = ()) -> int:
        """Record that a file was refused whole, why, and what its checks found, together; gives the id of the record."""
        async with self._transactions.transaction(by=self._by) as tx:
            file_id = await tx.files.record_refused(file, reason)
            await tx.quality.record_validations(validations, file_id=file_id, file_name=file.name)
            return file_id

    async def _load(self, file: FileLoad, *, force: bool) -> LoadOutcome:
        started = time.perf_counter()
        record = file.record
        _refuse_shared_series(file.parts)
        async with self._transactions.transaction(by=self._by, lasting=True) as tx:
            await tx.files.lock(record.digest)
            prior = await tx.files.applied(record.digest)
            if not force and (same := _same_publication(prior, record.known_at_basis, record.known_at)) is not None:
                return same
            locked = [await tx.observations.lock(part.series) for part in file.parts]
            # After the locks: what waits for them must not hold up reads as of the moment in which it began to wait.
            known_at = await _known_at(tx, record, prior)
            stored = [
                await tx.observations.store(part, series, known_at=known_at)
                for part, series in zip(file.parts, locked, strict=True)
            ]
            await tx.quality.mark_replayed(record.digest)
            counts = _counts(stored, file.quarantine.height)
            file_id = await tx.files.record_applied(record, counts, known_at=known_at, seconds=time.perf_counter() - started)
            for part in stored:
                await tx.observations.record(file_id, part.touched)
            await tx.quality.hold(file_id, file.quarantine)
            await tx.quality.record_validations(file.validations, file_id=file_id, file_name=record.name)
        changed = tuple(sorted({series_id for part in stored for series_id in part.changed}))
        return LoadOutcome(file_id, counts.new, counts.revised, counts.unchanged, counts.quarantined, changed_series=changed)


def _refuse_shared_series(parts: Sequence[SeriesRows]) -> None:
    """Raise ``ValueError`` where two parts name one series: the rows of a series are compared with each other in one part."""
    keys = pl.concat([part.series["key"] for part in parts]) if len(parts) > 1 else pl.Series("key", [], pl.String)
    if keys.n_unique() < keys.len():
        shared = keys.filter(keys.is_duplicated())[0]
        raise ValueError(f"two parts of a file name the series {shared}: its rows belong in one part")


async def _known_at(tx: Transaction, file: FileRecord, prior: Sequence[FileEntry]) -> datetime | None:
    if file.known_at is not None or file.known_at_basis is not KnownAtBasis.INGESTION:
        return file.known_at
    first = [entry.known_at for entry in prior if entry.known_at_basis is KnownAtBasis.INGESTION]
    return first[0] if first else await tx.files.known_now()


def _counts(stored: Sequence[StoredRows], quarantined: int) -> LoadOutcome:
    """The counts of all parts of a file, which has no id yet."""
    new, revised = sum(part.new for part in stored), sum(part.revised for part in stored)
    rows = sum(part.rows for part in stored)
    return LoadOutcome(0, new, revised, rows - new - revised, quarantined)


def _same_publication(prior: Sequence[FileEntry], basis: KnownAtBasis | None, known_at: datetime | None) -> LoadOutcome | None:
    if not prior:
        return None
    if basis in _CHOSEN and all((entry.known_at, entry.known_at_basis) != (known_at, basis) for entry in prior):
        return None
    return LoadOutcome(prior[-1].file_id, 0, 0, 0, 0, already_loaded=True)
