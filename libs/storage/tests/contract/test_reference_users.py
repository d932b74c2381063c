"""Products of all tenants that use reference data, and the reference data that a writer of products pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from aurum.core.calendars import parse_block
from aurum.core.errors import Conflict
from aurum.storage.ports.curves import ReferenceKind, ReferenceUse
from aurum.storage.testing.curves import BY, product_named, quotes_file
from aurum.storage.testing.stores import Store

SHARED, THEIRS, MINE = "power:UA:peak:EXCH", "power:UA:peak:BOLT", "power:UA:base:ACME"
SHIPPED: Mapping[str, str | None] = {"eu_power": "entsoe", "us_power": "pjm"}


async def add_products(store: Store) -> None:
    """Add a shared product and one of each tenant; that of bolt has quotes. All but MINE name the block PEAK."""
    for tenant in ("acme", "bolt"):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.tenants.insert(tenant, tenant, "basic")
    for key, tenant, block in ((SHARED, None, "PEAK"), (MINE, "acme", None), (THEIRS, "bolt", "PEAK")):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.curve_reference.put_product(replace(product_named(key), block=block, sessions="XEEE"), tenant=tenant)
    await store.loader.load(quotes_file([(0, 0, 1, 1.0)], key=THEIRS, tenant="bolt"))


async def put(store: Store, name: str, blocks: str | None, *, tenant: str | None) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_reference(
            ReferenceKind.DELIVERY_CALENDAR, name, {"name": name, "blocks": blocks}, tenant=tenant, version=None, by="key:one"
        )


async def users(store: Store, use: ReferenceUse) -> list[tuple[str, str | None, bool]]:
    """Return the keys of the users with their tenants, and whether they have quotes."""
    async with store.transactions.transaction(by=BY) as tx:
        locked = await tx.curve_reference.lock_users(use)
    return [(str(one.product.key), one.tenant, one.first_trade_date is not None) for one in locked]


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (ReferenceUse(), [SHARED, MINE, THEIRS]),
        (ReferenceUse(terms={"block": "PEAK"}), [SHARED, THEIRS]),
        (ReferenceUse(terms={"calendar": "eu_power", "sessions": "XEEE"}), [SHARED, MINE, THEIRS]),
        (ReferenceUse(terms={"calendar": "eu_gas"}), []),
        (ReferenceUse(terms={"sessions": "XEEE"}, tenant="acme"), [MINE]),
        (ReferenceUse(key="power:UA:*:BOLT"), [THEIRS]),
        (ReferenceUse(key="power:UA:*:B_LT"), []),
        (ReferenceUse(blocks="entsoe", shipped=SHIPPED), [SHARED, MINE, THEIRS]),
        (ReferenceUse(blocks="pjm", shipped=SHIPPED), []),
        (ReferenceUse(blocks="entsoe"), []),
    ],
)
async def test_users_of_every_tenant_are_returned_shared_ones_first(
    store: Store, use: ReferenceUse, expected: list[str]
) -> None:
    await add_products(store)
    owners = {SHARED: (None, False), MINE: ("acme", False), THEIRS: ("bolt", True)}
    assert await users(store, use) == [(key, *owners[key]) for key in expected]


async def test_a_shared_calendar_replaces_the_shipped_one_which_replaces_that_of_a_tenant(store: Store) -> None:
    await add_products(store)
    of_pjm, of_desk = (ReferenceUse(blocks=name, shipped=SHIPPED) for name in ("pjm", "desk"))
    await put(store, "eu_power", "desk", tenant="bolt")
    assert await users(store, of_desk) == []
    assert [key for key, *_ in await users(store, replace(of_desk, shipped={}))] == [THEIRS]
    await put(store, "eu_power", "pjm", tenant=None)
    assert [key for key, *_ in await users(store, of_pjm)] == [SHARED, MINE, THEIRS]
    assert await users(store, replace(of_desk, shipped={})) == []


async def test_a_shared_calendar_without_blocks_names_none(store: Store) -> None:
    await add_products(store)
    await put(store, "eu_power", None, tenant=None)
    assert await users(store, ReferenceUse(blocks="entsoe", shipped=SHIPPED)) == []


async def test_pinned_reference_data_is_shared_or_of_the_owner(store: Store) -> None:
    await add_products(store)
    block = parse_block("pjm", "ON_PEAK").to_document()
    async with store.transactions.transaction(by=BY) as tx:
        await tx.blocks.add(block, by="key:one")
    for name, tenant in (("shared", None), ("mine", "acme"), ("theirs", "bolt")):
        await put(store, name, None, tenant=tenant)
    for tenant, names in ((None, {"shared"}), ("acme", {"shared", "mine"})):
        async with store.transactions.transaction(by=BY) as tx:
            pinned = await tx.curve_reference.pin_reference(tenant=tenant)
        assert {one.name for one in pinned.documents} == names
        assert list(pinned.blocks) == [block]


async def test_first_quotes_need_the_version_of_the_product_that_the_file_was_read_with(store: Store) -> None:
    await add_products(store)
    async with store.transactions.transaction(by=BY) as tx:
        ids = [one.curve_id for one in await tx.curve_reference.lock_users(ReferenceUse())]
        await tx.curve_reference.renew(ids)
    for key, tenant in ((SHARED, None), (MINE, "acme")):
        file = quotes_file([(0, 0, 1, 1.0)], key=key, tenant=tenant)
        with pytest.raises(Conflict, match=f"the terms of {key} changed while the file was read"):
            await store.loader.load(replace(file, read_with={key: 1}))
        assert (await store.loader.load(replace(file, read_with={key: 2}))).new == 1
    later = quotes_file([(1, 0, 2, 2.0)], key=THEIRS, tenant="bolt")
    assert (await store.loader.load(replace(later, read_with={THEIRS: 1}))).new == 1, "it has quotes already"
