"""Flags: changes against the stored version, checks of prerequisites, evaluation."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from aurum.common.flags import Evaluation, FlagDocument, FlagReason
from aurum.common.flags.document import Prerequisite, Rule
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.services.flags import (
    OtherVersion,
    delete_flag,
    documents,
    evaluate_flag,
    put_flag,
    read_flag,
    switch_flag,
)
from aurum.storage.ports.access import Actor
from aurum.storage.ports.flags import StoredFlag
from aurum.storage.testing.stores import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPERATOR = Actor("operator", None, "request-1")
ON = FlagDocument(rules=[Rule(variant="on")])
OFF = FlagDocument()
OF_ANOTHER_VERSION = {"enabled": True, "audience": "all"}


def needs(*names: str) -> FlagDocument:
    return FlagDocument(rules=[Rule(variant="on")], prerequisites=[Prerequisite(flag=name, variant="on") for name in names])


async def put(store: Store, name: str, document: FlagDocument = ON, *, version: int | None = None) -> StoredFlag:
    return await put_flag(store.transactions, name, document, version=version, by=OPERATOR)


async def put_unread(store: Store, name: str, document: dict[str, object]) -> None:
    """Store a document as another version of the service would."""
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.flags.put(name, document, by="operator")


async def stored(store: Store) -> dict[str, int]:
    return {one.name: one.version for one in await store.flags.flags()}


async def test_a_flag_is_made_changed_and_deleted_on_record(store: Store) -> None:
    made = await put(store, "curves", version=0)
    assert (made.version, made.updated_by, documents([made])) == (1, "operator", {"curves": ON})
    changed = await put(store, "curves", OFF, version=1)
    assert await read_flag(store.flags, "curves") == changed
    await delete_flag(store.transactions, "curves", by=OPERATOR)
    assert await stored(store) == {}
    entries = await store.audit.page(before=None, limit=9)
    assert [(one.action, one.target, one.request_id) for one in entries] == [
        ("flag.delete", "curves", "request-1"),
        ("flag.put", "curves", "request-1"),
        ("flag.put", "curves", "request-1"),
    ]
    assert [one.detail for one in entries[1:]] == [
        {"version": 2, "document": OFF.model_dump(mode="json")},
        {"version": 1, "document": ON.model_dump(mode="json")},
    ]


@pytest.mark.parametrize(("name", "version", "there"), [("curves", 0, 1), ("curves", 2, 1), ("other", 1, 0)])
async def test_a_change_of_another_version_is_refused_and_says_which_one_stands(
    store: Store, name: str, version: int, there: int
) -> None:
    await put(store, "curves")
    with pytest.raises(OtherVersion) as caught:
        await put(store, name, OFF, version=version)
    assert caught.value.facts == {"flag": name, "version": there}
    assert await stored(store) == {"curves": 1}
    assert len(await store.audit.page(before=None, limit=9)) == 1


@pytest.mark.parametrize("version", [0, 1])
async def test_of_several_who_change_a_version_at_once_one_does(store: Store, version: int) -> None:
    if version:
        await put(store, "curves")
    outcomes = await asyncio.gather(
        *(put(store, "curves", FlagDocument(description=str(n)), version=version) for n in range(4)), return_exceptions=True
    )
    (winner,) = [one for one in outcomes if isinstance(one, StoredFlag)]
    assert [type(one) for one in outcomes if one is not winner] == [OtherVersion] * 3
    assert await read_flag(store.flags, "curves") == winner
    assert len(await store.audit.page(before=None, limit=9)) == version + 1


async def test_a_precondition_sees_the_flag_as_it_stands_and_can_refuse_the_change(store: Store) -> None:
    seen: list[StoredFlag | None] = []

    def refuse(current: StoredFlag | None) -> None:
        seen.append(current)
        raise Conflict("no")

    made = await put(store, "curves")
    for name in ("curves", "other"):
        with pytest.raises(Conflict, match="no"):
            await put_flag(store.transactions, name, OFF, precondition=refuse, by=OPERATOR)
    assert seen == [made, None]
    assert await store.flags.flags() == [made]
    assert len(await store.audit.page(before=None, limit=9)) == 1


async def test_a_flag_that_needs_itself_or_one_that_is_missing_is_refused(store: Store) -> None:
    await put(store, "a")
    await put(store, "b", needs("a"))
    for name, document in (("a", needs("b")), ("c", needs("c")), ("c", needs("a", "d"))):
        with pytest.raises(InvalidParameters) as caught:
            await put(store, name, document)
        (error,) = caught.value.facts["errors"]
        assert error["field"] == "prerequisites"
    assert await stored(store) == {"a": 1, "b": 1}
    assert len(await store.audit.page(before=None, limit=9)) == 2


async def test_of_two_changes_that_together_would_close_a_circle_one_is_refused(store: Store) -> None:
    await put(store, "a")
    await put(store, "b")
    outcomes = await asyncio.gather(put(store, "a", needs("b")), put(store, "b", needs("a")), return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["InvalidParameters", "StoredFlag"]
    assert sorted((await stored(store)).values()) == [1, 2]


async def test_a_switched_flag_keeps_the_rest_of_its_document(store: Store) -> None:
    made = await put(store, "curves", FlagDocument(description="Curves", rules=[Rule(variant="on", percentage=10)]))
    off = await switch_flag(store.transactions, "curves", enabled=False, by=OPERATOR)
    assert (off.document, off.version) == ({**made.document, "enabled": False}, 2)
    on = await switch_flag(store.transactions, "curves", enabled=True, by=OPERATOR)
    assert (on.document, on.version) == (made.document, 3)
    newest, *_ = await store.audit.page(before=None, limit=9)
    assert newest.detail == {"version": 3, "document": made.document}


async def test_a_flag_of_another_version_of_the_service_can_be_switched_off(store: Store) -> None:
    await put_unread(store, "future", OF_ANOTHER_VERSION)
    off = await switch_flag(store.transactions, "future", enabled=False, by=OPERATOR)
    assert off.document == {**OF_ANOTHER_VERSION, "enabled": False}


async def test_switches_and_changes_at_once_lose_nothing(store: Store) -> None:
    await put(store, "curves", FlagDocument(description="old"))
    await asyncio.gather(
        put(store, "curves", FlagDocument(description="new")),
        switch_flag(store.transactions, "curves", enabled=False, by=OPERATOR),
    )
    flag = await read_flag(store.flags, "curves")
    assert (flag.version, flag.document["description"]) == (3, "new")


async def test_a_flag_that_is_missing_is_refused_with_the_nearest_names(store: Store) -> None:
    await put(store, "new-curves")
    with pytest.raises(UnknownName) as caught:
        await read_flag(store.flags, "new-curve")
    assert caught.value.nearest == ("new-curves",)
    with pytest.raises(UnknownName) as caught:
        await switch_flag(store.transactions, "new-curve", enabled=False, by=OPERATOR)
    assert caught.value.nearest == ("new-curves",)
    with pytest.raises(UnknownName):
        await evaluate_flag(store.flags, "new-curve", {}, key="acme", now=NOW)
    with pytest.raises(UnknownName):
        await delete_flag(store.transactions, "new-curve", by=OPERATOR)
    assert len(await store.audit.page(before=None, limit=9)) == 1


async def test_a_flag_is_evaluated_for_the_attributes_and_counted_nowhere(store: Store) -> None:
    rule = Rule.model_validate({"conditions": [{"attribute": "tenant", "operator": "eq", "value": "acme"}], "variant": "on"})
    await put(store, "curves", FlagDocument(rules=[rule]))
    evaluation = await evaluate_flag(store.flags, "curves", {"tenant": "acme"}, key="acme", now=NOW)
    assert evaluation == Evaluation("on", True, FlagReason.RULE, 0)
    evaluation = await evaluate_flag(store.flags, "curves", {"tenant": "bolt"}, key="bolt", now=NOW)
    assert evaluation == Evaluation("off", False, FlagReason.DEFAULT)
    assert await store.flags.use("curves", since=NOW.date()) == []


async def test_a_flag_gives_its_default_when_one_it_needs_is_off_or_was_deleted(store: Store) -> None:
    await put(store, "a")
    await put(store, "b", needs("a"))
    assert (await evaluate_flag(store.flags, "b", {}, key="acme", now=NOW)).outcome is FlagReason.RULE
    await switch_flag(store.transactions, "a", enabled=False, by=OPERATOR)
    assert (await evaluate_flag(store.flags, "b", {}, key="acme", now=NOW)).outcome is FlagReason.PREREQUISITE
    await delete_flag(store.transactions, "a", by=OPERATOR)
    assert (await evaluate_flag(store.flags, "b", {}, key="acme", now=NOW)).outcome is FlagReason.PREREQUISITE


async def test_a_flag_that_this_version_cannot_read_is_left_out_and_cannot_be_evaluated(store: Store) -> None:
    await put(store, "curves")
    await put_unread(store, "future", OF_ANOTHER_VERSION)
    assert documents(await store.flags.flags()) == {"curves": ON}
    assert (await read_flag(store.flags, "future")).document == OF_ANOTHER_VERSION
    with pytest.raises(Conflict) as caught:
        await evaluate_flag(store.flags, "future", {}, key="acme", now=NOW)
    assert caught.value.facts == {"flag": "future"}


async def test_a_circle_that_is_stored_is_a_conflict_when_it_is_evaluated(store: Store) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        await put_unread(store, name, needs(other).model_dump(mode="json"))
    with pytest.raises(Conflict, match="needs") as caught:
        await evaluate_flag(store.flags, "a", {}, key="acme", now=NOW)
    assert caught.value.facts == {"flag": "a"}
