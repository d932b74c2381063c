"""Private series in memory: a state for each tenant, beside the state that all tenants share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from aurum.core.clock import Clock
from aurum.core.errors import UnknownName
from aurum.storage.loaded import LoadedSeriesReaders
from aurum.storage.loader import FileLoader
from aurum.storage.memory.access import MemoryAuditWriter
from aurum.storage.memory.catalog import MemoryCatalog
from aurum.storage.memory.curves import MemoryCurveWriter
from aurum.storage.memory.derived_curves import MemoryDerivedCurveWriter
from aurum.storage.memory.files import MemoryFileLog, MemoryFileWriter
from aurum.storage.memory.jobs import MemoryJobWriter, publish_notices
from aurum.storage.memory.lineage import MemoryLineageReader
from aurum.storage.memory.observations import (
    MemoryNeighbourReader,
    MemoryObservationWriter,
    MemoryPartialsReader,
    MemorySeriesReader,
)
from aurum.storage.memory.recordings import MemoryRecordingWriter, MemoryUndoLog
from aurum.storage.memory.removal import MemorySeriesRemover
from aurum.storage.memory.state import MemoryState, StoredRecording
from aurum.storage.ports.access import Actor
from aurum.storage.ports.observations import LockedSeries
from aurum.storage.ports.private import Declared, PrivateStore
from aurum.storage.ports.recordings import RecordingAction
from aurum.storage.ports.removal import RemovedRows, StoredSeries
from aurum.storage.private import DeclaredSeriesWriter, NoQuarantine

_BEGAN = datetime(2000, 1, 1, tzinfo=UTC)
"""Before the first declaration of every tenant: it has no series before, so reads as loaded by then are empty."""


class MemoryPrivateSeriesWriter:
    """``PrivateSeriesWriter`` over a copy of the tables of one tenant."""

    def __init__(self, state: MemoryState, tenant: str, shared: MemoryState, observations: MemoryObservationWriter) -> None:
        self._state = state
        self._tenant = tenant
        self._shared = shared
        self._observations = observations

    async def declare(self, series: pl.DataFrame) -> LockedSeries:
        if self._tenant not in self._shared.tenants:
            raise UnknownName("tenant", self._tenant)
        return await self._observations.lock(series)

    async def lock(self, key: str) -> Declared | None:
        series = self._state.series.get(key)
        if series is None:
            return None
        spec = series.spec
        return Declared(series.series_id, spec.unit, str(spec.frequency), spec.zone, spec.location_name)

    async def count(self) -> int:
        return len(self._state.series)

    async def remove(self, series_id: int) -> RemovedRows:
        key = next(key for key, series in self._state.series.items() if series.series_id == series_id)
        series = self._state.series[key]
        stored = StoredSeries(series_id, key, series.key.source, series.spec.currency)
        return await MemorySeriesRemover(self._state).remove(stored)


@dataclass(frozen=True, slots=True)
class MemoryPrivateTransaction:
    """``PrivateTransaction`` over a copy of the tables of one tenant."""

    audit: MemoryAuditWriter
    series: MemoryPrivateSeriesWriter
    files: MemoryFileWriter
    observations: DeclaredSeriesWriter
    curves: MemoryCurveWriter
    derived_curves: MemoryDerivedCurveWriter
    jobs: MemoryJobWriter
    quality: NoQuarantine
    recordings: MemoryRecordingWriter


class MemoryPrivateTransactions:
    """``PrivateTransactions`` in memory, which run one after the other with those of shared series."""

    def __init__(self, state: MemoryState, shared: MemoryState, clock: Clock, tenant: str) -> None:
        self._state = state
        self._shared = shared
        self._clock = clock
        self._tenant = tenant

    @asynccontextmanager
    async def transaction(self, *, by: Actor, long_running: bool = False) -> AsyncGenerator[MemoryPrivateTransaction]:
        del long_running  # transactions in memory have no time limit
        async with self._shared.lock:
            shared, draft = self._shared.snapshot(), self._state.snapshot()
            # One sequence of ids for all states, so that no two series have one id.
            draft.last_series_id = shared.last_series_id
            observations = MemoryObservationWriter(draft, self._clock)
            series = MemoryPrivateSeriesWriter(draft, self._tenant, shared, observations)
            yield MemoryPrivateTransaction(
                audit=MemoryAuditWriter(shared, self._clock, by, self._tenant),
                series=series,
                files=MemoryFileWriter(draft, self._clock),
                observations=DeclaredSeriesWriter(observations, series),
                # Products of all tenants are in one table.
                curves=MemoryCurveWriter(shared, self._tenant),
                derived_curves=MemoryDerivedCurveWriter(shared, self._clock),
                jobs=MemoryJobWriter(shared, self._clock, self._tenant),
                quality=NoQuarantine(),
                recordings=MemoryRecordingWriter(draft, self._clock),
            )
            shared.last_series_id = draft.last_series_id
            self._shared.adopt(shared)
            self._state.adopt(draft)
            publish_notices(self._shared)


class MemoryPrivateStores:
    """``PrivateStores`` in memory."""

    def __init__(self, shared: MemoryState, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock
        self._states: dict[str, MemoryState] = {}

    def state_of(self, tenant: str) -> MemoryState:
        """Return the tables of a tenant."""
        state = self._states.get(tenant)
        if state is None:
            state = self._states[tenant] = MemoryState()
            state.recordings.append(StoredRecording(0, _BEGAN, RecordingAction.BEGIN, None))
        return state

    def of(self, tenant: str) -> PrivateStore:
        state = self.state_of(tenant)
        reader, files = MemorySeriesReader(state), MemoryFileLog(state)
        transactions = MemoryPrivateTransactions(state, self._shared, self._clock, tenant)
        return PrivateStore(
            tenant=tenant,
            catalog=MemoryCatalog(state),
            reader=reader,
            partials=MemoryPartialsReader(state),
            neighbours=MemoryNeighbourReader(state),
            loaded=LoadedSeriesReaders(reader, MemoryUndoLog(state, self._clock)),
            files=files,
            loader=FileLoader(transactions, files, tenant=tenant),
            lineage=MemoryLineageReader(state, self._shared, tenant),
            transactions=transactions,
        )
