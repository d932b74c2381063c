"""Private series: series that one tenant declared and that no other tenant can see.

They have the same readers and the same law of known time as shared series. Every port here acts for the tenant it was made for.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl

    from aurum.storage.ports.access import Actor, AuditWriter
    from aurum.storage.ports.catalog import Catalog
    from aurum.storage.ports.curves import CurveWriter
    from aurum.storage.ports.derived_curves import DerivedCurveWriter
    from aurum.storage.ports.files import FileLog, FileWriter, Loader
    from aurum.storage.ports.jobs import JobWriter
    from aurum.storage.ports.lineage import LineageReader
    from aurum.storage.ports.observations import LockedSeries, NeighbourReader, ObservationWriter, PartialsReader, SeriesReader
    from aurum.storage.ports.quality import QualityWriter
    from aurum.storage.ports.recordings import LoadedReaders, RecordingWriter
    from aurum.storage.ports.removal import RemovedRows

PRIVATE_SOURCE = "private"
"""The source of every private series, and of no other: ``private:series:{name}:value``."""


def is_private(key: str) -> bool:
    """Return whether a text names a private series, whether there is one or not.

    >>> is_private("private:series:meter:value"), is_private("nyiso:damlbmp_zone:61761:lmp")
    (True, False)
    """
    return key.startswith(f"{PRIVATE_SOURCE}:")


@dataclass(frozen=True, slots=True)
class Declared:
    """The stored declaration of a private series. ``unit``: canonical text. ``frequency``: text. ``zone``: IANA name."""

    series_id: int
    unit: str
    frequency: str
    zone: str
    title: str


class PrivateSeriesWriter(Protocol):
    """Declarations of private series within a transaction."""

    async def declare(self, series: pl.DataFrame) -> LockedSeries:
        """Find or create the series in a frame of schema ``core.frames.SERIES``, and lock them.

        Descriptions become those of the frame. Raises ``Conflict`` when a series has another unit or frequency.
        """
        ...

    async def lock(self, key: str) -> Declared | None:
        """Return the declaration of a series, which no other transaction can change or remove before this one ends.

        None for a series that is not declared.
        """
        ...

    async def count(self) -> int:
        """Return the number of series of the tenant. Transactions of one tenant that call it run one after the other."""
        ...

    async def remove(self, series_id: int) -> RemovedRows:
        """Delete a series and all its points. Unlike the id of a shared series nothing remembers it."""
        ...


class PrivateTransaction(Protocol):
    """The writing ports of a unit of work on the private series of one tenant.

    ``observations`` stores points of declared series only: ``lock`` raises ``NotFound`` for another one. ``curves`` stores
    quotes of the tenant's own products.
    """

    @property
    def audit(self) -> AuditWriter: ...
    @property
    def series(self) -> PrivateSeriesWriter: ...
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


class PrivateTransactions(Protocol):
    """Begins units of work on the private series of one tenant."""

    def transaction(self, *, by: Actor, long_running: bool = False) -> AbstractAsyncContextManager[PrivateTransaction]:
        """Begin a unit of work: commit at the end of the block, roll back when it raises.

        Raises ``Unavailable`` when the store does not answer, ``LostRace`` when the work may be repeated at once.
        """
        ...


@dataclass(frozen=True, slots=True)
class PrivateStore:
    """The private series of one tenant, through the ports that shared series are read through.

    ``catalog`` has the private series alone: it knows no source, dataset or block. ``loader`` stores points of declared series.
    """

    tenant: str
    catalog: Catalog
    reader: SeriesReader
    partials: PartialsReader
    neighbours: NeighbourReader
    loaded: LoadedReaders
    files: FileLog
    loader: Loader
    lineage: LineageReader
    transactions: PrivateTransactions


class PrivateStores(Protocol):
    """The private series of all tenants."""

    def of(self, tenant: str) -> PrivateStore:
        """Return the private series of a tenant. An unknown tenant has none and cannot declare any."""
        ...
