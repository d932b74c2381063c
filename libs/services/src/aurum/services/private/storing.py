"""Declarations and removals of private series, and points that are stored in them. Each is one transaction."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Conflict, Invalid, UnknownName
from aurum.core.frames import REFUSED
from aurum.core.names import nearest
from aurum.core.series.model import Series, SeriesSpec
from aurum.services.private.declaration import is_name, private_key, series_frame
from aurum.services.private.points import checked_points
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.files import FileLoad, FileRecord, LoadRequest
from aurum.storage.ports.observations import SeriesRows
from aurum.storage.ports.private import Declared, PrivateStore
from aurum.storage.ports.removal import RemovedRows

_MOST_COMPARED = 1_000
"""Names that are compared to find those nearest to an unknown one."""


class DeclarationDiffers(Conflict):
    """A declaration contradicts the stored one. Facts: ``name``, ``field``, ``stored``, ``declared``."""

    def __init__(self, name: str, field: str, stored: str, declared: str) -> None:
        super().__init__(
            f"private series {name!r} is declared with {field} {stored!r}, not {declared!r}, and its points depend on it: "
            f"declare another name, or DELETE /v2/private/series/{name} with its points and declare it anew",
            name=name,
            field=field,
            stored=stored,
            declared=declared,
        )


class TooManyPrivateSeries(Conflict):
    """A tenant has as many private series as it may. Facts: ``limit``."""


class NotDeclared(UnknownName):
    """Points were sent for a series that the tenant has not declared. Facts: those of ``UnknownName``."""

    def __init__(self, name: str, nearest_names: tuple[str, ...]) -> None:
        super().__init__("private series", name, nearest_names)
        path = f"/v2/private/series/{name}" if is_name(name) else "/v2/private/series/NAME"
        self.detail = f"{self.detail}: declare it first, with PUT {path} or `aurum private declare`"
        self.args = (self.detail,)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declared series. ``is_new``: this call declared it."""

    series: Series
    is_new: bool


@dataclass(frozen=True, slots=True)
class StoredPoints:
    """Result of storing points: the numbers of new points, of revised ones, and of those that repeat what was known."""

    new: int
    revised: int
    unchanged: int


async def declare_series(private: PrivateStore, spec: SeriesSpec, *, most: int, by: Actor) -> Declaration:
    """Declare a private series. The same declaration again changes nothing; another title replaces the stored one.

    ``most``: series that the tenant may have. Raises ``DeclarationDiffers``, ``TooManyPrivateSeries``, ``UnknownName`` for an
    unknown tenant.
    """
    key, name = str(spec.key), spec.key.location
    async with private.transactions.transaction(by=by) as tx:
        count = await tx.series.count()
        stored = await tx.series.lock(key)
        if stored is not None:
            _check_same(name, stored, spec)
        elif count >= most:
            raise TooManyPrivateSeries(
                f"this tenant has {count:,} private series, and may have {most:,}: remove one that is not needed", limit=most
            )
        if stored is None or stored.title != spec.location_name:
            await tx.series.declare(series_frame(spec))
            detail = {"unit": spec.unit, "frequency": str(spec.frequency), "zone": spec.zone, "title": spec.location_name}
            await tx.audit.append("private.declare", key, detail)
    return Declaration(await private_series(private, name), is_new=stored is None)


async def private_series(private: PrivateStore, name: str) -> Series:
    """Return a private series of the tenant. Raises ``UnknownName`` with the nearest names of the tenant itself."""
    if is_name(name):
        key = str(private_key(name))
        series = (await private.catalog.series_by_key([key])).get(key)
        if series is not None:
            return series
    raise await _unknown(private, name)


async def remove_private_series(private: PrivateStore, name: str, *, by: Actor) -> RemovedRows:
    """Remove a private series with all its points, in one transaction. Raises ``UnknownName``."""
    if is_name(name):
        key = str(private_key(name))
        async with private.transactions.transaction(by=by, long_running=True) as tx:
            stored = await tx.series.lock(key)
            if stored is not None:
                removed = await tx.series.remove(stored.series_id)
                await tx.audit.append("private.remove", key, asdict(removed))
                return removed
    raise await _unknown(private, name)


async def store_points(
    private: PrivateStore, name: str, rows: pl.DataFrame, *, file_name: str, size: int, most: int, now: datetime, by: Actor
) -> StoredPoints:
    """Store points in a declared series, all of them or none, by the law of known time. New and revised values are on record.

    ``rows``: schema ``points.ROWS``. ``file_name``, ``size``: of the file or body, for the record. ``most``: points that one
    call may store. ``now``: the clock that no known time may be ahead of. Points without a known time become known now. Raises
    ``NotDeclared`` for a series that is not declared, ``BadRows``, ``Invalid`` for too many points.
    """
    try:
        series = await private_series(private, name)
    except UnknownName as error:
        raise NotDeclared(name, error.nearest) from error
    if rows.height > most:
        raise Invalid(
            f"{rows.height:,} points; one request or file may have {most:,}: send them in parts", points=rows.height, limit=most
        )
    if rows.is_empty():
        return StoredPoints(0, 0, 0)
    points = await asyncio.to_thread(checked_points, rows, series.spec, now=now)
    has_own_times = points["known_at"].null_count() == 0
    record = FileRecord(
        name=file_name,
        digest=_digest(private.tenant, name, points),
        size=size,
        source=series.key.source,
        dataset=series.key.dataset,
        known_at_basis=KnownAtBasis.STATED if has_own_times else KnownAtBasis.INGESTED,
        rows_read=rows.height,
        # What is sent again is said again: a value that was sent, corrected, and sent again is the current one.
        is_published_again=True,
    )
    part = SeriesRows(series_frame(series.spec), points)
    request = LoadRequest(by, "private.store", str(series.key))
    outcome = await private.loader.load(FileLoad(record, (part,), pl.DataFrame(schema=REFUSED), request=request))
    return StoredPoints(outcome.new, outcome.revised, outcome.unchanged)


def _check_same(name: str, stored: Declared, spec: SeriesSpec) -> None:
    for field, old, new in (
        ("unit", stored.unit, spec.unit),
        ("frequency", stored.frequency, str(spec.frequency)),
        ("zone", stored.zone, spec.zone),
    ):
        if old != new:
            raise DeclarationDiffers(name, field, old, new)


async def _unknown(private: PrivateStore, name: str) -> UnknownName:
    own = await private.catalog.series_page(SeriesFilter(), after=None, limit=_MOST_COMPARED)
    return UnknownName("private series", name, nearest(name, [series.key.location for series in own]))


def _digest(tenant: str, name: str, points: pl.DataFrame) -> str:
    """Return the SHA-256 of points for a series of a tenant: equal contents of two tenants must not wait for each other."""
    digest = hashlib.sha256(f"{tenant}\0{name}\0".encode())
    for column in ("ts", "value", "known_at"):
        digest.update(points[column].to_physical().fill_null(0).to_numpy().tobytes())
    return digest.hexdigest()
