"""Flags as they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

import pytest

from aurum.core.errors import Conflict, NotFound
from aurum.storage.ports.access import Actor
from aurum.storage.ports.flags import StoredFlag
from aurum.storage.testing.stores import Store

OPERATOR = Actor("operator", None, "request-1")
ON, OFF = {"enabled": True}, {"enabled": False}


async def test_a_flag_is_made_changed_and_deleted_on_record(store: Store) -> None:
    made = await store.flags.put("new-curves", ON, version=0, by=OPERATOR)
    assert (made.name, made.document, made.version, made.updated_by) == ("new-curves", ON, 1, "operator")
    changed = await store.flags.put("new-curves", OFF, version=1, by=OPERATOR)
    assert [(one.document, one.version) for one in await store.flags.flags()] == [(OFF, 2)]
    assert changed.updated_at >= made.updated_at
    await store.flags.delete("new-curves", by=OPERATOR)
    assert await store.flags.flags() == []
    entries = await store.audit.page(before=None, limit=10)
    assert [(one.action, one.target, one.request_id) for one in entries] == [
        ("flag.delete", "new-curves", "request-1"),
        ("flag.put", "new-curves", "request-1"),
        ("flag.put", "new-curves", "request-1"),
    ]


async def test_a_change_of_a_version_that_is_not_there_is_refused(store: Store) -> None:
    await store.flags.put("a", ON, version=None, by=OPERATOR)
    for version in (0, 2):
        with pytest.raises(Conflict):
            await store.flags.put("a", OFF, version=version, by=OPERATOR)
    with pytest.raises(Conflict):
        await store.flags.put("b", ON, version=1, by=OPERATOR)
    assert [one.document for one in await store.flags.flags()] == [ON]
    with pytest.raises(NotFound):
        await store.flags.delete("b", by=OPERATOR)


async def test_what_a_check_raises_leaves_all_as_it_was(store: Store) -> None:
    await store.flags.put("a", ON, version=None, by=OPERATOR)
    seen: list[list[str]] = []

    def check(there: Sequence[StoredFlag]) -> None:
        seen.append([one.name for one in there])
        raise Conflict("no")

    for name in ("a", "b"):
        with pytest.raises(Conflict, match="no"):
            await store.flags.put(name, OFF, version=None, by=OPERATOR, check=check)
    assert seen == [["a"], ["a"]]
    assert [(one.name, one.document) for one in await store.flags.flags()] == [("a", ON)]


async def test_of_changes_at_once_each_check_sees_those_before_it(store: Store) -> None:
    seen: list[int] = []

    async def put(name: str) -> None:
        await store.flags.put(name, ON, version=0, by=OPERATOR, check=lambda there: seen.append(len(there)))

    await asyncio.gather(*map(put, "abcd"))
    assert sorted(seen) == [0, 1, 2, 3]


async def test_evaluations_add_up_by_day_and_variant(store: Store) -> None:
    first, second = date(2026, 11, 20), date(2026, 11, 21)
    await store.flags.add_use({("a", "on"): 3, ("a", "off"): 1, ("b", "on"): 7}, first)
    await store.flags.add_use({("a", "on"): 4}, first)
    await store.flags.add_use({("a", "on"): 5}, second)
    found = [(one.variant, one.day, one.evaluations) for one in await store.flags.use("a", since=first)]
    assert found == [("off", first, 1), ("on", first, 7), ("on", second, 5)]
    assert [one.evaluations for one in await store.flags.use("a", since=second)] == [5]
