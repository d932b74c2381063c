"""Mappings that administrators write: spellings of labels and units over the shipped ones, and units of broker prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aurum.core.catalog.mapping_kinds import ANY_SCOPE, MappingKind
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.core.units import converts, parse_unit
from aurum.core.visible import is_visible
from aurum.services.catalog.mapping_rules import (
    check_area,
    check_fuel,
    check_label,
    check_location,
    check_period,
    check_place,
    check_quoted_unit,
    check_same_meaning,
    check_unit,
)
from aurum.services.curves.reference_users import refusal, refuse_users
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ReferenceUse
from aurum.storage.ports.mappings import MappingReader, NewMapping, StoredMapping
from aurum.storage.ports.transaction import Transaction, Transactions

_LONGEST = 200


async def add_mapping(
    transactions: Transactions,
    kind: MappingKind,
    *,
    spelling: str,
    target: str,
    scope: str = ANY_SCOPE,
    by: Actor,
) -> StoredMapping:
    """Add a mapping. Files are read with it from then on; those in quarantine when they are loaded again.

    Raises ``InvalidParameters`` for a target or scope that is unknown, and ``Conflict`` for a spelling that is known, and for a
    unit that would change the meaning of stored quotes.
    """
    mapping = checked_mapping(kind, spelling=spelling, target=target, scope=scope)
    async with transactions.transaction(by=by) as tx:
        await _check_quotes(tx, mapping.kind, mapping.scope, mapping.folded, mapping.target, by)
        stored = await tx.mappings.add(mapping, by=by.subject)
        await tx.audit.append("mapping.add", _target(stored), _detail(stored) | {"after": stored.target})
    return stored


async def change_mapping(
    transactions: Transactions,
    reader: MappingReader,
    mapping_id: int,
    target: str,
    *,
    version: int | None,
    by: Actor,
    kind: MappingKind | None = None,
) -> StoredMapping:
    """Give a mapping another target. Stored quotes stay: those of files that are loaded again go by the new target.

    ``version``: the version that the caller has read; None: the current one. ``kind``: the mapping must be of this kind. Raises
    ``UnknownName``, and as ``add_mapping``; ``Conflict`` also for a unit of another dimension or currency.
    """
    before = await _of_kind(reader, mapping_id, kind)
    mapping = checked_mapping(before.kind, spelling=before.spelling, target=target, scope=before.scope)
    if before.kind is MappingKind.UNIT:
        check_same_meaning(before.spelling, before.target, mapping.target)
    async with transactions.transaction(by=by) as tx:
        await _check_quotes(tx, mapping.kind, mapping.scope, mapping.folded, mapping.target, by)
        stored = await tx.mappings.change(mapping_id, mapping.target, version=version or before.version, by=by.subject)
        detail = _detail(stored) | {"before": before.target, "after": stored.target}
        await tx.audit.append("mapping.change", _target(stored), detail)
    return stored


async def remove_mapping(
    transactions: Transactions,
    reader: MappingReader,
    mapping_id: int,
    *,
    version: int | None,
    by: Actor,
    kind: MappingKind | None = None,
) -> StoredMapping:
    """Remove a mapping and return it: its spelling is unknown again. Raises ``UnknownName`` and ``Conflict``."""
    before = await _of_kind(reader, mapping_id, kind)
    async with transactions.transaction(by=by) as tx:
        await _check_quotes(tx, before.kind, before.scope, before.folded, None, by)
        await tx.mappings.delete(mapping_id, version=version or before.version)
        await tx.audit.append("mapping.remove", _target(before), _detail(before) | {"before": before.target})
    return before


async def _of_kind(reader: MappingReader, mapping_id: int, kind: MappingKind | None) -> StoredMapping:
    stored = await reader.mapping(mapping_id)
    if kind is not None and stored.kind is not kind:
        raise UnknownName(f"mapping of kind {kind}", str(mapping_id))
    return stored


def checked_mapping(kind: MappingKind, *, spelling: str, target: str, scope: str) -> NewMapping:
    """Return a mapping whose scope and target are known, and whose spelling is not. Raises like ``add_mapping``."""
    for field, text in (("spelling", spelling), ("target", target), ("scope", scope)):
        if not text.strip() or len(text) > _LONGEST or not is_visible(text):
            raise InvalidParameters((field, f"must be a text of 1 to {_LONGEST} visible characters on one line", text))
    folded, canonical = _RULES[kind](spelling.strip(), target.strip(), scope)
    return NewMapping(kind, scope, spelling.strip(), folded, canonical)


_RULES: Mapping[MappingKind, Callable[[str, str, str], tuple[str, str]]] = {
    MappingKind.PRODUCT: lambda spelling, target, scope: check_label(MappingKind.PRODUCT, spelling, target, scope),
    MappingKind.AREA: check_area,
    MappingKind.LOCATION: check_location,
    MappingKind.BLOCK: lambda spelling, target, scope: check_label(MappingKind.BLOCK, spelling, target, scope),
    MappingKind.PERIOD: check_period,
    MappingKind.UNIT: check_unit,
    MappingKind.QUOTED_UNIT: check_quoted_unit,
    MappingKind.FUEL: check_fuel,
    MappingKind.PLACE: check_place,
}


async def _check_quotes(tx: Transaction, kind: MappingKind, scope: str, folded: str, target: str | None, by: Actor) -> None:
    """Raise ``Conflict`` for the unit of a broker whose quotes are stored: numbers of one curve have one meaning.

    ``target``: the unit, which must convert to that of each product; None: the mapping is removed.
    A file that is being read with other units meanwhile is refused when it brings the first quotes of a product.
    """
    if kind is MappingKind.QUOTED_UNIT:
        why = "has quotes, which were stored without this mapping: remove them first, or add the prices as another product"
        users = await refuse_users(tx, ReferenceUse(key=f"{folded}:*:{scope}"), why, by=by, quoted=True)
        for one in users:
            if target is not None and not converts(parse_unit(target), parse_unit(one.product.unit)):
                why = f"has the unit {one.product.unit}, and {target} does not convert to it without an exchange rate"
                raise refusal([one], why, by)
        await tx.curve_reference.renew([one.curve_id for one in users])


def _target(stored: StoredMapping) -> str:
    return f"{stored.kind}:{stored.scope}:{stored.spelling}"


def _detail(stored: StoredMapping) -> dict[str, object]:
    return {"id": stored.mapping_id, "version": stored.version}
