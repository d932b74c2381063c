"""Loads of files: the steps of storing one file in one transaction, written against ports only."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import polars as pl

from aurum.common.resilience.retry import Retry
from aurum.core.catalog.entries import FileEntry, KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.core.frames import UTC_US
from aurum.storage.derived_rates import changed_rates
from aurum.storage.ports.access import Actor, AuditWriter
from aurum.storage.ports.curves import CurveQuotes, CurveWriter, StoredQuotes
from aurum.storage.ports.derived_curves import DerivedCurve, DerivedCurveWriter, rebuild_job
from aurum.storage.ports.files import FileLoad, FileLog, FileRecord, FileWriter, LoadOutcome, Part
from aurum.storage.ports.jobs import JobWriter
from aurum.storage.ports.observations import LockedSeries, Moment, ObservationWriter, SeriesRows, StoredRows
from aurum.storage.ports.private import PrivateStores
from aurum.storage.ports.quality import QualityWriter
from aurum.storage.ports.recordings import DatasetChange, NewIssue, RecordingAction, RecordingWriter


class LoadTransaction(Protocol):
    """The writing ports of a load: those of shared series, or those of the private series of a tenant."""

    @property
    def audit(self) -> AuditWriter: ...
    @property
    def files(self) -> FileWriter: ...
    @property
    def observations(self) -> ObservationWriter: ...
    @property
    def curves(self) -> CurveWriter: ...
    @property
    def derived_curves(self) -> DerivedCurveWriter: ...
    @property
    def jobs(self) -> JobWriter: ...
    @property
    def quality(self) -> QualityWriter: ...
    @property
    def recordings(self) -> RecordingWriter: ...


class LoadTransactions(Protocol):
    """Begins the transactions of loads."""

    def transaction(self, *, by: Actor, long_running: bool = False) -> AbstractAsyncContextManager[LoadTransaction]: ...


class FileLoader:
    """Stores files, each whole or not at all, by the bitemporal law. Safe for many loaders at once.

    ``retry``: for loads that lose a race against another transaction (``LostRace``). ``by``: the actor of loads that no request
    names one for. ``private``: stores of tenants: a file with quotes of a tenant's products is stored and recorded there, where
    it may have no row in quarantine. ``tenant``: whose files this loader stores; None: those of all.
    """

    def __init__(
        self,
        transactions: LoadTransactions,
        files: FileLog,
        retry: Retry | None = None,
        *,
        by: Actor | None = None,
        private: PrivateStores | None = None,
        tenant: str | None = None,
    ) -> None:
        self._transactions = transactions
        self._files = files
        self._retry = retry
        self._by = by or Actor("loader")
        self._private = private
        self._tenant = tenant

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome:
        """Store one file in one transaction: its parts, quarantine, completeness, validations and its own record.

        A digest that was applied before is not loaded again, unless ``force`` is true or the caller chose another ``known_at``
        for it. A file whose known time is the moment of loading gets its first known time again when it is forced, so that
        nothing changes. Raises ``ValueError`` when two parts name one series or one product, or belong to different tenants,
        ``Conflict`` when a series exists with another unit or frequency, ``ComputedQuotes`` for quotes of a derived curve,
        ``UnknownProduct`` for those of a product that the store does not have, ``Conflict`` for the first quotes of a product
        whose terms changed since the file was read, ``Unavailable`` when the store does not answer;
        after an error nothing is stored.
        """
        owner = _owner(file.parts)
        if owner != self._tenant and owner is not None and self._private is not None:
            return await self._private.of(owner).loader.load(file, force=force)
        if self._retry is None:
            return await self._load(file, force=force)
        # A load is one transaction and has the same result when it is repeated. Jobs of the server (TimescaleDB compresses
        # chunks) and loads of the same series may lock the same rows in different orders, and then one of them must yield.
        async for attempt in self._retry.attempts():
            with attempt:
                return await self._load(file, force=force)
        raise AssertionError  # the last attempt returns or raises

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None, again: bool = False
    ) -> LoadOutcome | None:
        """Return the outcome of ``load`` without ``force`` for content that is already loaded; None for content it would load.

        ``basis``, ``known_at``: the known time, when the caller chose it by argument or by schedule. Costs one look-up by
        digest.
        """
        return _same_publication(await self._files.applied(digest), basis, known_at, again=again)

    async def refuse(self, file: FileRecord, *, reason: str, validations: Sequence[ValidationResult] = ()) -> int:
        """Record that a whole file was refused, the reason and the results of its checks; return the id of the record."""
        async with self._transactions.transaction(by=self._by) as tx:
            file_id = await tx.files.record_refused(file, reason)
            await tx.quality.record_validations(validations, file_id=file_id, file_name=file.name)
            return file_id

    async def _load(self, file: FileLoad, *, force: bool) -> LoadOutcome:
        started = time.perf_counter()
        record, request = file.record, file.request
        _refuse_shared_names(file.parts)
        async with self._transactions.transaction(by=request.by if request else self._by, long_running=True) as tx:
            await tx.files.lock(record.digest)
            prior = await tx.files.applied(record.digest)
            again = record.is_published_again
            same = _same_publication(prior, record.known_at_basis, record.known_at, again=again) if not force else None
            if same is not None:
                return same
            recording_id = await tx.recordings.begin()
            locked = [await _lock(tx, part, file.read_with) for part in file.parts]
            if file.build is None:
                await _refuse_computed(tx, file.parts, locked)
            issues = [await _same_issue(tx, part) for part in file.parts]
            # After the locks: a load that waits for locks must not delay reads as of the instant at which it began to wait.
            moment = await _moment(tx, file, prior)
            stored = [
                await _store(tx, part, names, moment=replace(moment, same_issue=same), recording_id=recording_id)
                for part, names, same in zip(file.parts, locked, issues, strict=True)
            ]
            await tx.quality.mark_replayed(record.digest)
            counts = _counts(stored, file.quarantine.height)
            known = _recorded_time(file.parts, stored, moment)
            file_id = await tx.files.record_applied(
                replace(record, known_at_basis=known.basis, sent_by=request.by.subject if request is not None else ""),
                counts,
                known_at=known.time,
                seconds=time.perf_counter() - started,
            )
            for part in stored:
                writer = tx.curves if isinstance(part, StoredQuotes) else tx.observations
                await writer.record(file_id, part.touched)
            await tx.recordings.record_issues(file_id, list(_issues(file.parts, stored, moment)))
            await tx.quality.quarantine(file_id, file.quarantine)
            await tx.quality.record_validations(file.validations, file_id=file_id, file_name=record.name)
            changes = _changes(record, file.parts, stored, moment)
            if request is not None and (counts.new or counts.revised):
                await tx.audit.append(request.action, request.target, _on_record(record, counts))
            if file.build is not None:
                await _rebuild(tx, await tx.derived_curves.finish(file.build, known_at=moment.time))
            await _rebuild_readers(tx, stored)
            if self._tenant is None:
                await _exchange_again(tx, file.parts, locked, stored)
            await tx.recordings.seal(recording_id, RecordingAction.LOAD, changes, file_id=file_id)
        changed = tuple(sorted({series_id for part in stored if isinstance(part, StoredRows) for series_id in part.changed}))
        return LoadOutcome(file_id, counts.new, counts.revised, counts.unchanged, counts.quarantined, changed_series=changed)


async def _refuse_computed(tx: LoadTransaction, parts: Sequence[Part], locked: Sequence[LockedSeries | Sequence[int]]) -> None:
    """Refuse a file with quotes of a derived curve. Raises ``ComputedQuotes``."""
    ids = [curve_id for names in locked if not isinstance(names, LockedSeries) for curve_id in names]
    if ids and any(isinstance(part, CurveQuotes) for part in parts):
        await tx.derived_curves.refuse_quotes(ids)


async def _rebuild(tx: LoadTransaction, curves: Sequence[DerivedCurve]) -> None:
    await tx.jobs.submit([rebuild_job(curve) for curve in curves])


async def _rebuild_readers(tx: LoadTransaction, stored: Sequence[StoredRows | StoredQuotes]) -> None:
    """Record the derived curves that are stale now, and submit the jobs that rebuild them."""
    changed = [part.changed for part in stored if isinstance(part, StoredQuotes) and not part.changed.is_empty()]
    if changed:
        await _rebuild(tx, await tx.derived_curves.inputs_changed(pl.concat(changed)))


async def _exchange_again(
    tx: LoadTransaction,
    parts: Sequence[Part],
    locked: Sequence[LockedSeries | Sequence[int]],
    stored: Sequence[StoredRows | StoredQuotes],
) -> None:
    """Record the derived curves whose exchange rates changed, and submit the jobs that rebuild them."""
    for part, names, one in zip(parts, locked, stored, strict=True):
        if isinstance(part, CurveQuotes) or isinstance(one, StoredQuotes) or not isinstance(names, LockedSeries):
            continue
        if days := changed_rates(part, names.ids, one):
            await _rebuild(tx, await tx.derived_curves.rates_changed(days))


def _owner(parts: Sequence[Part]) -> str | None:
    """Return the tenant whose products a file quotes; None for a file of shared products, or without quotes."""
    owners = {part.tenant if isinstance(part, CurveQuotes) else None for part in parts}
    if len(owners) > 1:
        raise ValueError(f"parts of a file belong to different tenants: {sorted(map(str, owners))}")
    return owners.pop() if owners else None


def _refuse_shared_names(parts: Sequence[Part]) -> None:
    """Raise ``ValueError`` when two parts name one series or product: only rows of one part are compared with each other."""
    _refuse_repeated("series", [part.series["key"] for part in parts if isinstance(part, SeriesRows)])
    _refuse_repeated("product", [part.curves["key"] for part in parts if isinstance(part, CurveQuotes)])


def _refuse_repeated(kind: str, names: Sequence[pl.Series]) -> None:
    keys = pl.concat(names) if len(names) > 1 else pl.Series("key", [], pl.String)
    if keys.n_unique() < keys.len():
        shared = keys.filter(keys.is_duplicated())[0]
        raise ValueError(f"two parts of a file name the {kind} {shared}: put all its rows into one part")


async def _lock(tx: LoadTransaction, part: Part, read_with: Mapping[str, int]) -> LockedSeries | Sequence[int]:
    if isinstance(part, CurveQuotes):
        return await tx.curves.lock(part.curves, tenant=part.tenant, read_with=read_with)
    return await tx.observations.lock(part.series)


async def _store(
    tx: LoadTransaction, part: Part, locked: LockedSeries | Sequence[int], *, moment: Moment, recording_id: int
) -> StoredRows | StoredQuotes:
    """Store a part. ``locked``: what ``_lock`` returned for it."""
    if isinstance(part, CurveQuotes):
        assert not isinstance(locked, LockedSeries)
        return await tx.curves.store(part, locked, moment=moment, recording_id=recording_id)
    assert isinstance(locked, LockedSeries)
    return await tx.observations.store(part, locked, moment=moment, recording_id=recording_id)


async def _moment(tx: LoadTransaction, file: FileLoad, prior: Sequence[FileEntry]) -> Moment:
    """Return the known time of the rows of a file that have none of their own."""
    record, repeated = file.record, bool(prior)
    if record.known_at is not None or record.known_at_basis is not KnownAtBasis.INGESTED:
        return Moment(record.known_at, record.known_at_basis, repeated)
    earlier = [one.known_at for one in prior if one.known_at_basis is KnownAtBasis.INGESTED and one.known_at is not None]
    if earlier and not record.is_published_again:
        return Moment(earlier[0], KnownAtBasis.INGESTED, repeated)
    is_needed = any(part.rows["known_at"].null_count() or (part.rule and part.rule.may_correct) for part in file.parts)
    return Moment(await tx.files.known_now() if is_needed else None, KnownAtBasis.INGESTED, repeated)


async def _same_issue(tx: LoadTransaction, part: Part) -> Sequence[datetime]:
    if isinstance(part, CurveQuotes) or part.rule is None or part.issue_at is None or part.series.is_empty():
        return ()
    return await tx.recordings.issues_at(*_dataset(part), part.issue_at)


def _dataset(part: Part) -> tuple[str, str]:
    """Return source and dataset of a part, which has at least one series or product."""
    if isinstance(part, CurveQuotes):
        return part.source, part.dataset
    return part.series["source"][0], part.series["dataset"][0]


def _of_part(part: Part, stored: StoredRows | StoredQuotes, moment: Moment) -> tuple[datetime | None, KnownAtBasis]:
    """Return the known time of the rows that no rule dates, and the basis of the part."""
    is_by_rule = part.rule is not None and bool(stored.touched["is_scheduled"].all())
    return (None, KnownAtBasis.SCHEDULED) if is_by_rule else (moment.time, moment.basis)


def _recorded_time(parts: Sequence[Part], stored: Sequence[StoredRows | StoredQuotes], moment: Moment) -> Moment:
    """Return the known time and basis of a whole file: those of the rows that no rule dates, if there are any."""
    known = [_of_part(part, one, moment) for part, one in zip(parts, stored, strict=True) if not part.rows.is_empty()]
    if known and all(basis is KnownAtBasis.SCHEDULED for _, basis in known):
        return replace(moment, time=None, basis=KnownAtBasis.SCHEDULED)
    return moment


def _changes(
    record: FileRecord, parts: Sequence[Part], stored: Sequence[StoredRows | StoredQuotes], moment: Moment
) -> list[DatasetChange]:
    """Return the effect of a file on each of its datasets; one without points for a file that has none."""
    changes: list[DatasetChange] = []
    for part, one in zip(parts, stored, strict=True):
        if (part.curves if isinstance(part, CurveQuotes) else part.series).is_empty():
            continue
        source, dataset = _dataset(part)
        known_at, basis = _of_part(part, one, moment)
        first, last = _limits(one)
        series = one.touched.height
        changes.append(DatasetChange(source, dataset, known_at, basis, series, one.new, one.revised, first, last))
    return changes or [DatasetChange(record.source, record.dataset, moment.time, moment.basis, 0, 0, 0, None, None)]


def _limits(stored: StoredRows | StoredQuotes) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last interval start of a part; of quotes, the trade dates at 00:00 UTC."""
    touched = stored.touched
    if isinstance(stored, StoredQuotes):
        touched = touched.select(pl.col("first_trade_date", "last_trade_date").cast(UTC_US)).rename(
            {"first_trade_date": "first_ts", "last_trade_date": "last_ts"}
        )
    return touched.select(pl.col("first_ts").min(), pl.col("last_ts").max()).row(0)


def _issues(parts: Sequence[Part], stored: Sequence[StoredRows | StoredQuotes], moment: Moment) -> Iterator[NewIssue]:
    for part, one in zip(parts, stored, strict=True):
        if isinstance(part, CurveQuotes) or isinstance(one, StoredQuotes) or one.issues is None or one.issues.is_empty():
            continue
        source, dataset = _dataset(part)
        for known_at, first, last, series in one.issues.iter_rows():  # rows: one an issue
            basis = KnownAtBasis.SCHEDULED if part.rule is not None and known_at != moment.time else moment.basis
            yield NewIssue(source, dataset, known_at, basis, part.issue_at, first, last, series)


def _counts(stored: Sequence[StoredRows | StoredQuotes], quarantined: int) -> LoadOutcome:
    """Return the counts of all parts of a file, which has no id yet."""
    new, revised = sum(part.new for part in stored), sum(part.revised for part in stored)
    rows = sum(part.rows for part in stored)
    return LoadOutcome(0, new, revised, rows - new - revised, quarantined)


def _on_record(record: FileRecord, counts: LoadOutcome) -> dict[str, object]:
    """Return the details of a load for the audit log."""
    return {"file": record.name, "new": counts.new, "revised": counts.revised, "unchanged": counts.unchanged}


def _same_publication(
    prior: Sequence[FileEntry], basis: KnownAtBasis | None, known_at: datetime | None, *, again: bool
) -> LoadOutcome | None:
    if not prior or again:
        return None
    # The same content with another known time that an operator states is another publication.
    if basis is KnownAtBasis.STATED and all((entry.known_at, entry.known_at_basis) != (known_at, basis) for entry in prior):
        return None
    return LoadOutcome(prior[-1].file_id, 0, 0, 0, 0, already_loaded=True)
