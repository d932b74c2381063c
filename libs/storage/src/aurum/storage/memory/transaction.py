"""Units of work in memory: writers change a copy of the tables, which replaces the tables at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import overload

from aurum.core.clock import Clock
from aurum.storage.memory.access import MemoryAuditWriter, MemoryKeyWriter, MemoryTenantWriter
from aurum.storage.memory.alerts import MemoryAlertWriter
from aurum.storage.memory.blocks import MemoryBlockWriter
from aurum.storage.memory.curve_sets import MemoryCurveSetWriter
from aurum.storage.memory.curves import MemoryCurveReferenceWriter, MemoryCurveWriter
from aurum.storage.memory.derived_curves import MemoryDerivedCurveWriter
from aurum.storage.memory.files import MemoryFileWriter
from aurum.storage.memory.flags import MemoryFlagWriter
from aurum.storage.memory.jobs import MemoryJobWriter, publish_notices
from aurum.storage.memory.links import MemoryLinkWriter
from aurum.storage.memory.mappings import MemoryMappingWriter
from aurum.storage.memory.observations import MemoryObservationWriter
from aurum.storage.memory.quality import MemoryQualityWriter
from aurum.storage.memory.recordings import MemoryRecordingWriter
from aurum.storage.memory.removal import MemorySeriesRemover
from aurum.storage.memory.restatement import MemoryRestater
from aurum.storage.memory.schedule import MemoryScheduleWriter
from aurum.storage.memory.state import MemoryState
from aurum.storage.memory.watermarks import MemoryWatermarkWriter
from aurum.storage.memory.webhooks import MemoryDeliveryWriter, MemoryWebhookWriter
from aurum.storage.ports.access import Actor


@dataclass(frozen=True, slots=True)
class MemoryTransaction:
    """``Transaction`` over a copy of the tables."""

    audit: MemoryAuditWriter
    tenants: MemoryTenantWriter
    flags: MemoryFlagWriter
    files: MemoryFileWriter
    observations: MemoryObservationWriter
    curves: MemoryCurveWriter
    curve_reference: MemoryCurveReferenceWriter
    blocks: MemoryBlockWriter
    mappings: MemoryMappingWriter
    derived_curves: MemoryDerivedCurveWriter
    quality: MemoryQualityWriter
    removal: MemorySeriesRemover
    recordings: MemoryRecordingWriter
    restater: MemoryRestater
    schedule: MemoryScheduleWriter
    watermarks: MemoryWatermarkWriter
    jobs: MemoryJobWriter
    alerts: MemoryAlertWriter
    deliveries: MemoryDeliveryWriter


@dataclass(frozen=True, slots=True)
class MemoryTenantTransaction:
    """``TenantTransaction`` over a copy of the tables."""

    audit: MemoryAuditWriter
    keys: MemoryKeyWriter
    links: MemoryLinkWriter
    jobs: MemoryJobWriter
    webhooks: MemoryWebhookWriter
    curve_sets: MemoryCurveSetWriter


class MemoryTransactions:
    """``Transactions`` in memory, which run one after the other."""

    def __init__(self, state: MemoryState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    @overload
    def transaction(
        self, *, by: Actor, tenant: None = None, long_running: bool = False
    ) -> AbstractAsyncContextManager[MemoryTransaction]: ...

    @overload
    def transaction(self, *, by: Actor, tenant: str) -> AbstractAsyncContextManager[MemoryTenantTransaction]: ...

    def transaction(
        self, *, by: Actor, tenant: str | None = None, long_running: bool = False
    ) -> AbstractAsyncContextManager[MemoryTransaction] | AbstractAsyncContextManager[MemoryTenantTransaction]:
        del long_running  # transactions in memory have no time limit
        return self._shared(by) if tenant is None else self._for_tenant(by, tenant)

    @asynccontextmanager
    async def _shared(self, by: Actor) -> AsyncGenerator[MemoryTransaction]:
        async with self._draft() as draft:
            yield MemoryTransaction(
                audit=MemoryAuditWriter(draft, self._clock, by, None),
                tenants=MemoryTenantWriter(draft, self._clock),
                flags=MemoryFlagWriter(draft, self._clock),
                files=MemoryFileWriter(draft, self._clock),
                observations=MemoryObservationWriter(draft, self._clock),
                curves=MemoryCurveWriter(draft),
                curve_reference=MemoryCurveReferenceWriter(draft, self._clock),
                blocks=MemoryBlockWriter(draft, self._clock),
                mappings=MemoryMappingWriter(draft, self._clock),
                derived_curves=MemoryDerivedCurveWriter(draft, self._clock),
                quality=MemoryQualityWriter(draft, self._clock),
                removal=MemorySeriesRemover(draft),
                recordings=MemoryRecordingWriter(draft, self._clock),
                restater=MemoryRestater(draft, self._clock),
                schedule=MemoryScheduleWriter(draft),
                watermarks=MemoryWatermarkWriter(draft),
                jobs=MemoryJobWriter(draft, self._clock, None),
                alerts=MemoryAlertWriter(draft),
                deliveries=MemoryDeliveryWriter(draft),
            )

    @asynccontextmanager
    async def _for_tenant(self, by: Actor, tenant: str) -> AsyncGenerator[MemoryTenantTransaction]:
        async with self._draft() as draft:
            yield MemoryTenantTransaction(
                audit=MemoryAuditWriter(draft, self._clock, by, tenant),
                keys=MemoryKeyWriter(draft, self._clock, tenant),
                links=MemoryLinkWriter(draft, self._clock, tenant),
                jobs=MemoryJobWriter(draft, self._clock, tenant),
                webhooks=MemoryWebhookWriter(draft, tenant),
                curve_sets=MemoryCurveSetWriter(draft, tenant),
            )

    @asynccontextmanager
    async def _draft(self) -> AsyncGenerator[MemoryState]:
        async with self._state.lock:
            draft = self._state.snapshot()
            yield draft
            self._state.adopt(draft)
            publish_notices(self._state)
