"""A store that archives everything after each load and so must restore it for the next one: the hardest use of history."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.validations import ValidationResult
from aurum.core.clock import Clock
from aurum.core.history import tally
from aurum.storage.loaded import LoadedSeriesReaders
from aurum.storage.ports.files import FileLoad, FileRecord, Loader, LoadOutcome
from aurum.storage.ports.history import ArchivedPart, ArchiveLog, HistoryStore, Months
from aurum.storage.ports.observations import PartialsReader, SeriesReader
from aurum.storage.ports.quote_history import SOURCE
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.curves.readers import curve_reader
from aurum.storage.postgres.history.log import PostgresArchiveLog
from aurum.storage.postgres.lineage import PostgresLineageReader
from aurum.storage.postgres.observations.neighbours import PostgresNeighbourReader
from aurum.storage.postgres.observations.partials import PostgresPartialsReader
from aurum.storage.postgres.observations.reader import PostgresSeriesReader
from aurum.storage.postgres.transaction import PostgresTransactions
from aurum.storage.testing.stores import PostgresStore, patient_loader
from aurum.storage.tiered import TieredPartialsReader, TieredSeriesReader

_END = date(9999, 12, 1)


async def archive_everything(log: ArchiveLog, history: HistoryStore, *, before: date = _END) -> int:
    """Archive all hot months before ``before``, without verifying them; return the number of archived parts."""
    moved = 0
    for month in await log.closed_months(before):
        months = Months(month.month, month.month)
        archive_id = await log.begin(month.source, months)
        snapshot = await log.snapshot(month.series_ids, months)
        await history.write(snapshot.rows, source=month.source, archive_id=archive_id)
        moved += (await log.commit(archive_id, snapshot)).height
    return moved + await _archive_quotes(log, history, before)


async def _archive_quotes(log: ArchiveLog, history: HistoryStore, before: date) -> int:
    if history.quotes is None:
        return 0
    moved = 0
    for (month,), parts in (await log.quotes.sizes(before)).group_by("month", maintain_order=True):
        assert isinstance(month, date)
        archive_id = await log.begin(SOURCE, Months(month, month))
        rows = await log.quotes.snapshot(parts["series_id"].to_list(), month)
        await history.quotes.write(rows, archive_id=archive_id)
        moved += (await log.quotes.commit(archive_id, rows)).height
    return moved


async def named_parts(log: ArchiveLog) -> list[ArchivedPart]:
    """Return every part that the log names."""
    return [part async for page in log.parts() for part in page]


async def check_history(log: ArchiveLog, history: HistoryStore) -> None:
    """Fail when history does not hold the rows that the log records."""
    for part in await named_parts(log):
        (archived,) = tally(await history.rows([part])).rows()
        assert archived == (part.series_id, part.month, part.rows, part.checksum)


class ArchivingLoader:
    """``Loader`` that archives everything after each load."""

    def __init__(self, loader: Loader, log: ArchiveLog, history: HistoryStore) -> None:
        self._loader = loader
        self._log = log
        self._history = history
        self._archive_lock = asyncio.Lock()

    async def load(self, file: FileLoad, *, force: bool = False) -> LoadOutcome:
        outcome = await self._loader.load(file, force=force)
        async with self._archive_lock:
            await archive_everything(self._log, self._history)
        return outcome

    async def already_loaded(
        self, digest: str, *, basis: KnownAtBasis | None = None, known_at: datetime | None = None, again: bool = False
    ) -> LoadOutcome | None:
        return await self._loader.already_loaded(digest, basis=basis, known_at=known_at, again=again)

    async def refuse(self, file: FileRecord, *, reason: str, validations: Sequence[ValidationResult] = ()) -> int:
        return await self._loader.refuse(file, reason=reason, validations=validations)


class TieredStore(PostgresStore):
    """Every port on one PostgreSQL database and one history store.

    ``hot``: reader of the database alone. ``plain_loader``: loader that archives nothing.
    """

    def __init__(self, pool: PostgresPool, clock: Clock, history: HistoryStore) -> None:
        super().__init__(pool, clock)
        self.hot = PostgresSeriesReader(pool, clock)
        self.hot_partials = PostgresPartialsReader(pool)
        self.history = history
        self.log = PostgresArchiveLog(pool)
        self.reader: SeriesReader = TieredSeriesReader(self.hot, history)
        self.loaded = LoadedSeriesReaders(self.reader, self.undo)
        self.partials: PartialsReader = TieredPartialsReader(self.hot_partials, history)
        self.neighbours = PostgresNeighbourReader(pool, lambda: history)
        self.transactions = PostgresTransactions(pool, lambda: history)
        self.curves = curve_reader(pool, self.private_pool, clock, history=lambda: history)
        self.lineage = PostgresLineageReader(pool, lambda: history)
        self.plain_loader: Loader = patient_loader(self.transactions, self.files, self.private)
        self.loader: Loader = ArchivingLoader(self.plain_loader, self.log, history)
