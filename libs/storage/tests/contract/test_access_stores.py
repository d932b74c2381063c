"""Tenants, keys, plans and the audit log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aurum.core.access import Plan
from aurum.core.errors import Conflict, NotFound
from aurum.storage.ports.access import Actor, ApiKey, KeyEnded, KeyReplaced
from aurum.storage.testing.stores import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPERATOR = Actor("key:operator", None, "request-1", "127.0.0.1")


def key(key_id: str, tenant: str = "acme", *, replaces: str | None = None) -> ApiKey:
    return ApiKey(key_id, tenant, "notebook", ("user",), ("admin:read",), NOW, "key:operator", replaces=replaces)


async def with_tenants(store: Store) -> Store:
    for name in ("acme", "bolt"):
        await store.tenants.create_tenant(name, name.title(), "basic", by=OPERATOR)
    return store


async def test_a_key_is_found_with_its_tenant_and_plan(store: Store) -> None:
    await with_tenants(store)
    await store.keys.create(key("a1"), b"digest", by=OPERATOR)
    found = await store.keys.credential("a1")
    assert found is not None
    assert (found.key, found.digest) == (key("a1"), b"digest")
    assert (found.tenant.name, found.plan) == ("Acme", Plan("basic", 300, 5_000, 50_000, 1.5, 10))
    assert await store.keys.credential("a2") is None


async def test_a_tenant_sees_and_ends_its_own_keys_only(store: Store) -> None:
    await with_tenants(store)
    for key_id, tenant in (("a1", "acme"), ("a2", "acme"), ("b1", "bolt")):
        await store.keys.create(key(key_id, tenant), b"d", by=OPERATOR)
    assert [one.key_id for one in await store.keys.page("acme", after=None, limit=10)] == ["a1", "a2"]
    assert [one.key_id for one in await store.keys.page("acme", after="a1", limit=1)] == ["a2"]
    with pytest.raises(NotFound):
        await store.keys.read("acme", "b1")
    with pytest.raises(NotFound):
        await store.keys.revoke("acme", "b1", by=OPERATOR)
    untouched = await store.keys.read("bolt", "b1")
    assert untouched.revoked_at is None


async def test_a_key_is_made_once_and_for_a_tenant_there_is(store: Store) -> None:
    await with_tenants(store)
    await store.keys.create(key("a1"), b"d", by=OPERATOR)
    with pytest.raises(Conflict):
        await store.keys.create(key("a1"), b"e", by=OPERATOR)
    with pytest.raises(NotFound):
        await store.keys.create(key("x1", "nobody"), b"d", by=OPERATOR)


async def test_rotation_makes_a_new_key_and_lets_the_old_one_end(store: Store) -> None:
    await with_tenants(store)
    await store.keys.create(key("a1"), b"old", by=OPERATOR)
    await store.keys.rotate(key("a2", replaces="a1"), b"new", old_expires_at=NOW + timedelta(days=1), by=OPERATOR)
    old, new = await store.keys.read("acme", "a1"), await store.keys.read("acme", "a2")
    assert (old.expires_at, new.expires_at, new.replaces) == (NOW + timedelta(days=1), None, "a1")
    assert old.is_valid(NOW)
    assert not old.is_valid(NOW + timedelta(days=1))
    with pytest.raises(NotFound):
        await store.keys.rotate(key("a3", replaces="gone"), b"new", old_expires_at=NOW, by=OPERATOR)
    assert [one.key_id for one in await store.keys.page("acme", after=None, limit=10)] == ["a1", "a2"]


async def test_a_key_that_ended_cannot_come_back_by_rotation(store: Store) -> None:
    await with_tenants(store)
    await store.keys.create(key("a1"), b"old", by=OPERATOR)
    await store.keys.create(replace(key("a2"), expires_at=NOW), b"old", by=OPERATOR)
    await store.keys.revoke("acme", "a1", by=OPERATOR)
    for ended in ("a1", "a2"):
        with pytest.raises(KeyEnded, match=ended):
            await store.keys.rotate(key("a3", replaces=ended), b"new", old_expires_at=NOW, by=OPERATOR)
    assert [one.key_id for one in await store.keys.page("acme", after=None, limit=10)] == ["a1", "a2"]


async def test_a_key_is_rotated_once_and_never_outlives_its_own_end(store: Store) -> None:
    await with_tenants(store)
    ends = NOW + timedelta(hours=1)
    await store.keys.create(replace(key("a1"), expires_at=ends), b"old", by=OPERATOR)
    await store.keys.rotate(key("a2", replaces="a1"), b"new", old_expires_at=NOW + timedelta(days=1), by=OPERATOR)
    assert (await store.keys.read("acme", "a1")).expires_at == ends
    with pytest.raises(KeyReplaced, match="a2"):
        await store.keys.rotate(key("a3", replaces="a1"), b"new", old_expires_at=NOW, by=OPERATOR)
    (entry,) = await store.audit.page(action="key.rotate", before=None, limit=10)
    assert (entry.target, entry.detail["replaces"], entry.detail["old_expires_at"]) == ("a2", "a1", ends.isoformat())


async def test_of_two_who_revoke_or_rotate_a_key_at_once_one_does(store: Store) -> None:
    await with_tenants(store)
    for key_id in ("a1", "b1"):
        await store.keys.create(key(key_id), b"d", by=OPERATOR)
    await asyncio.gather(*(store.keys.revoke("acme", "a1", by=OPERATOR) for _ in range(4)))
    assert len(await store.audit.page(action="key.revoke", before=None, limit=10)) == 1
    wishes = [store.keys.rotate(key(f"b{n}", replaces="b1"), b"d", old_expires_at=NOW, by=OPERATOR) for n in (2, 3, 4)]
    refused = [error for error in await asyncio.gather(*wishes, return_exceptions=True) if error is not None]
    assert [type(error) for error in refused].count(KeyReplaced) + [type(error) for error in refused].count(KeyEnded) == 2
    assert len(refused) == 2


async def test_a_revoked_key_stays_revoked_and_is_on_record_once(store: Store) -> None:
    await with_tenants(store)
    await store.keys.create(key("a1"), b"d", by=OPERATOR)
    first = await store.keys.revoke("acme", "a1", by=OPERATOR)
    again = await store.keys.revoke("acme", "a1", by=OPERATOR)
    assert first.revoked_at is not None
    assert again == first
    assert not first.is_valid(NOW)
    assert len(await store.audit.page(action="key.revoke", before=None, limit=10)) == 1


async def test_the_last_use_of_a_key_never_goes_back(store: Store) -> None:
    await with_tenants(store)
    await store.keys.create(key("a1"), b"d", by=OPERATOR)
    await store.keys.note_used({"a1": NOW, "gone": NOW})
    await store.keys.note_used({"a1": NOW - timedelta(hours=1)})
    assert (await store.keys.read("acme", "a1")).last_used_at == NOW


async def test_a_tenant_changes_its_plan_and_is_disabled_and_enabled(store: Store) -> None:
    await with_tenants(store)
    assert (await store.tenants.change_tenant("acme", plan="premium", by=OPERATOR)).plan == "premium"
    assert (await store.tenants.change_tenant("acme", disabled=True, by=OPERATOR)).disabled_at is not None
    tenant, plan = await store.tenants.tenant("acme")
    assert (tenant.plan, plan.per_minute, tenant.disabled_at is None) == ("premium", 1_000, False)
    assert (await store.tenants.change_tenant("acme", disabled=False, by=OPERATOR)).disabled_at is None
    assert [one.tenant_id for one in await store.tenants.tenants(after="acme", limit=5)] == ["bolt", "local"]
    with pytest.raises(Conflict):
        await store.tenants.create_tenant("acme", "Again", "basic", by=OPERATOR)
    with pytest.raises(NotFound, match="premium"):
        await store.tenants.create_tenant("new", "New", "premum", by=OPERATOR)
    with pytest.raises(NotFound):
        await store.tenants.change_tenant("nobody", disabled=True, by=OPERATOR)


async def test_a_plan_is_changed_for_all_its_tenants(store: Store) -> None:
    await with_tenants(store)
    (basic,) = [plan for plan in await store.tenants.plans() if plan.name == "basic"]
    await store.tenants.put_plan(replace(basic, per_minute=301), by=OPERATOR)
    assert (await store.tenants.tenant("bolt"))[1].per_minute == 301
    await store.tenants.put_plan(Plan("trial", 1, 2, 3, 1.0, 1), by=OPERATOR)
    assert [plan.name for plan in await store.tenants.plans()] == ["basic", "enterprise", "free", "premium", "trial"]


async def test_every_change_is_on_record_with_who_made_it(store: Store) -> None:
    await with_tenants(store)
    await store.keys.create(replace(key("a1"), expires_at=NOW), b"d", by=OPERATOR)
    await store.audit.append("cache.forget", "source:pjm", {"entries": 3}, by=OPERATOR)
    entries = await store.audit.page(before=None, limit=10)
    assert [entry.action for entry in entries] == ["cache.forget", "key.create", "tenant.create", "tenant.create"]
    assert {(entry.actor, entry.request_id, entry.address) for entry in entries} == {("key:operator", "request-1", "127.0.0.1")}
    assert entries[0].detail == {"entries": 3}
    assert entries[1].detail == {
        "name": "notebook",
        "roles": ["user"],
        "scopes": ["admin:read"],
        "expires_at": "2026-11-21T12:00:00+00:00",
    }
    assert [entry.target for entry in await store.audit.page(tenant="acme", before=None, limit=10)] == ["a1", "acme"]
    older = await store.audit.page(before=entries[1].audit_id, limit=1)
    assert [entry.audit_id for entry in older] == [entries[2].audit_id]
