"""One unit of work: a change, its audit record and what else belongs to it commit together or not at all."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, overload

from aurum.storage.ports.access import Actor, AuditWriter, KeyWriter, TenantWriter
from aurum.storage.ports.files import FileWriter
from aurum.storage.ports.flags import FlagWriter
from aurum.storage.ports.observations import ObservationWriter
from aurum.storage.ports.quality import QualityWriter


class Transaction(Protocol):
    """The writing ports of one unit of work on what belongs to no single tenant."""

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
    def quality(self) -> QualityWriter: ...


class TenantTransaction(Protocol):
    """The writing ports of one unit of work on what belongs to one tenant; rows of other tenants do not exist in it."""

    @property
    def audit(self) -> AuditWriter: ...
    @property
    def keys(self) -> KeyWriter: ...


class Transactions(Protocol):
    """Begins units of work."""

    @overload
    def transaction(
        self, *, by: Actor, tenant: None = None, lasting: bool = False
    ) -> AbstractAsyncContextManager[Transaction]: ...

    @overload
    def transaction(self, *, by: Actor, tenant: str) -> AbstractAsyncContextManager[TenantTransaction]: ...

    def transaction(
        self, *, by: Actor, tenant: str | None = None, lasting: bool = False
    ) -> AbstractAsyncContextManager[Transaction] | AbstractAsyncContextManager[TenantTransaction]:
        """Commit at the end of the block, undo everything when it raises.

        ``by``: who acts, for the audit log. ``tenant``: whose rows are read and written; None: those of no single tenant.
        They differ when an operator changes the keys of a customer. ``lasting``: the work may take as long as a load may
        (``AURUM_DATABASE__LOAD_TIMEOUT_S``), not as long as a read.

        Raises ``Unavailable`` when the store does not answer, ``LostRace`` when the work may be done again at once.
        """
        ...
