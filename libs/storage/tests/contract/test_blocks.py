"""Blocks of the catalog that administrators add, change and remove."""

from __future__ import annotations

import asyncio

import pytest

from aurum.core.calendars import default_blocks, parse_block
from aurum.core.errors import Conflict, UnknownName
from aurum.storage.ports.access import Actor
from aurum.storage.testing.stores import Store

OPERATOR = Actor("operator", None, "request-1")
SHIPPED = parse_block("pjm", "ON_PEAK").to_document()
OWN = SHIPPED | {"name": "SUPER_PEAK", "aliases": [], "windows": [{"days": ["mon"], "hours": [[15, 18]]}]}


async def declare(store: Store) -> None:
    blocks = [block.to_document() for block in default_blocks() if block.calendar == "pjm"]
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=blocks)


async def named(store: Store, name: str) -> tuple[object, ...] | None:
    blocks = [one for one in await store.blocks.blocks() if (one.calendar, one.name) == ("pjm", name)]
    return next(((one.document, one.version, one.is_edited, one.updated_by) for one in blocks), None)


async def test_a_block_is_added_changed_and_deleted(store: Store) -> None:
    await declare(store)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        added = await tx.blocks.add(OWN, by="operator")
    assert (added.calendar, added.name, added.version, added.is_edited) == ("pjm", "SUPER_PEAK", 1, True)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        changed = await tx.blocks.change(OWN | {"title": "HE 15-18"}, version=1, by="other")
    assert (changed.document["title"], changed.version, changed.updated_by) == ("HE 15-18", 2, "other")
    assert OWN | {"title": "HE 15-18"} in await store.catalog.blocks()
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.blocks.delete("pjm", "SUPER_PEAK", version=2)
    assert await named(store, "SUPER_PEAK") is None


async def test_a_declaration_replaces_shipped_blocks_and_keeps_edited_ones(store: Store) -> None:
    await declare(store)
    assert await named(store, "ON_PEAK") == (SHIPPED, 1, False, None)
    await declare(store)
    assert await named(store, "ON_PEAK") == (SHIPPED, 1, False, None), "an equal declaration changes nothing"
    edited = SHIPPED | {"title": "Edited"}
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.blocks.change(edited, version=1, by="operator")
    await declare(store)
    assert await named(store, "ON_PEAK") == (edited, 2, True, "operator")
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.blocks.change(SHIPPED, version=2, by="operator", is_edited=False)
    await store.catalog_writer.declare(sources=[], datasets=[], blocks=[SHIPPED | {"title": "Of the next release"}])
    assert await named(store, "ON_PEAK") == (SHIPPED | {"title": "Of the next release"}, 4, False, "operator")


async def test_other_versions_and_blocks_that_exist_are_conflicts(store: Store) -> None:
    await declare(store)
    for version in (0, 2):
        with pytest.raises(Conflict, match=f"has version 1, not {version}"):
            async with store.transactions.transaction(by=OPERATOR) as tx:
                await tx.blocks.change(SHIPPED, version=version, by="operator")
    with pytest.raises(Conflict, match="has version 1, not 2"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.blocks.delete("pjm", "ON_PEAK", version=2)
    with pytest.raises(Conflict, match="already"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.blocks.add(SHIPPED, by="operator")
    with pytest.raises(UnknownName, match="block of pjm"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.blocks.change(OWN, version=1, by="operator")
    with pytest.raises(UnknownName, match="block of pjm"):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.blocks.delete("pjm", "SUPER_PEAK", version=1)


async def test_of_changes_at_once_each_sees_those_before_it(store: Store) -> None:
    seen: list[int] = []

    async def add(name: str) -> None:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            seen.append(len(await tx.blocks.locked()))
            await tx.blocks.add(OWN | {"name": name}, by="operator")

    await asyncio.gather(*map(add, "ABCD"))
    assert sorted(seen) == [0, 1, 2, 3]
