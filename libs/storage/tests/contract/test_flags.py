"""Stored flags. The tests of services cover the rules for changes."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from aurum.core.errors import NotFound
from aurum.storage.ports.access import Actor
from aurum.storage.testing.stores import Store

OPERATOR = Actor("operator", None, "request-1")
ON, OFF = {"enabled": True}, {"enabled": False}


async def test_a_flag_is_made_changed_and_deleted(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        made = await tx.flags.put("new-curves", ON, by="operator")
    assert (made.name, made.document, made.version, made.updated_by) == ("new-curves", ON, 1, "operator")
    async with store.transactions.transaction(by=OPERATOR) as tx:
        changed = await tx.flags.put("new-curves", OFF, by="operator")
    assert [(flag.document, flag.version) for flag in await store.flags.flags()] == [(OFF, 2)]
    assert changed.updated_at >= made.updated_at
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.flags.delete("new-curves")
    assert await store.flags.flags() == []


async def test_a_flag_that_is_missing_cannot_be_deleted(store: Store) -> None:
    with pytest.raises(NotFound):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.flags.delete("b")


async def test_of_changes_at_once_each_sees_those_before_it(store: Store) -> None:
    seen: list[int] = []

    async def put(name: str) -> None:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            seen.append(len(await tx.flags.locked()))
            await tx.flags.put(name, ON, by="operator")

    await asyncio.gather(*map(put, "abcd"))
    assert sorted(seen) == [0, 1, 2, 3]


async def test_evaluations_add_up_by_day_and_variant(store: Store) -> None:
    first, second = date(2026, 11, 20), date(2026, 11, 21)
    await store.flags.add_use({("a", "on"): 3, ("a", "off"): 1, ("b", "on"): 7}, first)
    await store.flags.add_use({("a", "on"): 4}, first)
    await store.flags.add_use({("a", "on"): 5}, second)
    uses = [(use.variant, use.day, use.evaluations) for use in await store.flags.use("a", since=first)]
    assert uses == [("off", first, 1), ("on", first, 7), ("on", second, 5)]
    assert [use.evaluations for use in await store.flags.use("a", since=second)] == [5]
