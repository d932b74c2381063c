"""Products that are read with a reference document: it stays while they name it, and as their stored quotes need it."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.core.curves.seasons import SeasonFamily
from aurum.services.curves.reference_users import refuse_users
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ReferenceKind, ReferenceUse
from aurum.storage.ports.transaction import Transaction

NAMED_BY = {
    ReferenceKind.DELIVERY_CALENDAR: "calendar",
    ReferenceKind.SEASONS: "seasons",
    ReferenceKind.SESSIONS: "sessions",
}
"""The term of a product that names a document of a kind. Shapes are named by requests alone."""
_FIXED = ("zone", "day_start", "day_offset", "blocks")
"""Members of a delivery calendar that say when the days and blocks of stored quotes deliver."""


async def check_users(
    tx: Transaction,
    kind: ReferenceKind,
    name: str,
    old: Mapping[str, object] | None,
    new: Mapping[str, object] | None,
    *,
    tenant: str | None,
    by: Actor,
) -> None:
    """Raise ``Conflict`` for a change of a document that a product forbids.

    ``old``: None: a shared document is added, and takes the place of tenants' own ones of its name. ``new``: None: the document
    is removed. ``tenant``: its owner, whose products alone are read with it; None: all are.
    """
    term = NAMED_BY.get(kind)
    if term is None or (old is None and (tenant is not None or kind is ReferenceKind.SESSIONS)):
        return
    called, facts = str(kind).replace("_", " "), dict[str, object]()
    if old is None:
        why = f"has quotes, and is read with a {called} {name!r} of a tenant: choose another name"
    elif new is None:
        why = f"is read with {called} {name!r}: change its {term} first"
    elif (moved := _moved(kind, old, new)) is not None:
        why = f"has quotes, and they depend on {moved} of {called} {name!r}: add a {called} of another name"
        facts = {"field": moved}
    else:
        return
    await refuse_users(tx, ReferenceUse(terms={term: name}, tenant=tenant), why, by=by, quoted=new is not None, **facts)


def _moved(kind: ReferenceKind, old: Mapping[str, object], new: Mapping[str, object]) -> str | None:
    """Return the first member whose change moves the delivery of stored quotes, or what they are called; None: none does."""
    match kind:
        case ReferenceKind.DELIVERY_CALENDAR:
            return next((member for member in _FIXED if old[member] != new[member]), None)
        case ReferenceKind.SEASONS:
            before, after = (
                {one.name: (one.first_month, one.months) for one in SeasonFamily.from_document(document).seasons}
                for document in (old, new)
            )
            return None if before.items() <= after.items() else "seasons"
        case _:
            return None
