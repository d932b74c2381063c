"""Units of work: all changes of one are stored, or none."""

from __future__ import annotations

import asyncio

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.catalog.quality import Reason
from aurum.core.errors import Conflict
from aurum.core.frames import REFUSED
from aurum.storage.ports.access import Actor, ApiKey
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.files import FileFilter, FileRecord, LoadOutcome
from aurum.storage.ports.observations import Moment
from aurum.storage.ports.quality import QuarantineFilter, ValidationFilter
from aurum.storage.testing.builders import KEY, T0, day, file_load
from aurum.storage.testing.stores import Store, series_named

OPERATOR = Actor("key:operator", None, "request-1", "127.0.0.1")


class Refused(Exception):
    """The error that a test raises in the middle of a transaction."""


async def test_a_transaction_that_fails_leaves_nothing_behind(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0)]))
    before = await series_named(store, KEY)
    file = file_load([(0, 2, 2.0), (1, 2, 3.0)])

    async def change_everything() -> None:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            locked = await tx.observations.lock(file.parts[0].series)
            stored = await tx.observations.store(file.parts[0], locked, moment=Moment(None), recording_id=1)
            assert (stored.new, stored.revised) == (1, 1)
            file_id = await tx.files.record_applied(file.record, LoadOutcome(0, 1, 1, 0, 0), known_at=None, seconds=0.0)
            await tx.observations.record(file_id, stored.touched)
            held = [(1, "value", "n/a", str(Reason.NON_NUMERIC), "not a number")]
            await tx.quality.quarantine(file_id, pl.DataFrame(held, schema=REFUSED, orient="row"))
            await tx.tenants.insert("acme", "Acme", "basic")
            await tx.flags.put("curves", {"enabled": True}, by="operator")
            await tx.audit.append("tenant.create", "acme", {}, tenant="acme")
            raise Refused

    with pytest.raises(Refused):
        await change_everything()
    assert await store.catalog.series_page(SeriesFilter(), after=None, limit=9) == [before]
    frame = await store.reader.observations(before.series_id, span=Span())
    assert frame["value"].to_list() == [1.0]
    assert len(await store.files.files_page(FileFilter(), before=None, limit=9)) == 1
    assert await store.quality.quarantine_page(QuarantineFilter(), limit=9) == []
    assert await store.validations.validations_page(ValidationFilter(), before=None, limit=9) == []
    assert [tenant.tenant_id for tenant in await store.tenants.tenants(after=None, limit=9)] == ["local"]
    assert await store.flags.flags() == []
    assert await store.audit.page(before=None, limit=9) == []


async def test_a_change_of_a_tenant_and_its_audit_record_stand_or_fall_together(store: Store) -> None:
    key = ApiKey("k1", "local", "notebook", ("user",), (), T0, "operator")

    async def make_a_key() -> None:
        async with store.transactions.transaction(by=OPERATOR, tenant="local") as tx:
            await tx.keys.insert(key, b"digest")
            await tx.audit.append("key.create", "k1", {})
            raise Refused

    with pytest.raises(Refused):
        await make_a_key()
    assert await store.keys.page("local", after=None, limit=9) == []
    assert await store.audit.page(before=None, limit=9) == []


async def test_what_a_transaction_writes_is_seen_when_it_has_ended(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.tenants.insert("acme", "Acme", "basic")
        assert [tenant.tenant_id for tenant in await store.tenants.tenants(after=None, limit=9)] == ["local"]
    assert [tenant.tenant_id for tenant in await store.tenants.tenants(after=None, limit=9)] == ["acme", "local"]


async def test_a_transaction_goes_on_after_a_refusal_it_expects(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        await tx.tenants.insert("acme", "Acme", "basic")
        with pytest.raises(Conflict):
            await tx.tenants.insert("acme", "Again", "basic")
        await tx.tenants.insert("bolt", "Bolt", "basic")
    assert [tenant.tenant_id for tenant in await store.tenants.tenants(after=None, limit=9)] == ["acme", "bolt", "local"]


async def test_a_transaction_that_is_cancelled_leaves_nothing_behind(store: Store) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        async with store.transactions.transaction(by=OPERATOR) as tx:
            await tx.tenants.insert("acme", "Acme", "basic")
            begun.set()
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert [tenant.tenant_id for tenant in await store.tenants.tenants(after=None, limit=9)] == ["local"]


async def test_a_file_records_what_it_said_of_each_series(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.0), (1, 1, 1.0)]))
    file = file_load([(0, 2, 5.0), (1, 3, 1.0), (4, 2, 7.0), (6, 2, 8.0)])
    async with store.transactions.transaction(by=OPERATOR) as tx:
        locked = await tx.observations.lock(file.parts[0].series)
        stored = await tx.observations.store(file.parts[0], locked, moment=Moment(None), recording_id=1)
        series = await series_named(store, KEY)
        expected = pl.DataFrame(
            [(series.series_id, T0, T0.replace(hour=6), day(3), 2, 1)], schema=stored.touched[:, :6].schema, orient="row"
        )
        assert_frame_equal(stored.touched[:, :6], expected)
        file_id = await tx.files.record_refused(FileRecord("a.csv", "aa", 1, "invented", "numbers"), "only a test")
        await tx.observations.record(file_id, stored.touched)
