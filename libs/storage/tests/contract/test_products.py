"""Products and reference documents: shared ones, those of tenants, their versions, and lists of them."""

from dataclasses import replace

import pytest

from aurum.core.curves.product_documents import default_products
from aurum.core.errors import Conflict, UnknownName
from aurum.storage.ports.curves import ProductFilter, ReferenceKind, UnknownProduct
from aurum.storage.ports.files import FileFilter
from aurum.storage.testing.builders import day
from aurum.storage.testing.curves import (
    BY,
    EVERYTHING,
    add_product,
    expected_quotes,
    product_named,
    quotes_file,
    trade_day,
)
from aurum.storage.testing.stores import Store

BASE, PEAK, GAS = "power:XX:base:INVENTED", "power:XX:peak:INVENTED", "gas:HUB:base:BROKER"
MINE = "power:XX:base:MINE"
ALL = ProductFilter()


async def add_tenants(store: Store) -> None:
    for tenant in ("acme", "bolt"):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.tenants.insert(tenant, tenant, "basic")


async def declare(store: Store, *keys: str, title: str = "") -> int:
    async with store.transactions.transaction(by=BY) as tx:
        return len(await tx.curve_reference.declare([product_named(key, title=title) for key in keys]))


async def listed(store: Store, criteria: ProductFilter = ALL, *, tenant: str | None = None) -> list[str]:
    return [str(one.product.key) for one in await store.curves.products(criteria, tenant=tenant)]


async def test_declared_products_are_replaced_until_somebody_edits_them(store: Store) -> None:
    assert await declare(store, BASE, PEAK) == 2
    assert await declare(store, BASE, PEAK) == 0
    assert await declare(store, BASE, title="Another title") == 1
    stored = await store.curves.product(BASE, tenant=None)
    assert (stored.product.title, stored.version, stored.is_edited) == ("Another title", 2, False)
    edited = replace(stored.product, tick=0.05)
    async with store.transactions.transaction(by=BY) as tx:
        put = await tx.curve_reference.put_product(edited, tenant=None, version=2)
    assert put == replace(stored, product=edited, version=3, is_edited=True)
    assert await declare(store, BASE, title="A third title") == 0
    assert await store.curves.product(BASE, tenant=None) == put


async def test_nothing_is_declared_by_an_empty_list(store: Store) -> None:
    assert await declare(store) == 0


async def test_a_product_is_changed_only_by_who_has_read_its_version(store: Store) -> None:
    added = await add_product(store, BASE)
    assert (added.version, added.is_edited, added.first_trade_date) == (1, True, None)
    for version, message in ((None, "exists already"), (2, "has version 1, not 2")):
        with pytest.raises(Conflict, match=message):
            async with store.transactions.transaction(by=BY) as tx:
                await tx.curve_reference.put_product(product_named(BASE), tenant=None, version=version)
    with pytest.raises(UnknownName):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.curve_reference.put_product(product_named(PEAK), tenant=None, version=1)


async def test_quotes_raise_the_version_and_the_trade_dates_of_their_product(store: Store) -> None:
    await declare(store, BASE, PEAK)
    before = await store.curves.product(PEAK, tenant=None)
    await store.loader.load(quotes_file({BASE: [(3, 0, 5, 1.0)], PEAK: []}))
    await store.loader.load(quotes_file([(1, 0, 5, 1.0)], key=BASE))
    await store.loader.load(quotes_file([(1, 0, 5, 1.0)], key=BASE, digest="repeated"))
    await store.loader.load(quotes_file([(1, 0, 6, 1.0)], key=BASE, digest="confirmed"))
    stored = await store.curves.product(BASE, tenant=None)
    assert (stored.version, stored.first_trade_date, stored.last_trade_date) == (3, trade_day(1), trade_day(3))
    assert await store.curves.product(PEAK, tenant=None) == before


async def test_lists_are_filtered_and_paged_by_key(store: Store) -> None:
    await declare(store, BASE, PEAK, GAS)
    await declare(store, GAS, title="Dutch gas, 100% hub")
    await store.loader.load(quotes_file([(0, 0, 5, 1.0)], key=PEAK))
    assert await listed(store) == [GAS, BASE, PEAK]
    assert await listed(store, ProductFilter(commodity="power", block="base")) == [BASE]
    assert await listed(store, ProductFilter(area="HUB", venue="BROKER")) == [GAS]
    assert await listed(store, ProductFilter(text="hub DUTCH")) == [GAS]
    assert await listed(store, ProductFilter(text="100%")) == [GAS]
    assert await listed(store, ProductFilter(text="%")) == [GAS]
    assert await listed(store, ProductFilter(text="xx peak")) == [PEAK]
    assert await listed(store, ProductFilter(keys=("power:*:base:*", GAS))) == [GAS, BASE]
    assert await listed(store, ProductFilter(keys=("power:X_:*",))) == []
    assert await listed(store, ProductFilter(keys=(PEAK,), commodity="gas")) == []
    assert await listed(store, ProductFilter(quoted=True)) == [PEAK]
    page = await store.curves.products(ALL, tenant=None, limit=2)
    assert [str(one.product.key) for one in page] == [GAS, BASE]
    rest = await store.curves.products(ProductFilter(commodity="power"), tenant=None, after=BASE, limit=2)
    assert [str(one.product.key) for one in rest] == [PEAK]
    assert await store.curves.facets(ProductFilter(commodity="power"), tenant=None) == {
        "commodity": {"power": 2},
        "area": {"XX": 2},
        "block": {"base": 1, "peak": 1},
        "venue": {"INVENTED": 2},
    }


async def test_an_unknown_product_names_the_nearest(store: Store) -> None:
    await declare(store, BASE, GAS)
    with pytest.raises(UnknownName) as unknown:
        await store.curves.product("power:XX:bsae:INVENTED", tenant=None)
    assert unknown.value.nearest[0] == BASE
    with pytest.raises(UnknownProduct) as refused:
        await store.loader.load(quotes_file({BASE: [(0, 0, 1, 1.0)], PEAK: [(0, 0, 1, 1.0)]}))
    assert (refused.value.facts["key"], refused.value.facts["nearest"]) == (PEAK, [BASE])
    assert (await store.curves.product(BASE, tenant=None)).first_trade_date is None


async def test_only_a_product_without_quotes_can_be_deleted(store: Store) -> None:
    await declare(store, BASE, PEAK)
    await store.loader.load(quotes_file([(0, 0, 1, 1.0)], key=BASE))
    with pytest.raises(Conflict, match="has quotes"):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.curve_reference.delete_product(BASE, tenant=None)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.delete_product(PEAK, tenant=None)
    assert await listed(store) == [BASE]
    with pytest.raises(UnknownName):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.curve_reference.delete_product(PEAK, tenant=None)


async def test_a_product_of_a_tenant_is_its_own(store: Store) -> None:
    await add_tenants(store)
    await declare(store, BASE)
    of_acme = await add_product(store, MINE, tenant="acme")
    of_bolt = await add_product(store, MINE, tenant="bolt")
    assert of_acme.curve_id != of_bolt.curve_id
    assert [await listed(store, tenant=tenant) for tenant in (None, "acme", "bolt")] == [[BASE], [BASE, MINE], [BASE, MINE]]
    assert [str(one.product.key) for one in await store.curves.products(ALL, tenant="acme", limit=1)] == [BASE]
    assert [str(one.product.key) for one in await store.curves.products(ALL, tenant="acme", after=BASE)] == [MINE]
    with pytest.raises(UnknownName):
        await store.curves.product(MINE, tenant=None)
    with pytest.raises(UnknownProduct, match="not a shared product but a tenant's own: `aurum curves load --tenant` loads"):
        await store.loader.load(quotes_file([(0, 0, 1, 1.0)], key=MINE))
    with pytest.raises(UnknownProduct, match="not a product of acme but a shared one: `aurum ingest` loads"):
        await store.loader.load(quotes_file([(0, 0, 1, 1.0)], key=BASE, tenant="acme"))
    assert await store.curves.product(MINE, tenant="acme") == of_acme
    facets = await store.curves.facets(ALL, tenant="acme")
    assert facets["venue"] == {"INVENTED": 1, "MINE": 1}
    shared_files = len(await store.files.files_page(FileFilter(), before=None, limit=10))
    began = await store.loaded.latest()
    # The same content, of two tenants.
    for tenant, price in (("acme", 1.0), ("bolt", 2.0)):
        outcome = await store.loader.load(quotes_file([(0, 0, 1, price)], key=MINE, tenant=tenant, digest="the same"))
        assert (outcome.new, outcome.already_loaded) == (1, False)
    await store.loader.load(quotes_file([(0, 0, 2, 3.0)], key=MINE, tenant="acme"))
    assert (await store.curves.product(MINE, tenant="acme")).version == 3
    ids = [of_acme.curve_id, of_bolt.curve_id]
    quotes = await store.curves.quotes(ids, EVERYTHING)
    assert quotes["settle"].to_list() == [3.0, 2.0]
    as_of = await store.curves.quotes([of_acme.curve_id], EVERYTHING, as_of=day(1))
    assert as_of.equals(expected_quotes(of_acme.curve_id, [(0, 0, 1, 1.0)]))
    assert (await store.curves.trade_dates(ids)).rows() == [(one, trade_day(0), 1) for one in ids]
    assert (await store.curves.versions(ids, EVERYTHING)).height == 3
    # Nothing of it is among what all share.
    assert len(await store.files.files_page(FileFilter(), before=None, limit=10)) == shared_files
    assert await store.loaded.latest() == began


async def test_quotes_of_a_tenant_are_read_as_loaded_by_its_own_recordings(store: Store) -> None:
    await add_tenants(store)
    await add_product(store, MINE, tenant="acme")
    curve_id = (await store.curves.product(MINE, tenant="acme")).curve_id
    instants = []
    for price in (1.0, 2.0):
        await store.loader.load(quotes_file([(0, 0, int(price), price)], key=MINE, tenant="acme"))
        instants.append(await store.private.of("acme").loaded.latest())
    for instant, price in zip(instants, (1.0, 2.0), strict=True):
        answer = await store.curves.quotes([curve_id], EVERYTHING, as_loaded=instant)
        assert answer["settle"].to_list() == [price]


async def test_a_tenant_cannot_use_the_key_of_a_shared_product(store: Store) -> None:
    await add_tenants(store)
    await declare(store, BASE)
    async with store.transactions.transaction(by=BY) as tx:
        with pytest.raises(Conflict, match="is a shared product"):
            await tx.curve_reference.put_product(product_named(BASE), tenant="acme")
        # The transaction goes on, and writes shared rows.
        await tx.curve_reference.put_product(product_named(PEAK), tenant=None)
    assert await listed(store, tenant="acme") == [BASE, PEAK]


async def test_a_shared_product_hides_an_own_one_that_was_added_before(store: Store) -> None:
    await add_tenants(store)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.put_product(product_named(BASE, title="Marks"), tenant="acme")
    await add_product(store, MINE, tenant="acme")
    for key in (BASE, MINE, MINE):
        assert (await store.curves.product(key, tenant="acme")).tenant == "acme"
    await declare(store, BASE, PEAK, title="Shared by all")
    for tenant in ("acme", "bolt"):
        shared = await store.curves.product(BASE, tenant=tenant)
        assert (shared.tenant, shared.product.title) == (None, "Shared by all")
        assert await store.curves.products(ALL, tenant=tenant, limit=1) == [shared]
    assert await listed(store, tenant="acme") == [BASE, MINE, PEAK]
    assert (await store.curves.facets(ALL, tenant="acme"))["venue"] == {"INVENTED": 2, "MINE": 1}
    # The title of the hidden product is not seen either.
    hidden = ProductFilter(text="marks")
    assert await listed(store, hidden, tenant="acme") == []
    assert (await store.curves.facets(hidden, tenant="acme"))["venue"] == {}


async def test_an_unknown_tenant_has_no_products(store: Store) -> None:
    with pytest.raises(UnknownName, match="tenant"):
        await add_product(store, MINE, tenant="nobody")
    assert await listed(store, tenant="nobody") == []


async def test_parts_of_different_tenants_are_not_one_file(store: Store) -> None:
    files = [quotes_file([], key=key, tenant=tenant) for key, tenant in ((MINE, "acme"), (BASE, None))]
    with pytest.raises(ValueError, match="different tenants"):
        await store.loader.load(replace(files[0], parts=tuple(part for file in files for part in file.parts)))


async def test_two_parts_of_a_file_do_not_name_one_product(store: Store) -> None:
    await declare(store, BASE)
    file = quotes_file([(0, 0, 1, 1.0)], key=BASE)
    with pytest.raises(ValueError, match="two parts of a file name the product"):
        await store.loader.load(replace(file, parts=(*file.parts, *file.parts)))


@pytest.mark.parametrize("tenant", [None, "acme"])
async def test_reference_documents_are_stored_replaced_and_deleted(store: Store, tenant: str | None) -> None:
    await add_tenants(store)
    kind, document = ReferenceKind.SHAPE, {"factors": [1.0, 2.5], "of": {"days": "Mon-Fri"}}

    async def put(version: int | None, name: str = "invented"):
        async with store.transactions.transaction(by=BY) as tx:
            return await tx.curve_reference.put_reference(kind, name, document, tenant=tenant, version=version, by="key:one")

    stored = await put(None)
    assert (stored.version, stored.document, stored.tenant, stored.updated_by) == (1, document, tenant, "key:one")
    with pytest.raises(Conflict, match="stored already"):
        await put(None)
    with pytest.raises(Conflict, match="has version 1, not 4"):
        await put(4)
    with pytest.raises(UnknownName):
        await put(1, "another")
    replaced = await put(1)
    assert replaced.version == 2
    await put(None, "alike")
    names = [one.name for one in await store.curves.references(kind, tenant=tenant)]
    assert names == ["alike", "invented"]
    assert (await store.curves.references(kind, tenant=tenant))[1] == replaced
    assert await store.curves.references(ReferenceKind.SEASONS, tenant=tenant) == []
    if tenant is not None:
        assert await store.curves.references(kind, tenant=None) == []
        assert await store.curves.references(kind, tenant="bolt") == []
    with pytest.raises(Conflict, match="has version 2, not 1"):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.curve_reference.delete_reference(kind, "invented", tenant=tenant, version=1)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.delete_reference(kind, "invented", tenant=tenant, version=2)
    assert [one.name for one in await store.curves.references(kind, tenant=tenant)] == ["alike"]
    with pytest.raises(UnknownName):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.curve_reference.delete_reference(kind, "invented", tenant=tenant, version=2)


async def test_a_shared_document_hides_the_one_of_a_tenant_of_its_name(store: Store) -> None:
    await add_tenants(store)
    for tenant in (None, "acme"):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.curve_reference.put_reference(
                ReferenceKind.SEASONS, "europe", {"of": str(tenant)}, tenant=tenant, version=None, by="key:one"
            )
    for tenant in (None, "acme", "bolt"):
        (shared,) = await store.curves.references(ReferenceKind.SEASONS, tenant=tenant)
        assert (shared.tenant, shared.document) == (None, {"of": "None"})


async def test_every_term_of_a_product_is_stored(store: Store) -> None:
    products = default_products()
    async with store.transactions.transaction(by=BY) as tx:
        assert len(await tx.curve_reference.declare(products)) == len(products)
    async with store.transactions.transaction(by=BY) as tx:
        assert await tx.curve_reference.declare(products) == []
    stored = await store.curves.products(ALL, tenant=None)
    assert {one.product for one in stored} == set(products)
    assert len({one.curve_id for one in stored}) == len(products)


async def test_products_are_filtered_by_the_series_that_they_settle_against(store: Store) -> None:
    spot = "invented:day_ahead:XX:price"
    async with store.transactions.transaction(by=BY) as tx:
        await tx.curve_reference.declare([replace(product_named(BASE), settles_on=spot), product_named(PEAK)])
    assert await listed(store, ProductFilter(settles_on=spot)) == [BASE]
    assert await listed(store, ProductFilter(settles_on="invented:day_ahead:XX:other")) == []
    facets = await store.curves.facets(ProductFilter(settles_on=spot, commodity="power"), tenant=None)
    assert facets["block"] == {"base": 1}
