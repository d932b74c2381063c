"""Signed links, made and revoked in transactions, and the secret that signs them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aurum.common.clock import SystemClock
from aurum.core.access import RatePlan
from aurum.core.errors import NotFound
from aurum.storage.ports.access import Actor, ApiKey, OtherTenant
from aurum.storage.ports.links import Link
from aurum.storage.testing.stores import Store

NOW = datetime(2025, 1, 1, tzinfo=UTC)
"""The second in which a test begins. The module may have been imported hours before."""
OPERATOR = Actor("key:operator", None, "request-1", "127.0.0.1")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _begin() -> None:
    global NOW
    NOW = SystemClock().now().replace(microsecond=0)


def link(name: str, tenant: str = "acme", *, subject: str = "key:a1", at: datetime | None = None) -> Link:
    at = NOW if at is None else at
    return Link(name, tenant, subject, "/v2/observations?series=a:b:c:d", ("series:read",), at, at + HOUR)


async def with_tenants(store: Store) -> Store:
    for tenant, key_id in (("acme", "a1"), ("bolt", "b1")):
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.tenants.insert(tenant, tenant.title(), "basic")
        async with store.transactions.transaction(by=OPERATOR, tenant=tenant) as tx:
            await tx.keys.insert(key(key_id, tenant), b"digest")
    return store


def key(key_id: str, tenant: str) -> ApiKey:
    return ApiKey(key_id, tenant, "notebook", ("user",), ("admin:read",), NOW, "key:operator")


async def insert(store: Store, *links: Link, most: int = 100) -> None:
    for one in links:
        async with store.transactions.transaction(by=OPERATOR, tenant=one.tenant) as tx:
            await tx.links.insert(one, most=most)


async def test_a_link_is_found_with_its_tenant_its_plan_and_the_key_of_its_maker(store: Store) -> None:
    await insert(await with_tenants(store), link("1"), link("2", subject="user:ann"), link("3", subject="key:b1"))
    credential = await store.links.credential("1")
    assert credential is not None
    assert credential.link == link("1")
    assert (credential.tenant.name, credential.plan) == ("Acme", RatePlan("basic", 300, 5_000, 50_000, 1.5, 10))
    assert credential.key == key("a1", "acme")
    other = await store.links.credential("2")
    assert other is not None
    assert other.key is None
    assert await store.links.credential("x") is None


async def test_links_are_listed_by_maker_the_newest_first(store: Store) -> None:
    links = [link(str(n), at=NOW + n // 2 * HOUR) for n in range(4)]
    await insert(await with_tenants(store), *links, link("9", subject="user:ann"), link("8", "bolt", subject="key:a1"))
    page = await store.links.page("acme", subject="key:a1", before=None, limit=3)
    assert [one.link_id for one in page] == ["3", "2", "1"]
    last = page[-1]
    rest = await store.links.page("acme", subject="key:a1", before=(last.created_at, last.link_id), limit=3)
    assert [one.link_id for one in rest] == ["0"]
    assert {one.link_id for one in await store.links.page("acme", before=None, limit=9)} == {"0", "1", "2", "3", "9"}
    assert [one.link_id for one in await store.links.page("bolt", before=None, limit=9)] == ["8"]


async def test_a_link_is_revoked_once_and_only_by_its_tenant_and_maker(store: Store) -> None:
    await insert(await with_tenants(store), link("1"), link("2", "bolt", subject="key:b1"))
    for name, subject in (("2", None), ("1", "key:other"), ("x", None)):
        with pytest.raises(NotFound):
            async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
                await tx.links.revoke(name, subject=subject)
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        revoked = await tx.links.revoke("1", subject="key:a1")
    assert revoked.revoked_at is not None
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        assert await tx.links.revoke("1") == revoked
    credential = await store.links.credential("1")
    assert credential is not None
    assert credential.link == revoked
    other = await store.links.credential("2")
    assert other is not None
    assert other.link.revoked_at is None


async def test_a_transaction_makes_links_of_its_own_and_of_an_existing_tenant_only(store: Store) -> None:
    await with_tenants(store)
    with pytest.raises(OtherTenant):
        async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
            await tx.links.insert(link("1", "bolt"), most=9)
    with pytest.raises(NotFound):
        await insert(store, link("1", "missing"))
    assert await store.links.credential("1") is None


async def test_a_tenant_has_so_many_valid_links_at_most(store: Store) -> None:
    await with_tenants(store)
    ended = replace(link("0", at=NOW - 2 * HOUR), expires_at=NOW - HOUR)
    await insert(store, ended, link("1"), link("2", "bolt"), most=2)
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        await tx.links.revoke("1")
    await insert(store, link("3"), most=2)
    outcomes = await asyncio.gather(*(insert(store, link(f"4{n}"), most=2) for n in range(3)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType", "TooManyLinks", "TooManyLinks"]


async def test_all_processes_have_the_secret_that_was_proposed_first(store: Store) -> None:
    secrets = await asyncio.gather(*(store.links.secret(bytes([n]) * 32) for n in range(1, 6)))
    assert len(set(secrets)) == 1
    assert await store.links.secret(b"x" * 32) == secrets[0]
    assert secrets[0] in [bytes([n]) * 32 for n in range(1, 6)]


async def test_links_that_ended_a_day_ago_are_swept(store: Store) -> None:
    await with_tenants(store)
    old = replace(link("0", at=NOW - 30 * HOUR), expires_at=NOW - 25 * HOUR)
    ended = replace(link("1", at=NOW - 30 * HOUR), expires_at=NOW - 23 * HOUR)
    await insert(store, old, ended, link("2"))
    assert await store.links.sweep() == 1
    assert [await store.links.credential(name) is None for name in "012"] == [True, False, False]
