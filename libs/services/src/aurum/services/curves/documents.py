"""Reference documents that administrators and tenants write: delivery calendars, seasons, sessions and shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aurum.core.curves.calendars import DeliveryCalendar, default_delivery_calendars
from aurum.core.curves.documents import Document, InvalidDocument
from aurum.core.curves.season_documents import read_season_family
from aurum.core.curves.seasons import default_season_families
from aurum.core.curves.sessions import SessionCalendar, default_session_calendars
from aurum.core.curves.shapes import InvalidShape, shape_from_document
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.services.curves.document_users import NAMED_BY, check_users
from aurum.services.curves.products import rebuild_users
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.shapes import ORIGIN
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ReferenceDocument, ReferenceKind
from aurum.storage.ports.transaction import Transactions

_NUMBERS = ("mean", "means")
"""Members of a shape that its origin explains."""


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """A reference document as a caller sees it.

    ``tenant``: owner; None: it belongs to all. ``version``: 0 for a shipped document that is not stored; its ``updated_at`` is
    None.
    """

    name: str
    document: Mapping[str, object]
    tenant: str | None
    version: int
    updated_at: datetime | None


async def reference_entries(reading: CurveReading, kind: ReferenceKind) -> Sequence[ReferenceEntry]:
    """Return the documents of a kind that the caller reads with, ascending by name."""
    shipped = {name: ReferenceEntry(name, document, None, 0, None) for name, document in shipped_documents(kind).items()}
    stored = [_entry(one) for one in await reading.curves.references(kind, tenant=reading.tenant)]
    own = {one.name: one for one in stored if one.tenant is not None}
    shared = {one.name: one for one in stored if one.tenant is None}
    return [entry for _, entry in sorted({**own, **shipped, **shared}.items())]


async def reference_entry(reading: CurveReading, kind: ReferenceKind, name: str) -> ReferenceEntry:
    """Return one document. Raises ``UnknownName`` with the nearest names."""
    entries = {one.name: one for one in await reference_entries(reading, kind)}
    if name not in entries:
        raise UnknownName(_called(kind), name, nearest(name, entries))
    return entries[name]


async def add_reference(
    transactions: Transactions,
    reading: CurveReading,
    kind: ReferenceKind,
    document: Mapping[str, object],
    *,
    tenant: str | None,
    by: Actor,
    most: int | None = None,
) -> ReferenceEntry:
    """Add a document. ``tenant``: its owner; None: it belongs to all, and may replace a shipped one.

    ``most``: largest number of own documents of a tenant; None: any. Raises ``InvalidParameters`` for a document that describes
    nothing, ``Conflict`` for a name that exists, and for one document too many.
    """
    if tenant is not None and most is not None:
        await check_document_quota(reading, tenant, most)
    _refuse_origin(kind, document)
    name, checked = checked_document(kind, document)
    replaced = {one.name: one for one in await reference_entries(reading, kind)}.get(name)
    if tenant is not None and replaced is not None and replaced.tenant is None:
        raise Conflict(f"{_called(kind)} {name!r} is shared: choose another name for your own", name=name)
    before = replaced.document if replaced is not None and replaced.tenant is None else None
    return await _put(transactions, kind, name, before, checked, tenant=tenant, version=None, by=by)


async def change_reference(
    transactions: Transactions,
    reading: CurveReading,
    kind: ReferenceKind,
    name: str,
    changes: Mapping[str, object],
    *,
    tenant: str | None,
    version: int | None,
    by: Actor,
) -> ReferenceEntry:
    """Change some members of a document; a change of a shipped one stores it. ``version``: that the caller has read.

    Raises ``UnknownName``, ``InvalidParameters``, and ``Conflict`` for another version, and for members that stored quotes
    depend on.
    """
    entry = await _owned(reading, kind, name, tenant)
    _refuse_origin(kind, changes)
    if changes.get("name", name) != name:
        why = f"stays {name!r}: add a document of another name instead"
        raise InvalidParameters(("name", why, str(changes["name"])[:200]))
    stays = {one: value for one, value in entry.document.items() if one != ORIGIN or changes.keys().isdisjoint(_NUMBERS)}
    _, checked = checked_document(kind, {**stays, **changes, "name": name})
    if version is not None and version != entry.version:
        raise Conflict(
            f"{_called(kind)} {name!r} has version {entry.version}, not {version}: read it again", version=entry.version
        )
    version = entry.version or None
    return await _put(transactions, kind, name, entry.document, checked, tenant=tenant, version=version, by=by)


async def remove_reference(
    transactions: Transactions, reading: CurveReading, kind: ReferenceKind, name: str, *, tenant: str | None, by: Actor
) -> None:
    """Remove a stored document; the shipped one of its name holds again.

    Raises ``UnknownName``, and ``Conflict`` for a shipped one and for one that products are read with.
    """
    entry = await _owned(reading, kind, name, tenant)
    if not entry.version:
        raise Conflict(f"{_called(kind)} {name!r} is part of this release and cannot be removed; it can be changed", name=name)
    shipped = shipped_documents(kind).get(name)
    async with transactions.transaction(by=by) as tx:
        await check_users(tx, kind, name, entry.document, shipped, tenant=tenant, by=by)
        await tx.curve_reference.delete_reference(kind, name, tenant=tenant, version=entry.version)
        if kind in NAMED_BY:
            await rebuild_users(tx, NAMED_BY[kind], name, tenant=tenant)
        await tx.audit.append(f"{kind}.remove", name, _detail(kind, tenant, entry.version, entry.document, shipped))


async def check_document_quota(reading: CurveReading, tenant: str, most: int) -> None:
    """Raise ``Conflict`` for a tenant that has as many reference documents of its own as it may have."""
    stored = [one for kind in ReferenceKind for one in await reading.curves.references(kind, tenant=tenant)]
    count = sum(one.tenant == tenant for one in stored)
    if count >= most:
        why = f"this tenant has {count:,} calendars, seasons and shapes of its own, and may have {most:,}: remove one"
        raise Conflict(why, limit=most)


def checked_document(kind: ReferenceKind, document: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
    """Return the name and the canonical form of a document. Raises ``InvalidParameters``, which names the member."""
    try:
        name = Document(_called(kind), document, document).word("name")
        parsed = _PARSERS[kind](document)
    except InvalidDocument as error:
        # The field of a season does not say that it is of a season, and not of the family.
        why = error.detail if error.facts["document"] == "season" else error.why
        raise InvalidParameters((str(error.facts["field"]), why, error.facts["value"])) from error
    except InvalidShape as error:
        raise InvalidParameters(("document", error.detail, None)) from error
    return name, parsed


def shipped_documents(kind: ReferenceKind) -> Mapping[str, Mapping[str, object]]:
    """Return the shipped documents of a kind, by name."""
    match kind:
        case ReferenceKind.DELIVERY_CALENDAR:
            return {one.name: one.to_document() for one in default_delivery_calendars()}
        case ReferenceKind.SEASONS:
            return {one.name: one.to_document() for one in default_season_families()}
        case ReferenceKind.SESSIONS:
            return {one.name: one.to_document() for one in default_session_calendars()}
        case ReferenceKind.SHAPE:
            return {}


async def _put(
    transactions: Transactions,
    kind: ReferenceKind,
    name: str,
    before: Mapping[str, object] | None,
    document: Mapping[str, object],
    *,
    tenant: str | None,
    version: int | None,
    by: Actor,
) -> ReferenceEntry:
    async with transactions.transaction(by=by) as tx:
        await check_users(tx, kind, name, before, document, tenant=tenant, by=by)
        stored = await tx.curve_reference.put_reference(kind, name, document, tenant=tenant, version=version, by=by.subject)
        if kind in NAMED_BY:
            await rebuild_users(tx, NAMED_BY[kind], name, tenant=tenant)
        action = f"{kind}.add" if version is None else f"{kind}.change"
        await tx.audit.append(action, name, _detail(kind, tenant, stored.version, before, document))
    return _entry(stored)


def _detail(
    kind: ReferenceKind,
    tenant: str | None,
    version: int,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
) -> Mapping[str, object]:
    """Return the details of a change for the audit log. Shapes have too many numbers for it."""
    detail: dict[str, object] = {"owner": tenant or "shared", "version": version}
    return detail if kind is ReferenceKind.SHAPE else detail | {"before": before, "after": after}


async def _owned(reading: CurveReading, kind: ReferenceKind, name: str, tenant: str | None) -> ReferenceEntry:
    entry = await reference_entry(reading, kind, name)
    if entry.tenant != tenant:
        raise UnknownName(_called(kind), name)
    return entry


def _entry(stored: ReferenceDocument) -> ReferenceEntry:
    return ReferenceEntry(stored.name, stored.document, stored.tenant, stored.version, stored.updated_at)


def _called(kind: ReferenceKind) -> str:
    return str(kind).replace("_", " ")


def _refuse_origin(kind: ReferenceKind, members: Mapping[str, object]) -> None:
    """Raise ``InvalidParameters`` for a stated origin: by it a shape is known at an instant, so only learning writes it."""
    if kind is ReferenceKind.SHAPE and ORIGIN in members:
        why = "is written when a shape is learned from prices: leave it out; POST /v2/curves/{key}/shape learns one"
        raise InvalidParameters((ORIGIN, why, None))


def _shape(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return the canonical form of the factors of a shape, with its origin where it was learned; its name is not part of it."""
    origin = {ORIGIN: document[ORIGIN]} if ORIGIN in document else {}
    factors = {name: value for name, value in document.items() if name not in ("name", ORIGIN)}
    return {**shape_from_document(factors).to_document(), **origin}


_PARSERS: Mapping[ReferenceKind, Callable[[Mapping[str, object]], Mapping[str, object]]] = {
    ReferenceKind.DELIVERY_CALENDAR: lambda document: DeliveryCalendar.from_document(document).to_document(),
    ReferenceKind.SEASONS: lambda document: read_season_family(document).to_document(),
    ReferenceKind.SESSIONS: lambda document: SessionCalendar.from_document(document).to_document(),
    ReferenceKind.SHAPE: _shape,
}
