"""Private series: each tenant has its own, under the same law as shared ones, and none sees those of another."""

from __future__ import annotations

import itertools
import math
from datetime import timedelta

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.errors import Conflict, UnknownName
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import LocationFilter, SeriesFilter
from aurum.storage.ports.files import FileFilter, LoadOutcome
from aurum.storage.ports.private import Declared, PrivateStore
from aurum.storage.ports.recordings import ChangeFilter
from aurum.storage.private import TenantCatalog
from aurum.storage.testing.builders import Point, day, file_load
from aurum.storage.testing.expected import expected_observations, expected_revisions
from aurum.storage.testing.stores import Store

BY = Actor("key:desk", "acme")
KEY = "private:series:meter:value"
numbers = itertools.count()

values = st.sampled_from([0.0, -0.0, 1.0, 2.0, math.inf])
points: st.SearchStrategy[Point] = st.tuples(
    st.integers(0, 2), st.integers(0, 5), values, st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 0, 0, -1])
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Point]]:
    """Draw bodies: publications in any order, some of them repeated, split into batches."""
    publications = draw(st.lists(points, min_size=1, max_size=10))
    again = draw(st.lists(st.sampled_from(publications), max_size=4))
    order = draw(st.permutations([*publications, *again]))
    cuts = draw(st.sets(st.integers(1, len(order)), max_size=len(order)))
    borders = [0, *sorted(cuts), len(order)]
    return [order[start:end] for start, end in itertools.pairwise(borders) if start < end]


async def declare(private: PrivateStore, key: str = KEY) -> int:
    """Declare a series, and return its id."""
    async with private.transactions.transaction(by=BY) as tx:
        locked = await tx.series.declare(file_load([], key=key).parts[0].series)
    return locked.ids[0]


async def load(private: PrivateStore, rows: list[Point], key: str = KEY) -> LoadOutcome:
    return await private.loader.load(file_load(rows, key=key, digest=f"{private.tenant} {next(numbers)}"))


@pytest_asyncio.fixture(loop_scope="session")
async def tenants(store: Store) -> tuple[PrivateStore, PrivateStore]:
    """Two tenants without series."""
    for tenant in ("acme", "bolt"):
        async with store.transactions.transaction(by=BY) as tx:
            await tx.tenants.insert(tenant, tenant, "basic")
    return store.private.of("acme"), store.private.of("bolt")


@settings(max_examples=settings().max_examples // 4)
@given(files=histories())
async def test_answers_depend_on_the_set_of_publications_alone(shared_store: Store, files: list[list[Point]]) -> None:
    private, key = shared_store.private.of("local"), f"private:series:law_{next(numbers)}:value"
    series_id = await declare(private, key)
    publications = [point for file in files for point in file]
    for file in files:
        outcome = await load(private, file, key)
        assert outcome.new + outcome.revised + outcome.unchanged == len(file)
    revisions = await private.reader.revisions(series_id, span=Span())
    assert_frame_equal(revisions, expected_revisions(publications), check_exact=True)
    for known in range(-1, 7):
        for as_of in (day(known), day(known) - timedelta(microseconds=1)):
            answer = await private.reader.observations(series_id, span=Span(), as_of=as_of)
            assert_frame_equal(answer, expected_observations(publications, as_of), check_exact=True)
    repeated = await load(private, publications, key)
    assert (repeated.new, repeated.revised) == (0, 0)
    assert_frame_equal(await private.reader.revisions(series_id, span=Span()), revisions)


async def test_two_tenants_use_one_key_for_two_series(tenants: tuple[PrivateStore, PrivateStore], store: Store) -> None:
    acme, bolt = tenants
    ids = [await declare(acme), await declare(bolt)]
    await store.loader.load(file_load([(0, 1, 7.0)]))
    ids.append((await store.catalog.series_by_key(["invented:numbers:A:value"]))["invented:numbers:A:value"].series_id)
    ids.append(await declare(acme, "private:series:later:value"))
    assert len(set(ids)) == 4
    await load(acme, [(0, 1, 1.0)])
    await load(bolt, [(0, 1, 2.0)])
    for private, value in ((acme, 1.0), (bolt, 2.0)):
        series = (await private.catalog.series_by_key([KEY]))[KEY]
        assert (await private.reader.observations(series.series_id, span=Span()))["value"].to_list() == [value]


async def test_no_read_of_one_tenant_finds_anything_of_another(
    tenants: tuple[PrivateStore, PrivateStore], store: Store
) -> None:
    acme, bolt = tenants
    series_id = await declare(acme)
    await load(acme, [(0, 1, 1.0), (0, 2, 2.0), (0, 3, 2.0), (1, 1, 3.0)])
    assert (await acme.reader.versions([series_id], span=Span())).height == 3
    for other in (bolt, store.private.of("nadir"), store.private.of("")):
        assert await other.catalog.series_by_key([KEY]) == {}
        assert await other.catalog.series_page(SeriesFilter(), after=None, limit=9) == []
        assert await other.catalog.nearest_keys(KEY) == ()
        assert await other.catalog.locations_page(LocationFilter(), after=None, limit=9) == []
        assert not any((await other.catalog.dimensions()).values())
        assert await other.catalog.issues_page(series_id, before=None, limit=9) == []
        assert await other.files.files_page(FileFilter(), before=None, limit=9) == []
        for read in (other.reader.many, other.reader.versions, other.reader.confirmations, other.partials.partials):
            assert (await read([series_id], span=Span())).is_empty()
        assert [batch async for batch in other.reader.stream([series_id], span=Span())] == []
        assert len((await other.reader.points(series_id, span=Span(), as_of=day(9))).ts) == 0
        assert (await other.reader.revisions(series_id, span=Span())).is_empty()
        assert (await other.files.bases([series_id], first=day(0), last=day(9))).is_empty()


async def test_no_read_of_shared_series_finds_a_private_one(tenants: tuple[PrivateStore, PrivateStore], store: Store) -> None:
    acme, _ = tenants
    bounds = await store.change_log.bounds(day(0))
    latest = await store.loaded.latest()
    series_id = await declare(acme)
    await load(acme, [(0, 1, 1.0), (0, 2, 2.0)])
    assert await store.catalog.series_by_key([KEY]) == {}
    assert await store.catalog.series_page(SeriesFilter(), after=None, limit=9) == []
    assert await store.catalog.nearest_keys(KEY) == ()
    assert not any((await store.catalog.dimensions()).values())
    assert await store.files.files_page(FileFilter(), before=None, limit=9) == []
    for read in (store.reader.many, store.reader.versions, store.reader.confirmations, store.partials.partials):
        assert (await read([series_id], span=Span())).is_empty()
    assert await store.change_log.bounds(day(0)) == bounds
    assert not (await store.change_log.changes(bounds.last, ChangeFilter(), limit=9)).entries
    assert await store.loaded.latest() == latest


async def test_the_datasets_that_a_tenant_sees_are_the_shared_ones(
    tenants: tuple[PrivateStore, PrivateStore], store: Store
) -> None:
    acme, _ = tenants
    await store.loader.load(file_load([(0, 1, 1.0)]))
    await declare(acme)
    extents = await TenantCatalog(store.catalog, acme.catalog).dataset_extents()
    assert {name: extent.series for name, extent in extents.items()} == {("invented", "numbers"): 1}


async def test_a_tenant_cannot_write_to_a_series_of_another(tenants: tuple[PrivateStore, PrivateStore]) -> None:
    acme, bolt = tenants
    series_id = await declare(acme)
    await load(acme, [(0, 1, 1.0)])
    with pytest.raises(UnknownName):
        await load(bolt, [(0, 2, 9.0)])
    async with bolt.transactions.transaction(by=BY) as tx:
        assert await tx.series.lock(KEY) is None
    assert (await acme.reader.revisions(series_id, span=Span()))["value"].to_list() == [1.0]


async def test_a_declaration_is_read_back_and_cannot_change_its_unit_or_step(
    tenants: tuple[PrivateStore, PrivateStore],
) -> None:
    acme, _ = tenants
    described = file_load([], key=KEY, unit="MWh", frequency="1h", zone="UTC", location_name="East").parts[0].series
    async with acme.transactions.transaction(by=BY) as tx:
        series_id = (await tx.series.declare(described)).ids[0]
        assert await tx.series.count() == 1
    async with acme.transactions.transaction(by=BY) as tx:
        assert await tx.series.lock(KEY) == Declared(series_id, "MWh", "1h", "UTC", "East")
    for other in (file_load([], key=KEY, unit="kWh"), file_load([], key=KEY, unit="MWh", frequency="15min")):
        with pytest.raises(Conflict):
            async with acme.transactions.transaction(by=BY) as tx:
                await tx.series.declare(other.parts[0].series)


async def test_a_transaction_that_fails_leaves_nothing(tenants: tuple[PrivateStore, PrivateStore], store: Store) -> None:
    acme, _ = tenants

    async def fail() -> None:
        async with acme.transactions.transaction(by=BY) as tx:
            await tx.series.declare(file_load([], key=KEY).parts[0].series)
            await tx.audit.append("private.declare", KEY, {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await acme.catalog.series_by_key([KEY]) == {}
    assert await store.audit.page(tenant="acme", before=None, limit=9) == []


async def test_the_record_of_a_declaration_belongs_to_its_tenant(
    tenants: tuple[PrivateStore, PrivateStore], store: Store
) -> None:
    acme, _ = tenants
    async with acme.transactions.transaction(by=BY) as tx:
        await tx.audit.append("private.declare", KEY, {})
    (entry,) = await store.audit.page(tenant="acme", before=None, limit=9)
    assert (entry.action, entry.tenant) == ("private.declare", "acme")
    assert await store.audit.page(tenant="bolt", before=None, limit=9) == []


async def test_a_removed_series_takes_all_its_rows_with_it(tenants: tuple[PrivateStore, PrivateStore]) -> None:
    acme, _ = tenants
    series_id = await declare(acme)
    kept_id = await declare(acme, "private:series:other:value")
    await load(acme, [(0, 1, 1.0), (0, 2, 2.0), (1, 1, 3.0)])
    await load(acme, [(0, 1, 4.0)], "private:series:other:value")
    async with acme.transactions.transaction(by=BY) as tx:
        removed = await tx.series.remove(series_id)
    assert (removed.points, removed.versions, removed.files) == (2, 1, 1)
    assert list(await acme.catalog.series_by_key([KEY, "private:series:other:value"])) == ["private:series:other:value"]
    assert (await acme.reader.many([series_id, kept_id], span=Span()))["value"].to_list() == [4.0]


async def test_the_series_of_a_tenant_are_read_as_they_stood(tenants: tuple[PrivateStore, PrivateStore]) -> None:
    acme, _ = tenants
    series_id = await declare(acme)
    await load(acme, [(0, 1, 1.0)])
    then = await acme.loaded.latest()
    await load(acme, [(0, 2, 2.0), (1, 1, 3.0)])
    stood = await acme.loaded.as_loaded(then)
    assert (await stood.many([series_id], span=Span()))["value"].to_list() == [1.0]
    before = await acme.loaded.as_loaded(day(0))
    assert (await before.many([series_id], span=Span())).is_empty()
