"""Every change commits together with its audit record: when either of the two cannot be written, neither is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from aurum.common.flags import FlagDocument
from aurum.core.access import RatePlan, Role
from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.marks import SetState
from aurum.core.errors import Unavailable
from aurum.services.access import (
    NewKey,
    change_tenant,
    create_key,
    create_tenant,
    give_owner,
    put_plan,
    revoke_key,
    rotate_key,
)
from aurum.services.audit import record
from aurum.services.catalog.block_changes import add_block
from aurum.services.catalog.mappings import add_mapping
from aurum.services.curves import CurveReading
from aurum.services.curves.derived import remove_derived
from aurum.services.curves.marks import approve_set, close_set, reject_set, reopen_set
from aurum.services.flags import delete_flag, put_flag, switch_flag
from aurum.services.observations import Reading
from aurum.services.removal import remove_series
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.curve_sets import CurveSet, CurveSetFilter, TakenStep
from aurum.storage.ports.derived_curves import DerivedInput, NewDerivedCurve
from aurum.storage.ports.errors import LostRace
from aurum.storage.testing.builders import KEY, file_load
from aurum.storage.testing.curves import add_product
from aurum.storage.testing.stores import PostgresStore, Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPERATOR = Actor("key:operator", "local", "request-1", "127.0.0.1")
BLOCK = {"calendar": "desk", "name": "NIGHT", "zone": "Europe/Paris", "windows": [{"hours": [[1, 6]]}]}
BERT = Actor("key:operator", "local", "request-1", "127.0.0.1", "owner:Bert")
TRIAL = RatePlan("trial", 1, 2, 3, 1.0, 1)


class Faults(Protocol):
    async def refuse_writes(self, table: str) -> None: ...


class PostgresFaults(Protocol):
    async def raise_on_write(self, table: str, sqlstate: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """A store with a tenant, a key of it and a flag."""

    store: Store
    key_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """A use case. ``table``: the table it changes. ``tenant``: the tenant of its audit record."""

    action: str
    table: str
    tenant: str
    run: Callable[[Prepared], Awaitable[object]]


CHANGES = [
    Change(
        "key.create",
        "api_key",
        "acme",
        lambda at: create_key(at.store.transactions, NewKey("acme", "second"), by=OPERATOR, now=NOW),
    ),
    Change(
        "key.rotate",
        "api_key",
        "acme",
        lambda at: rotate_key(at.store.transactions, "acme", at.key_id, grace=timedelta(days=1), by=OPERATOR, now=NOW),
    ),
    Change("key.revoke", "api_key", "acme", lambda at: revoke_key(at.store.transactions, "acme", at.key_id, by=OPERATOR)),
    Change(
        "key.owner",
        "api_key",
        "acme",
        lambda at: give_owner(at.store.transactions, "acme", at.key_id, "Anna", by=OPERATOR, now=NOW),
    ),
    Change(
        "tenant.create",
        "tenant",
        "bolt",
        lambda at: create_tenant(at.store.transactions, "bolt", "Bolt", "free", by=OPERATOR),
    ),
    Change(
        "tenant.change",
        "tenant",
        "acme",
        lambda at: change_tenant(at.store.transactions, "acme", plan="premium", disabled=True, by=OPERATOR),
    ),
    Change("plan.put", "plan", "local", lambda at: put_plan(at.store.transactions, TRIAL, by=OPERATOR)),
    Change(
        "flag.put",
        "flag",
        "local",
        lambda at: put_flag(at.store.transactions, "other", FlagDocument(), version=0, by=OPERATOR),
    ),
    Change(
        "flag.put",
        "flag",
        "local",
        lambda at: switch_flag(at.store.transactions, "curves", enabled=False, by=OPERATOR),
    ),
    Change("flag.delete", "flag", "local", lambda at: delete_flag(at.store.transactions, "curves", by=OPERATOR)),
    Change("block.add", "block", "local", lambda at: add_block(at.store.transactions, BLOCK, by=OPERATOR)),
    Change(
        "mapping.add",
        "mapping",
        "local",
        lambda at: add_mapping(
            at.store.transactions,
            MappingKind.AREA,
            spelling="Grossbritannien",
            target="GB",
            scope="europe",
            by=OPERATOR,
        ),
    ),
    Change(
        "series.remove",
        "series",
        "local",
        lambda at: remove_series(at.store.transactions, at.store.catalog, KEY, reason="test", by=OPERATOR),
    ),
    Change(
        "curve_set.approve",
        "curve_set",
        "acme",
        lambda at: approve_set(at.store.transactions, own_reading(at.store), "submitted", by=BERT, now=NOW),
    ),
    Change(
        "curve_set.reject",
        "curve_set",
        "acme",
        lambda at: reject_set(at.store.transactions, own_reading(at.store), "submitted", "test", by=BERT, now=NOW),
    ),
    Change(
        "curve_set.close",
        "curve_set",
        "acme",
        lambda at: close_set(at.store.transactions, own_reading(at.store), "approved", by=OPERATOR, now=NOW),
    ),
    Change(
        "curve_set.reopen",
        "curve_set",
        "acme",
        lambda at: reopen_set(at.store.transactions, own_reading(at.store), "official", "test", by=OPERATOR, now=NOW),
    ),
    Change(
        "curve.underive",
        "derived_curve",
        "local",
        lambda at: remove_derived(
            at.store.transactions,
            at.store.derived_curves,
            CurveReading(at.store.curves, Reading(at.store.catalog, at.store.reader, at.store.partials), None),
            "derived",
            tenant=None,
            by=OPERATOR,
            now=NOW,
        ),
    ),
]
SETS = ["approve_set", "reject_set", "close_set", "reopen_set"]
KEYS = ["create_key", "rotate_key", "revoke_key", "give_owner"]
NAMES = [*KEYS, "create_tenant", "change_tenant", "put_plan", "put_flag", "switch_flag"]
each_change = pytest.mark.parametrize(
    "change", CHANGES, ids=[*NAMES, "delete_flag", "add_block", "add_mapping", "remove_series", *SETS, "remove_derived"]
)


def own_reading(store: Store) -> CurveReading:
    return CurveReading(store.curves, Reading(store.catalog, store.reader, store.partials, loaded=store.loaded), "acme")


async def prepared(store: Store) -> Prepared:
    await create_tenant(store.transactions, "acme", "Acme", "basic", by=OPERATOR)
    issued = await create_key(
        store.transactions, NewKey("acme", "notebook", (Role.USER,)), by=OPERATOR, now=NOW - timedelta(days=1)
    )
    await put_flag(store.transactions, "curves", FlagDocument(), by=OPERATOR)
    await store.loader.load(file_load([(0, 0, 1.0)]))
    async with store.transactions.transaction(by=OPERATOR, tenant="acme") as tx:
        for state in (SetState.SUBMITTED, SetState.APPROVED, SetState.OFFICIAL):
            steps = (TakenStep("submit", NOW, "key:1", "owner:Anna"),)
            await tx.curve_sets.insert(
                CurveSet(str(state), "acme", "eod", NOW.date(), ("a",), None, state, 2, NOW, steps, pin=2)
            )
    hub, derived = [await add_product(store, f"power:XX:base:{venue}") for venue in ("HUB", "DERIVED")]
    inputs = (DerivedInput(hub.curve_id, str(hub.product.key)),)
    key = str(derived.product.key)
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.derived_curves.add(NewDerivedCurve("derived", key, None, derived.curve_id, {}, None, inputs, "test"))
    return Prepared(store, issued.key.key_id)


async def everything(store: Store) -> dict[str, object]:
    tenants = await store.tenants.tenants(after=None, limit=99)
    return {
        "tenant": tenants,
        "plan": await store.tenants.plans(),
        "api_key": [await store.keys.page(one.tenant_id, after=None, limit=99) for one in tenants],
        "flag": await store.flags.flags(),
        "derived_curve": await store.derived_curves.page(tenant=None, limit=99),
        "series": await store.catalog.series_page(SeriesFilter(), after=None, limit=99),
        "block": await store.blocks.blocks(),
        "mapping": await store.mappings.mappings(),
        "curve_set": await store.curve_sets.page("acme", CurveSetFilter(), before=None, limit=99),
        "audit": await store.audit.page(before=None, limit=99),
    }


@each_change
async def test_a_change_is_stored_with_one_record_of_who_made_it(store: Store, change: Change) -> None:
    at = await prepared(store)
    before = await everything(store)
    await change.run(at)
    after = await everything(store)
    assert after[change.table] != before[change.table]
    added, *older = await store.audit.page(before=None, limit=99)
    assert older == before["audit"]
    assert (added.action, added.tenant) == (change.action, change.tenant)
    assert (added.actor, added.request_id, added.address) == ("key:operator", "request-1", "127.0.0.1")


@each_change
async def test_a_change_that_cannot_be_recorded_is_not_made(store: Store, faults: Faults, change: Change) -> None:
    at = await prepared(store)
    before = await everything(store)
    await faults.refuse_writes("audit")
    with pytest.raises(Unavailable):
        await change.run(at)
    assert await everything(store) == before


@each_change
async def test_a_change_that_cannot_be_made_is_not_recorded(store: Store, faults: Faults, change: Change) -> None:
    at = await prepared(store)
    before = await everything(store)
    await faults.refuse_writes(change.table)
    with pytest.raises(Unavailable):
        await change.run(at)
    assert await everything(store) == before


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"], ids=["deadlock", "serialization_failure"])
@each_change
async def test_a_transaction_that_the_server_ended_for_another_one_is_a_lost_race_without_effect(
    postgres_store: PostgresStore, postgres_faults: PostgresFaults, change: Change, sqlstate: str
) -> None:
    at = await prepared(postgres_store)
    before = await everything(postgres_store)
    await postgres_faults.raise_on_write("audit", sqlstate)
    with pytest.raises(LostRace) as caught:
        await change.run(at)
    assert caught.value.retry_after is not None
    assert await everything(postgres_store) == before


async def test_what_is_done_outside_the_store_is_recorded_first(store: Store, faults: Faults) -> None:
    await record(store.transactions, "cache.forget", "source:pjm", {"entries": 3}, by=OPERATOR)
    (entry,) = await store.audit.page(before=None, limit=9)
    assert (entry.action, entry.target, entry.detail, entry.tenant) == ("cache.forget", "source:pjm", {"entries": 3}, "local")
    await faults.refuse_writes("audit")
    with pytest.raises(Unavailable):
        await record(store.transactions, "cache.forget", "source:pjm", {}, by=OPERATOR)
