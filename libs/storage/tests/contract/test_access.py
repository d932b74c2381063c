"""Tenants, keys, plans and the audit log, changed in transactions. The tests of services cover the rules for changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aurum.core.access import RatePlan
from aurum.core.errors import Conflict, NotFound
from aurum.storage.ports.access import Actor, ApiKey, OtherTenant
from aurum.storage.testing.stores import Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPERATOR = Actor("key:operator", None, "request-1", "127.0.0.1")


def key(key_id: str, tenant: str = "acme", *, replaces: str | None = None) -> ApiKey:
    return ApiKey(key_id, tenant, "notebook", ("user",), ("admin:read",), NOW, "key:operator", replaces=replaces)


async def with_tenants(store: Store) -> Store:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        for name in ("acme", "bolt"):
            await tx.tenants.insert(name, name.title(), "basic")
            await tx.audit.append("tenant.create", name, {}, tenant=name)
    return store


async def insert(store: Store, *keys: ApiKey, digest: bytes = b"digest") -> None:
    for new_key in keys:
        async with store.transactions.transaction(by=OPERATOR, tenant=new_key.tenant) as tx:
            await tx.keys.insert(new_key, digest)
            await tx.audit.append("key.create", new_key.key_id, {"name": new_key.name, "expires_at": new_key.expires_at})


async def test_a_key_is_found_with_its_tenant_and_plan(store: Store) -> None:
    await insert(await with_tenants(store), key("a1"))
    credential = await store.keys.credential("a1")
    assert credential is not None
    assert (credential.key, credential.digest) == (key("a1"), b"digest")
    assert (credential.tenant.name, credential.plan) == ("Acme", RatePlan("basic", 300, 5_000, 50_000, 1.5, 10))
    assert await store.keys.credential("a2") is None


async def test_a_tenant_sees_and_changes_its_own_keys_only(store: Store) -> None:
    await insert(await with_tenants(store), key("a1"), key("a2"), key("b1", "bolt"))
    assert [entry.key_id for entry in await store.keys.page("acme", after=None, limit=10)] == ["a1", "a2"]
    assert [entry.key_id for entry in await store.keys.page("acme", after="a1", limit=1)] == ["a2"]
    with pytest.raises(NotFound):
        await store.keys.read("acme", "b1")
    for change in ("locked", "revoke"):
        with pytest.raises(NotFound):
            async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
                await getattr(tx.keys, change)("b1")
    assert (await store.keys.read("bolt", "b1")).revoked_at is None


async def test_a_key_is_made_once_and_only_for_an_existing_tenant(store: Store) -> None:
    await insert(await with_tenants(store), key("a1"))
    with pytest.raises(Conflict):
        await insert(store, key("a1"), digest=b"other")
    with pytest.raises(NotFound):
        await insert(store, key("x1", "missing"))
    assert [entry.target for entry in await store.audit.page(action="key.create", before=None, limit=9)] == ["a1"]


async def test_a_key_expires_is_revoked_and_knows_its_successor(store: Store) -> None:
    await insert(await with_tenants(store), key("a1"), key("a2", replaces="a1"))
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        assert await tx.keys.successor("a1") == "a2"
        assert await tx.keys.successor("a2") is None
        await tx.keys.expire("a1", NOW + timedelta(days=1))
        revoked = await tx.keys.revoke("a2")
    old, new = await store.keys.read("acme", "a1"), await store.keys.read("acme", "a2")
    assert (old.expires_at, new.revoked_at is not None, new) == (NOW + timedelta(days=1), True, revoked)


async def test_an_owner_is_stored_once_for_a_key_of_the_tenant(store: Store) -> None:
    await insert(await with_tenants(store), key("a1"), key("b1", "bolt"))
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        named = await tx.keys.give_owner("a1", "Anna")
        assert await tx.keys.give_owner("a1", "Bert") == named
    assert (named.owner, await store.keys.read("acme", "a1")) == ("Anna", named)
    with pytest.raises(NotFound):
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.keys.give_owner("b1", "Anna")
    assert (await store.keys.read("bolt", "b1")).owner is None


async def test_a_locked_key_is_changed_by_one_transaction_after_the_other(store: Store) -> None:
    await insert(await with_tenants(store), key("a1"))
    seen: list[datetime | None] = []

    async def revoke() -> None:
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            locked_key = await tx.keys.locked("a1")
            seen.append(locked_key.revoked_at)
            if locked_key.revoked_at is None:
                await tx.keys.revoke("a1")

    await asyncio.gather(*(revoke() for _ in range(4)))
    assert seen.count(None) == 1


async def test_the_last_use_of_a_key_never_goes_back(store: Store) -> None:
    await insert(await with_tenants(store), key("a1"))
    await store.keys.note_used({"a1": NOW, "gone": NOW})
    await store.keys.note_used({"a1": NOW - timedelta(hours=1)})
    assert (await store.keys.read("acme", "a1")).last_used_at == NOW


async def test_a_tenant_changes_its_plan_and_is_disabled_and_enabled(store: Store) -> None:
    await with_tenants(store)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        assert (await tx.tenants.change("acme", plan="premium")).plan == "premium"
        assert (await tx.tenants.change("acme", disabled=True)).disabled_at is not None
    tenant, plan = await store.tenants.tenant("acme")
    assert (tenant.plan, plan.per_minute, tenant.disabled_at is None) == ("premium", 1_000, False)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        assert (await tx.tenants.change("acme", disabled=False)).disabled_at is None
    assert [tenant.tenant_id for tenant in await store.tenants.tenants(after="acme", limit=5)] == ["bolt", "local"]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (lambda tx: tx.tenants.insert("acme", "Again", "basic"), Conflict),
        (lambda tx: tx.tenants.insert("new", "New", "premum"), NotFound),
        (lambda tx: tx.tenants.change("acme", plan="premum"), NotFound),
        (lambda tx: tx.tenants.change("missing", disabled=True), NotFound),
    ],
)
async def test_an_invalid_change_of_a_tenant_is_refused(store: Store, action: object, error: type[Exception]) -> None:
    assert callable(action)
    await with_tenants(store)
    with pytest.raises(error):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await action(tx)


async def test_a_plan_is_changed_for_all_its_tenants(store: Store) -> None:
    await with_tenants(store)
    (basic,) = [plan for plan in await store.tenants.plans() if plan.name == "basic"]
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.tenants.put_plan(replace(basic, per_minute=301))
        await tx.tenants.put_plan(RatePlan("trial", 1, 2, 3, 1.0, 1))
    assert (await store.tenants.tenant("bolt"))[1].per_minute == 301
    assert [plan.name for plan in await store.tenants.plans()] == ["basic", "enterprise", "free", "premium", "trial"]


async def test_entries_of_the_audit_log_name_who_acted_and_whom_it_concerns(store: Store) -> None:
    await insert(await with_tenants(store), replace(key("a1"), expires_at=NOW))
    async with store.transactions.transaction(by=replace(OPERATOR, tenant="local")) as tx:
        await tx.audit.append("cache.forget", "source:pjm", {"entries": 3})
    entries = await store.audit.page(before=None, limit=10)
    assert [entry.action for entry in entries] == ["cache.forget", "key.create", "tenant.create", "tenant.create"]
    assert {(entry.actor, entry.request_id, entry.address) for entry in entries} == {("key:operator", "request-1", "127.0.0.1")}
    assert [entry.tenant for entry in entries] == ["local", "acme", "bolt", "acme"]
    assert entries[0].detail == {"entries": 3}
    assert [entry.target for entry in await store.audit.page(tenant="acme", before=None, limit=10)] == ["a1", "acme"]
    older = await store.audit.page(before=entries[1].audit_id, limit=1)
    assert [entry.audit_id for entry in older] == [entries[2].audit_id]


async def test_a_transaction_of_one_tenant_writes_nothing_of_another(store: Store) -> None:
    await with_tenants(store)
    with pytest.raises(OtherTenant):
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.keys.insert(replace(key("b1"), tenant="bolt"), b"\0" * 32)
    with pytest.raises(OtherTenant):
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.audit.append("key.create", "b1", {}, tenant="bolt")
    assert "key.create" not in [entry.action for entry in await store.audit.page(before=None, limit=10)]


async def test_details_of_the_audit_log_are_a_copy_with_instants_as_texts(store: Store) -> None:
    detail = {"until": NOW, "scopes": ("read",), "more": {"count": 1}}
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.audit.append("key.create", "b1", detail)
    detail["scopes"] = ()
    (entry,) = await store.audit.page(before=None, limit=10)
    assert entry.detail == {"until": NOW.isoformat(), "scopes": ["read"], "more": {"count": 1}}
