"""Products that are read with a reference document: it stays while they name it, and as their stored quotes need it."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.core.curves.seasons import SeasonFamily
from aurum.core.errors import Conflict
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.curves import ProductFilter, ReferenceKind, StoredProduct

_NAMED_BY = {
    ReferenceKind.DELIVERY_CALENDAR: "calendar",
    ReferenceKind.SEASONS: "seasons",
    ReferenceKind.SESSIONS: "sessions",
}
"""The term of a product that names a document of a kind. Shapes are named by requests alone."""
_FIXED = ("zone", "day_start", "day_offset", "blocks")
"""Members of a delivery calendar that say when the days and blocks of stored quotes deliver."""


async def check_users(
    reading: CurveReading,
    kind: ReferenceKind,
    name: str,
    old: Mapping[str, object],
    new: Mapping[str, object] | None,
    *,
    tenant: str | None,
) -> None:
    """Raise ``Conflict`` for a change of a document that a product which the caller reads forbids; it names one product.

    ``new``: None: the document is removed. ``tenant``: its owner, whose products alone are read with it; None: all are.
    """
    term = _NAMED_BY.get(kind)
    moved = None if new is None else _moved(kind, old, new)
    if term is None or (new is not None and moved is None):
        return
    user = await _user(reading, term, name, tenant, quoted=new is not None)
    if user is None:
        return
    called, key = str(kind).replace("_", " "), user.product.key
    if moved is None:
        raise Conflict(f"product {key} is read with {called} {name!r}: change its {term} first", product=str(key))
    why = f"product {key} has quotes, and they depend on {moved} of {called} {name!r}: add a {called} of another name"
    raise Conflict(why, product=str(key), field=moved)


async def _user(reading: CurveReading, term: str, name: str, tenant: str | None, *, quoted: bool) -> StoredProduct | None:
    products = await reading.curves.products(ProductFilter(quoted=quoted), tenant=reading.tenant)
    owned = (one for one in products if tenant is None or one.tenant == tenant)
    return next((one for one in owned if getattr(one.product, term) == name), None)


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
