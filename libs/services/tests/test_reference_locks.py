"""Changes of reference data and of products at once, on two connections: one waits for the other, and then knows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.errors import Conflict, InvalidParameters
from aurum.services.catalog.block_changes import add_block, change_block, remove_block
from aurum.services.catalog.mappings import add_mapping
from aurum.services.catalog.reading_terms import reading_terms
from aurum.services.curves import CurveReading
from aurum.services.curves.documents import add_reference, change_reference, remove_reference
from aurum.services.curves.products import add_product, remove_product
from aurum.services.observations import Reading
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveQuotes, ProductFilter, ReferenceKind
from aurum.storage.ports.observations import Moment
from aurum.storage.testing.builders import day
from aurum.storage.testing.curves import product_named, quotes_file
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

OPERATOR, ACME = Actor("operator"), Actor("key:acme", "acme")
BLOCK = {"calendar": "entsoe", "name": "LOCKED", "zone": "Europe/Berlin", "windows": [{"hours": [[9, 12]]}]}
KEY, BROKEN = "power:LA:locked:DESK", "gas:NBP:desk:RP"
PRODUCT = {"key": KEY, "title": "Marks", "unit": "EUR/MWh", "tick": 0.01, "calendar": "eu_power", "block": "LOCKED"}
CALENDAR = {"name": "locked_days", "title": "Days", "zone": "Europe/Berlin", "blocks": "entsoe"}
DELIVERY, ALL = ReferenceKind.DELIVERY_CALENDAR, ProductFilter()
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def store(postgres_store: PostgresStore) -> PostgresStore:
    return postgres_store


@pytest.fixture
async def reading(store: PostgresStore) -> CurveReading:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.tenants.insert("acme", "Acme", "basic")
    await add_block(store.transactions, BLOCK, by=OPERATOR)
    return CurveReading(store.curves, Reading(store.catalog, store.reader), "acme")


def shared(reading: CurveReading) -> CurveReading:
    return replace(reading, tenant=None)


async def held_up(store: PostgresStore, work: Awaitable[object]) -> asyncio.Future[object]:
    """Start a use case, and return it once it waits for a lock."""
    task = asyncio.ensure_future(work)

    async def is_waiting() -> bool:
        async with store.pool.acquire() as connection:
            return task.done() or await connection.fetchval(WAITING) > 0

    await wait_until(is_waiting, "a change that waits")
    assert not task.done(), "the change waits for the other transaction"
    return task


@asynccontextmanager
async def first_quotes(store: PostgresStore, key: str) -> AsyncIterator[None]:
    """Store the first quotes of a shared product, in a transaction that ends with the block."""
    (part,) = quotes_file([(0, 0, 1, 1.0)], key=key).parts
    assert isinstance(part, CurveQuotes)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        recording_id = await tx.recordings.begin()
        ids = await tx.curves.lock(part.curves, tenant=None)
        await tx.curves.store(part, ids, moment=Moment(day(1), KnownAtBasis.PUBLISHED, False), recording_id=recording_id)
        yield


async def put_product(store: PostgresStore, key: str, *, tenant: str | None = None, **terms: Any) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.curve_reference.put_product(replace(product_named(key), **terms), tenant=tenant)


@pytest.mark.parametrize("tenant", [None, "acme"])
async def test_a_block_is_not_removed_while_a_product_that_names_it_is_added(
    store: PostgresStore, reading: CurveReading, tenant: str | None
) -> None:
    del reading
    async with store.transactions.transaction(by=ACME) as tx:
        await tx.curve_reference.pin_reference(tenant=tenant)
        await tx.curve_reference.put_product(replace(product_named(KEY), block="LOCKED"), tenant=tenant)
        removal = await held_up(store, remove_block(store.transactions, "entsoe", "LOCKED", version=None, by=OPERATOR))
    with pytest.raises(Conflict, match=f"product {KEY} is of block" if tenant is None else "a product of another tenant"):
        await removal


@pytest.mark.parametrize("tenant", [None, "acme"])
async def test_a_product_does_not_name_a_block_that_is_removed_meanwhile(
    store: PostgresStore, reading: CurveReading, tenant: str | None
) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.blocks.locked()
        addition = await held_up(store, add_product(store.transactions, reading, PRODUCT, tenant=tenant, by=ACME))
        await tx.blocks.delete("entsoe", "LOCKED", version=1)
    with pytest.raises(InvalidParameters) as refused:
        await addition
    assert [one["field"] for one in refused.value.facts["errors"]] == ["calendar_block"]
    assert await store.curves.products(ALL, tenant=tenant) == []


async def test_hours_of_a_block_do_not_change_while_first_quotes_are_stored(
    store: PostgresStore, reading: CurveReading
) -> None:
    del reading
    await put_product(store, KEY, block="LOCKED")
    async with first_quotes(store, KEY):
        change = await held_up(
            store,
            change_block(
                store.transactions, "entsoe", "LOCKED", {"windows": [{"hours": [[9, 10]]}]}, version=None, by=OPERATOR
            ),
        )
    with pytest.raises(Conflict, match=f"product {KEY} has quotes, and they depend on windows"):
        await change


async def test_the_unit_of_a_broker_is_not_mapped_while_first_quotes_are_stored(
    store: PostgresStore, reading: CurveReading
) -> None:
    del reading
    await put_product(store, BROKEN)
    async with first_quotes(store, BROKEN):
        mapping = await held_up(
            store,
            add_mapping(
                store.transactions, MappingKind.QUOTED_UNIT, spelling="gas:NBP", target="GBP/MWh", scope="RP", by=OPERATOR
            ),
        )
    with pytest.raises(Conflict, match=f"product {BROKEN} has quotes"):
        await mapping


async def test_the_zone_of_a_shared_calendar_does_not_change_while_first_quotes_are_stored(
    store: PostgresStore, reading: CurveReading
) -> None:
    await add_reference(store.transactions, shared(reading), DELIVERY, CALENDAR, tenant=None, by=OPERATOR)
    await put_product(store, KEY, calendar="locked_days")
    async with first_quotes(store, KEY):
        change = await held_up(
            store,
            change_reference(
                store.transactions,
                shared(reading),
                DELIVERY,
                "locked_days",
                {"zone": "Europe/Paris"},
                tenant=None,
                version=None,
                by=OPERATOR,
            ),
        )
    with pytest.raises(Conflict, match=f"product {KEY} has quotes, and they depend on zone"):
        await change


async def test_a_product_of_another_tenant_keeps_a_shared_calendar_as_it_is(
    store: PostgresStore, reading: CurveReading
) -> None:
    await add_reference(store.transactions, shared(reading), DELIVERY, CALENDAR, tenant=None, by=OPERATOR)
    await put_product(store, KEY, tenant="acme", calendar="locked_days")
    await store.loader.load(quotes_file([(0, 0, 1, 1.0)], key=KEY, tenant="acme"))
    arguments = store.transactions, shared(reading), DELIVERY, "locked_days"
    with pytest.raises(Conflict, match="a product of another tenant has quotes, and they depend on zone") as refused:
        await change_reference(*arguments, {"zone": "Europe/Paris"}, tenant=None, version=None, by=OPERATOR)
    assert KEY not in str(refused.value.facts)
    with pytest.raises(Conflict, match="a product of another tenant is read with"):
        await remove_reference(*arguments, tenant=None, by=OPERATOR)
    renamed = await change_reference(*arguments, {"title": "Other days"}, tenant=None, version=None, by=OPERATOR)
    assert renamed.version == 2


async def test_a_shared_calendar_does_not_take_the_place_of_one_that_quotes_of_a_tenant_depend_on(
    store: PostgresStore, reading: CurveReading
) -> None:
    await add_reference(store.transactions, reading, DELIVERY, CALENDAR, tenant="acme", by=ACME)
    await put_product(store, KEY, tenant="acme", calendar="locked_days")
    other = CALENDAR | {"zone": "Europe/Paris"}
    await store.loader.load(quotes_file([(0, 0, 1, 1.0)], key=KEY, tenant="acme"))
    with pytest.raises(Conflict, match="a product of another tenant has quotes, and is read with"):
        await add_reference(store.transactions, shared(reading), DELIVERY, other, tenant=None, by=OPERATOR)


async def test_first_quotes_of_a_file_that_was_read_before_a_change_of_unit_are_refused(
    store: PostgresStore, reading: CurveReading
) -> None:
    del reading
    await put_product(store, BROKEN, unit="GBP/MWh", currency="GBP")
    before = await reading_terms(store.curves, store.mappings)
    file = quotes_file([(0, 0, 1, 1.0)], key=BROKEN)
    unit = {"spelling": "gas:NBP", "scope": "RP", "by": OPERATOR}
    await add_mapping(store.transactions, MappingKind.QUOTED_UNIT, target="GBP/therm", **unit)
    with pytest.raises(Conflict, match=f"the terms of {BROKEN} changed while the file was read"):
        await store.loader.load(replace(file, read_with=before.versions))
    after = await reading_terms(store.curves, store.mappings)
    await store.loader.load(replace(file, read_with=after.versions))
    (product,) = await store.curves.products(ProductFilter(quoted=True), tenant=None)
    assert str(product.product.key) == BROKEN


async def test_the_unit_of_a_broker_converts_to_that_of_every_product(store: PostgresStore, reading: CurveReading) -> None:
    product = PRODUCT | {"key": BROKEN, "unit": "EUR/MWh", "calendar": "uk_gas", "block": None}
    await add_product(store.transactions, reading, product, tenant="acme", by=ACME)
    unit = {"spelling": "gas:NBP", "target": "GBP/MWh", "scope": "RP", "by": OPERATOR}
    with pytest.raises(Conflict, match="a product of another tenant has the unit EUR/MWh, and GBP/MWh does not convert"):
        await add_mapping(store.transactions, MappingKind.QUOTED_UNIT, **unit)
    await remove_product(store.transactions, reading, BROKEN, tenant="acme", by=ACME)
    await add_mapping(store.transactions, MappingKind.QUOTED_UNIT, **unit)
    with pytest.raises(InvalidParameters, match="unit: must convert without an exchange rate from GBP/MWh"):
        await add_product(store.transactions, reading, product, tenant="acme", by=ACME)
