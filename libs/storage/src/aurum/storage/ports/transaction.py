"""Units of work: a change, its audit record and all related rows commit together or not at all."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, overload

from aurum.storage.ports.access import Actor, AuditWriter, KeyWriter, TenantWriter
from aurum.storage.ports.alerts import AlertWriter
from aurum.storage.ports.blocks import BlockWriter
from aurum.storage.ports.curve_sets import CurveSetWriter
from aurum.storage.ports.curves import CurveReferenceWriter, CurveWriter
from aurum.storage.ports.derived_curves import DerivedCurveWriter
from aurum.storage.ports.files import FileWriter
from aurum.storage.ports.flags import FlagWriter
from aurum.storage.ports.jobs import JobWriter
from aurum.storage.ports.links import LinkWriter
from aurum.storage.ports.mappings import MappingWriter
from aurum.storage.ports.observations import ObservationWriter
from aurum.storage.ports.quality import QualityWriter
from aurum.storage.ports.recordings import RecordingWriter
from aurum.storage.ports.removal import SeriesRemover
from aurum.storage.ports.restatement import Restater
from aurum.storage.ports.schedule import ScheduleWriter
from aurum.storage.ports.watermarks import WatermarkWriter
from aurum.storage.ports.webhooks import DeliveryWriter, WebhookWriter


class Transaction(Protocol):
    """The writing ports of a unit of work on rows that belong to no single tenant."""

    @property
    def audit(self) -> AuditWriter: ...
    @property
    def tenants(self) -> TenantWriter: ...
    @property
    def flags(self) -> FlagWriter: ...
    @property
    def files(self) -> FileWriter: ...
    @property
    def observations(self) -> ObservationWriter: ...
    @property
    def curves(self) -> CurveWriter: ...
    @property
    def curve_reference(self) -> CurveReferenceWriter: ...
    @property
    def blocks(self) -> BlockWriter: ...
    @property
    def mappings(self) -> MappingWriter: ...
    @property
    def derived_curves(self) -> DerivedCurveWriter: ...
    @property
    def quality(self) -> QualityWriter: ...
    @property
    def removal(self) -> SeriesRemover: ...
    @property
    def recordings(self) -> RecordingWriter: ...
    @property
    def restater(self) -> Restater: ...
    @property
    def schedule(self) -> ScheduleWriter: ...
    @property
    def watermarks(self) -> WatermarkWriter: ...
    @property
    def jobs(self) -> JobWriter: ...
    @property
    def alerts(self) -> AlertWriter: ...
    @property
    def deliveries(self) -> DeliveryWriter: ...


class TenantTransaction(Protocol):
    """The writing ports of a unit of work on rows of one tenant; it cannot see or write rows of other tenants."""

    @property
    def audit(self) -> AuditWriter: ...
    @property
    def keys(self) -> KeyWriter: ...
    @property
    def links(self) -> LinkWriter: ...
    @property
    def jobs(self) -> JobWriter: ...
    @property
    def webhooks(self) -> WebhookWriter: ...
    @property
    def curve_sets(self) -> CurveSetWriter: ...


class Transactions(Protocol):
    """Begins units of work."""

    @overload
    def transaction(
        self, *, by: Actor, tenant: None = None, long_running: bool = False
    ) -> AbstractAsyncContextManager[Transaction]: ...

    @overload
    def transaction(self, *, by: Actor, tenant: str) -> AbstractAsyncContextManager[TenantTransaction]: ...

    def transaction(
        self, *, by: Actor, tenant: str | None = None, long_running: bool = False
    ) -> AbstractAsyncContextManager[Transaction] | AbstractAsyncContextManager[TenantTransaction]:
        """Begin a unit of work: commit at the end of the block, roll back when it raises.

        ``by``: the actor, for the audit log. ``tenant``: the tenant whose rows are read and written; None for rows of no single
        tenant. It differs from the actor's tenant when an operator changes the keys of a customer. ``long_running``: the time
        limit is that of a load (``AURUM_DATABASE__LOAD_TIMEOUT_S``), not that of a read.

        Raises ``Unavailable`` when the store does not answer, ``LostRace`` when the work may be repeated at once.
        """
        ...
