"""The shipped products are declared into a store, where every one of them is read as it was shipped."""

from aurum.common.clock import SystemClock
from aurum.core.curves.product_documents import default_products
from aurum.pipelines.declarations import declare_products
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.curves import ProductFilter


async def test_shipped_products_are_declared_once() -> None:
    store = MemoryStore(SystemClock())
    assert await declare_products(store.transactions) == len(default_products())
    assert await declare_products(store.transactions) == 0
    stored = await store.curves.products(ProductFilter(), tenant=None)
    assert {one.product for one in stored} == set(default_products())
    assert not any(one.is_edited for one in stored)
