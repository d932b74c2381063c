"""Loads of files: the steps of storing one file in one transaction, written against ports only."""

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
"""Bases that the caller chose for a file: the same content with another known time is another publication."""


class FileLoader:
    """Stores files, each whole or not at all, by the bitemporal law. Safe for many loaders at once.

    ``retry``: for loads that lose a race against another transaction (``LostRace``). ``by``: the actor of the loads.
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

        A digest that was applied before is not loaded again, unless ``force`` is true or the caller chose another ``known_at``
        for it. A file whose known time is the moment of loading gets its first known time again when it is forced, so that
        nothing changes. Raises ``ValueError`` when two parts name one series, ``Conflict`` when a series exists with another
        unit or frequency, ``Unavailable`` when the store does not answer; after an error nothing is stored.
        """
        if self._retry is None:
            return await self._load(file, force=force)
        # A load is one transaction and has the same result when it is repeated. Jobs of the server (TimescaleDB compresses
        # chunks) and loads of the same series may lock the same rows in different orders, and then one of them must yield.
        async for attempt in self._retry.attempts():
            with attempt:
                return await self._load(file, force=force)
        raise AssertionError  # the last attempt returns or raises

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None
    ) -> LoadOutcome | None:
        """Return the outcome of ``load`` without ``force`` for content that is already loaded; None for content it would load.

        ``basis``, ``known_at``: the known time, when the caller chose it by argument or by schedule. Costs one look-up by
        digest.
        """
        return _same_publication(await self._files.applied(digest), basis, known_at)

    async def refuse(self, file: FileRecord, *, reason: str, validations: Sequence[ValidationResult] = ()) -> int:
        """Record that a whole file was refused, the reason and the results of its checks; return the id of the record."""
        async with self._transactions.transaction(by=self._by) as tx:
            file_id = await tx.files.record_refused(file, reason)
            await tx.quality.record_validations(validations, file_id=file_id, file_name=file.name)
            return file_id

    async def _load(self, file: FileLoad, *, force: bool) -> LoadOutcome:
        started = time.perf_counter()
        record = file.record
        _refuse_shared_series(file.parts)
        async with self._transactions.transaction(by=self._by, long_running=True) as tx:
            await tx.files.lock(record.digest)
            prior = await tx.files.applied(record.digest)
            if not force and (same := _same_publication(prior, record.known_at_basis, record.known_at)) is not None:
                return same
            locked = [await tx.observations.lock(part.series) for part in file.parts]
            # After the locks: a load that waits for locks must not delay reads as of the instant at which it began to wait.
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
            await tx.quality.quarantine(file_id, file.quarantine)
            await tx.quality.record_validations(file.validations, file_id=file_id, file_name=record.name)
        changed = tuple(sorted({series_id for part in stored for series_id in part.changed}))
        return LoadOutcome(file_id, counts.new, counts.revised, counts.unchanged, counts.quarantined, changed_series=changed)


def _refuse_shared_series(parts: Sequence[SeriesRows]) -> None:
    """Raise ``ValueError`` when two parts name one series: only rows within one part are compared with each other."""
    keys = pl.concat([part.series["key"] for part in parts]) if len(parts) > 1 else pl.Series("key", [], pl.String)
    if keys.n_unique() < keys.len():
        shared = keys.filter(keys.is_duplicated())[0]
        raise ValueError(f"two parts of a file name the series {shared}: put all its rows into one part")


async def _known_at(tx: Transaction, file: FileRecord, prior: Sequence[FileEntry]) -> datetime | None:
    if file.known_at is not None or file.known_at_basis is not KnownAtBasis.INGESTION:
        return file.known_at
    first = [entry.known_at for entry in prior if entry.known_at_basis is KnownAtBasis.INGESTION]
    return first[0] if first else await tx.files.known_now()


def _counts(stored: Sequence[StoredRows], quarantined: int) -> LoadOutcome:
    """Return the counts of all parts of a file, which has no id yet."""
    new, revised = sum(part.new for part in stored), sum(part.revised for part in stored)
    rows = sum(part.rows for part in stored)
    return LoadOutcome(0, new, revised, rows - new - revised, quarantined)


def _same_publication(prior: Sequence[FileEntry], basis: KnownAtBasis | None, known_at: datetime | None) -> LoadOutcome | None:
    if not prior:
        return None
    if basis in _CHOSEN and all((entry.known_at, entry.known_at_basis) != (known_at, basis) for entry in prior):
        return None
    return LoadOutcome(prior[-1].file_id, 0, 0, 0, 0, already_loaded=True)
