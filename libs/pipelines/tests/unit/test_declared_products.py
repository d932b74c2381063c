"""The shipped products are declared into a store, where every one of them is read as it was shipped."""

from dataclasses import replace

import pytest

from aurum.common.clock import SystemClock
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.product_documents import default_products
from aurum.pipelines import declarations
from aurum.pipelines.declarations import declare_products
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ProductFilter
from aurum.storage.ports.derived_curves import REBUILD, DerivedInput, NewDerivedCurve
from aurum.storage.ports.jobs import JobFilter


async def test_shipped_products_are_declared_once() -> None:
    store = MemoryStore(SystemClock())
    assert await declare_products(store.transactions) == len(default_products())
    assert await declare_products(store.transactions) == 0
    stored = await store.curves.products(ProductFilter(), tenant=None)
    assert {one.product for one in stored} == set(default_products())
    assert not any(one.is_edited for one in stored)


async def test_terms_that_a_release_changes_make_curves_stale_that_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore(SystemClock())
    await declare_products(store.transactions)
    hub, other, *_ = [await store.curves.product(str(one.key), tenant=None) for one in default_products()]
    key = CurveKey.parse("power:XX:base:DERIVED")
    async with store.transactions.transaction(by=Actor("operator")) as tx:
        added = await tx.curve_reference.put_product(replace(hub.product, key=key), tenant=None)
        read = (DerivedInput(hub.curve_id, str(hub.product.key)),)
        curve = NewDerivedCurve("one", str(key), None, added.curve_id, {}, None, read, "operator")
        await tx.derived_curves.add(curve)
    await declare_products(store.transactions)
    assert (await store.derived_curves.curve("one", tenant=None)).changes == ()
    for product, jobs in ((other.product, 0), (hub.product, 1)):
        release = [replace(product, tick=product.tick * 2)]
        monkeypatch.setattr(declarations, "default_products", lambda release=release: release)
        assert await declare_products(store.transactions) == 1
        assert len(await store.jobs.page(JobFilter(name=REBUILD), limit=10)) == jobs
    (change,) = (await store.derived_curves.curve("one", tenant=None)).changes
    assert (change.curve_id, change.trade_dates) == (hub.curve_id, ())
