"""Changes of blocks by administrators: checked against their calendar and against the products that they would move."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from aurum.core.calendars import Block, Holidays, InvalidBlock, default_blocks
from aurum.core.calendars.blocks import SLOTS
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.core.names import nearest
from aurum.services.curves.products import rebuild_users
from aurum.services.curves.reference_users import refuse_users, users_of_block
from aurum.storage.ports.access import Actor
from aurum.storage.ports.blocks import BlockReader, StoredBlock
from aurum.storage.ports.transaction import Transaction, Transactions

_LONGEST = 64
_MOST_ALIASES = 50
_MOST_WINDOWS = 100
_NAMED = re.compile(rf"(?=.*[!-~])[ -.0-9;-~]{{1,{_LONGEST}}}")
"""Names in ASCII: two that look alike are equal."""
_OCCURRING = {Holidays.NERC: SLOTS, Holidays.NONE: frozenset(range(7 * 24))}
"""Cells of the table of a block that days of a calendar fall into, by its rule of holidays."""
_NAMING = ("calendar", "name")
"""Members that name a block, which a change leaves as they are."""


async def stored_block(reader: BlockReader, calendar: str, name: str) -> StoredBlock:
    """Return a block by its calendar and name. Raises ``UnknownName`` with the nearest names."""
    return _named(await reader.blocks(), calendar, name)


async def add_block(transactions: Transactions, document: Mapping[str, object], *, by: Actor) -> StoredBlock:
    """Add a block, to a calendar that exists or a new one. ``document``: of ``core.calendars.Block``.

    Raises ``InvalidParameters``, ``Conflict`` for a block that exists.
    """
    block = _checked(document)
    async with transactions.transaction(by=by) as tx:
        _check_calendar(block, await tx.blocks.locked())
        stored = await tx.blocks.add(block.to_document(), by=by.subject)
        await tx.audit.append("block.add", _target(block), {"version": stored.version, "after": dict(stored.document)})
    return stored


async def change_block(
    transactions: Transactions,
    calendar: str,
    name: str,
    changes: Mapping[str, object],
    *,
    version: int | None,
    by: Actor,
) -> StoredBlock:
    """Change some members of a block. A release does not replace it from then on.

    ``version``: the version that the caller has read; None: the current one. Raises ``UnknownName``, ``InvalidParameters``, and
    ``Conflict`` for another version, and for hours that quotes of a product depend on.
    """
    if not changes:
        raise InvalidParameters(("body", "must have a member to change, such as title", None))
    for member in _NAMING:
        if member in changes and changes[member] != {"calendar": calendar, "name": name}[member]:
            raise InvalidParameters((member, "names the block and cannot change: add another block", changes[member]))
    async with transactions.transaction(by=by) as tx:
        blocks = await tx.blocks.locked()
        stored = _named(blocks, calendar, name)
        block = _checked({**stored.document, **changes})
        await _check_quoted(tx, stored, block, by)
        _check_calendar(block, blocks)
        changed = await tx.blocks.change(block.to_document(), version=version or stored.version, by=by.subject)
        if _moved(Block.from_document(stored.document), block) is not None:
            await rebuild_users(tx, "block", name, tenant=None)
        detail = {
            "version": changed.version,
            "changed": sorted(changes),
            "before": dict(stored.document),
            "after": dict(changed.document),
        }
        await tx.audit.append("block.change", _target(block), detail)
    return changed


async def remove_block(
    transactions: Transactions, calendar: str, name: str, *, version: int | None, by: Actor
) -> StoredBlock | None:
    """Remove a block that an administrator added; of a changed block of the release, the shipped one holds again.

    Return the shipped block, or None. Raises ``UnknownName``, and ``Conflict`` for another version, for a block of the release
    that was not changed, and for one that a product names or whose hours quotes depend on.
    """
    shipped = next((one for one in default_blocks() if (one.calendar, one.name) == (calendar, name)), None)
    restored: StoredBlock | None = None
    async with transactions.transaction(by=by) as tx:
        blocks = await tx.blocks.locked()
        stored = _named(blocks, calendar, name)
        target, read = f"{calendar}:{name}", version or stored.version
        if shipped is None:
            why = f"is of block {name!r} of {calendar}: remove the product first"
            await refuse_users(tx, users_of_block(calendar, name), why, by=by, quoted=False)
            await tx.blocks.delete(calendar, name, version=read)
        elif not stored.is_edited:
            raise Conflict(f"block {target} is part of this release and cannot be removed; it can be changed", name=name)
        else:
            await _check_quoted(tx, stored, shipped, by)
            _check_calendar(shipped, blocks)
            restored = await tx.blocks.change(shipped.to_document(), version=read, by=by.subject, is_edited=False)
            if _moved(Block.from_document(stored.document), shipped) is not None:
                await rebuild_users(tx, "block", name, tenant=None)
        after = None if restored is None else dict(restored.document)
        detail = {"version": stored.version, "before": dict(stored.document), "after": after}
        await tx.audit.append("block.remove", target, detail)
    return restored


async def _check_quoted(tx: Transaction, stored: StoredBlock, new: Block, by: Actor) -> None:
    """Raise ``Conflict`` where a change gives other hours to a block that quotes of a product depend on."""
    moved = _moved(Block.from_document(stored.document), new)
    if moved is not None:
        block = f"{stored.calendar}:{stored.name}"
        why = f"has quotes, and they depend on {moved} of block {block}: add a block of another name"
        await refuse_users(tx, users_of_block(stored.calendar, stored.name), why, by=by, quoted=True, field=moved)


def _checked(document: Mapping[str, object]) -> Block:
    """Return the block of a document. Raises ``InvalidParameters``, which names the member."""
    try:
        block = Block.from_document(document)
    except InvalidBlock as error:
        raise InvalidParameters((str(error.facts["field"]), error.why, error.facts["value"])) from error
    except UnknownName as error:
        raise InvalidParameters(("zone", error.detail, document.get("zone")), nearest=list(error.nearest)) from error
    for member, text in (("calendar", block.calendar), ("name", block.name), *(("aliases", one) for one in block.aliases)):
        if not _NAMED.fullmatch(text):
            why = f"must be 1 to {_LONGEST} Latin letters, digits, blanks and other signs of ASCII but : and /"
            raise InvalidParameters((member, why, text))
    _check_all_hours(block)
    if not block.slots & _OCCURRING[block.holidays]:
        raise InvalidParameters(("windows", "has no hour on any day: the calendar has no holidays", None))
    if len(block.aliases) > _MOST_ALIASES:
        raise InvalidParameters(("aliases", f"must be at most {_MOST_ALIASES}", len(block.aliases)))
    if len(block.windows) > _MOST_WINDOWS:
        raise InvalidParameters(("windows", f"must be at most {_MOST_WINDOWS}", len(block.windows)))
    return block


def _check_all_hours(block: Block) -> None:
    """Raise ``InvalidParameters`` for a block that has a name of all hours, such as BASE, and leaves some out.

    Curves of base name no block: their quotes, and questions about a block of that name, mean all hours in every calendar.
    """
    if _OCCURRING[block.holidays] <= block.slots:
        return
    if _folded(block.name) in _names_of_all_hours():
        why = f"must be all hours, as {block.name} is in every calendar: add a block of another name for other hours"
        raise InvalidParameters(("windows", why, None))
    if alias := next((one for one in block.aliases if _folded(one) in _names_of_all_hours()), None):
        raise InvalidParameters(("aliases", "names all hours in every calendar, and the block has others", alias))


@cache
def _names_of_all_hours() -> frozenset[str]:
    """Return the names and aliases, folded, that the shipped calendars give to all hours."""
    blocks = (block for block in default_blocks() if block.slots == SLOTS)
    return frozenset(_folded(name) for block in blocks for name in (block.name, *block.aliases))


def _check_calendar(block: Block, blocks: Sequence[StoredBlock]) -> None:
    """Raise ``InvalidParameters`` for a block that is unlike the others of its calendar, or has a name of one of them."""
    others = [Block.from_document(one.document) for one in blocks if one.calendar == block.calendar and one.name != block.name]
    for member in ("zone", "holidays"):
        unlike = next((one for one in others if getattr(one, member) != getattr(block, member)), None)
        if unlike is not None:
            why = f"must be {str(getattr(unlike, member))!r}, as of the other blocks of the calendar {block.calendar}"
            raise InvalidParameters((member, why, str(getattr(block, member))))
    owners = {_folded(text): one.name for one in others for text in (one.name, *one.aliases)}
    for member, text in (("name", block.name), *(("aliases", alias) for alias in block.aliases)):
        if (owner := owners.get(_folded(text))) is not None:
            raise InvalidParameters((member, f"names the block {owner} of the calendar {block.calendar} already", text))


def _folded(name: str) -> str:
    """Return a name as blocks are looked up: see ``core.calendars.parse_block``."""
    return name.casefold().translate({ord(separator): None for separator in " -_"})


def _moved(old: Block, new: Block) -> str | None:
    """Return the member whose change gives the block other hours; None: it has the same hours."""
    if old.zone != new.zone:
        return "zone"
    if old.holidays != new.holidays:
        return "holidays"
    return None if old.slots == new.slots else "windows"


def _named(blocks: Sequence[StoredBlock], calendar: str, name: str) -> StoredBlock:
    within = [one for one in blocks if one.calendar == calendar]
    if not within:
        calendars = tuple(dict.fromkeys(one.calendar for one in blocks))
        raise UnknownName("calendar", calendar, nearest(calendar, calendars) or calendars)
    block = next((one for one in within if one.name == name), None)
    if block is None:
        names = tuple(one.name for one in within)
        raise UnknownName(f"block of {calendar}", name, nearest(name, names) or names)
    return block


def _target(block: Block) -> str:
    return f"{block.calendar}:{block.name}"
