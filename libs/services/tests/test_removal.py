"""Removal of a series: who did it and why is on record, and nothing that is needed can be removed."""

from __future__ import annotations

import pytest

from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.removal import LONGEST_REASON, SeriesInUse, remove_series
from aurum.storage.ports.access import Actor
from aurum.storage.ports.derived_curves import DerivedInput, NewDerivedCurve
from aurum.storage.testing.builders import KEY, file_load
from aurum.storage.testing.stores import PostgresStore, Store

OPERATOR = Actor("key:operator", "local", "request-1", "127.0.0.1")
USD = "ecb:reference_rates:EURUSD:rate"


async def remove(store: Store, key: str, reason: str = "another feed") -> None:
    await remove_series(store.transactions, store.catalog, key, reason=reason, by=OPERATOR)


async def test_a_removal_is_on_record_with_its_reason_and_what_was_deleted(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0), (1, 1, 2.0), (0, 2, 3.0)]))
    await remove(store, KEY, "  another feed ")
    (entry,) = await store.audit.page(before=None, limit=9)
    assert (entry.action, entry.target, entry.actor) == ("series.remove", KEY, "key:operator")
    counts = {"points": 2, "versions": 1, "days": 1, "files": 1, "parts": 0, "archived_rows": 0}
    assert {name: entry.detail[name] for name in ("reason", *counts)} == {"reason": "another feed", **counts}
    assert await store.catalog.series_by_key([KEY]) == {}


@pytest.mark.parametrize("reason", ["", "  \t", "\u200b", "\u3164 \ufe0f", "x" * (LONGEST_REASON + 1), "a\0b"])
async def test_without_a_reason_nothing_is_removed(store: Store, reason: str) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)]))
    with pytest.raises(InvalidParameters, match="reason"):
        await remove(store, KEY, reason)
    assert KEY in await store.catalog.series_by_key([KEY])


@pytest.mark.parametrize("key", ["invented:numbers:C:value", "nonsense", "", "a\0b"])
async def test_an_unknown_series_is_named_with_those_that_resemble_it(store: Store, key: str) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)]))
    with pytest.raises(UnknownName) as caught:
        await remove(store, key)
    if key.startswith("invented"):
        assert caught.value.nearest == (KEY,)
    assert await store.audit.page(before=None, limit=9) == []


async def test_a_rate_that_conversions_need_is_not_removed(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.1)], key=USD, unit="USD/EUR", currency="USD", frequency="1d"))
    await store.loader.load(file_load([(0, 1, 30.0)], unit="USD/MWh", currency="USD"))
    with pytest.raises(SeriesInUse, match="conversion of series in USD: 1") as caught:
        await remove(store, USD)
    assert caught.value.facts["referrers"] == [{"kind": "conversion of series in USD", "count": 1, "names": [KEY]}]
    await remove(store, KEY)
    await remove(store, USD)
    assert await store.catalog.series_by_key([KEY, USD]) == {}


async def test_a_rate_that_a_derived_curve_converts_with_is_not_removed(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.1)], key=USD, unit="USD/EUR", currency="USD", frequency="1d"))
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.tenants.insert("acme", "Acme", "basic")
    for tenant in (None, "acme"):
        hub, own = (f"power:XX:base:{'OWN' if tenant else 'ALL'}{number}" for number in range(2))
        async with store.transactions.transaction(by=OPERATOR) as tx:
            read = await tx.curve_reference.put_product(_product(hub), tenant=tenant)
            added = await tx.curve_reference.put_product(_product(own), tenant=tenant)
            convert = {"op": "convert", "curve": hub, "currency": "USD"}
            inputs = (DerivedInput(read.curve_id, hub),)
            await tx.derived_curves.add(NewDerivedCurve(own, own, tenant, added.curve_id, convert, None, inputs, "test"))
    with pytest.raises(SeriesInUse, match=r"derived curves in USD: 2 \(power:XX:base:ALL1, \.\.\.\)") as caught:
        await remove(store, USD)
    (referrer,) = caught.value.facts["referrers"]  # type: ignore[misc]
    assert referrer == {"kind": "derived curves in USD", "count": 2, "names": ["power:XX:base:ALL1"]}
    assert USD in await store.catalog.series_by_key([USD])


def _product(key: str) -> Product:
    return Product(CurveKey.parse(key), key, "EUR", "EUR/MWh", 0.01, "eu_power")


async def test_a_key_without_its_invisible_character_leads_to_the_stored_one(postgres_store: PostgresStore) -> None:
    stored = "invented:numbers:A\u200b:value"
    await postgres_store.loader.load(file_load([(0, 1, 1.0)]))
    async with postgres_store.pool.acquire() as connection:
        await connection.execute("UPDATE series SET key = $1, location = $2", stored, "A\u200b")
        await connection.execute("UPDATE series_search SET key = $1", stored)
    with pytest.raises(UnknownName) as caught:
        await remove(postgres_store, KEY)
    assert caught.value.nearest == (stored,)
    await remove(postgres_store, stored)
    assert await postgres_store.catalog.invalid_series() == []
