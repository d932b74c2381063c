"""Private series: declared, filled, read and removed by one tenant, over every adapter."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

import polars as pl
import pytest
import pytest_asyncio

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.errors import Conflict, Invalid, Unavailable, UnknownName
from aurum.core.frequency import Frequency
from aurum.services.access import create_tenant
from aurum.services.observations import Question, Reading, read_many, read_one, revisions, series_of
from aurum.services.observations.bases import with_bases
from aurum.services.private import (
    ROWS,
    BadRows,
    Declaration,
    DeclarationDiffers,
    StoredPoints,
    TooManyPrivateSeries,
    declare_series,
    private_series,
    private_spec,
    remove_private_series,
    store_points,
    tenant_reading,
)
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.testing.builders import T0, day, file_load
from aurum.storage.testing.stores import Store

NOW = SystemClock().now


class Faults(Protocol):
    async def refuse_writes(self, table: str) -> None: ...


BY = Actor("key:desk", "acme", "request-1", "127.0.0.1")
KEY = "private:series:meter:value"


@pytest_asyncio.fixture(loop_scope="session")
async def tenants(store: Store) -> Store:
    for tenant in ("acme", "bolt"):
        await create_tenant(store.transactions, tenant, tenant, "basic", by=BY)
    return store


async def declare(store: Store, tenant: str = "acme", name: str = "meter", *, most: int = 9, **changed: str) -> Declaration:
    fields = {"unit": "MWh", "frequency": "1h", "zone": "UTC", "title": "East plant"} | changed
    return await declare_series(store.private.of(tenant), private_spec(name, **fields), most=most, by=BY)


async def put(
    store: Store, *values: tuple[int, float] | tuple[int, float, int], tenant: str = "acme", name: str = "meter"
) -> StoredPoints:
    """Store values at hours after T0, known as many days after it or now."""
    rows = [
        (number, (T0 + timedelta(hours=hour)).isoformat(), str(value), day(known[0]).isoformat() if known else None)
        for number, (hour, value, *known) in enumerate(values, 2)
    ]
    frame = pl.DataFrame(rows, schema=ROWS, orient="row")
    private = store.private.of(tenant)
    return await store_points(private, name, frame, file_name="x.csv", size=1, most=100, now=NOW(), by=BY)


def reading_of(store: Store, tenant: str = "acme") -> Reading:
    shared = Reading(store.catalog, store.reader, store.partials, loaded=store.loaded, files=store.files)
    return tenant_reading(shared, store.private.of(tenant))


async def values(store: Store, tenant: str = "acme", **question: str) -> list[float]:
    reading = reading_of(store, tenant)
    answer = await read_one(reading, await series_of(reading.catalog, KEY), Question(**question))  # type: ignore[arg-type]
    return answer.frame["value"].to_list()


async def test_a_series_is_declared_once_and_only_its_title_changes(tenants: Store) -> None:
    first = await declare(tenants)
    again = await declare(tenants)
    renamed = await declare(tenants, title="West plant")
    assert (first.is_new, again.is_new, renamed.is_new) == (True, False, False)
    assert {one.series.series_id for one in (first, again, renamed)} == {first.series.series_id}
    assert (await private_series(tenants.private.of("acme"), "meter")).spec.location_name == "West plant"
    entries = await tenants.audit.page(tenant="acme", action="private.declare", before=None, limit=9)
    assert [entry.detail["title"] for entry in entries] == ["West plant", "East plant"]
    assert {(entry.actor, entry.target) for entry in entries} == {("key:desk", KEY)}


@pytest.mark.parametrize(("field", "value"), [("unit", "kWh"), ("frequency", "15min"), ("zone", "Europe/Berlin")])
async def test_another_unit_step_or_zone_is_refused_with_the_way_out(tenants: Store, field: str, value: str) -> None:
    await declare(tenants)
    await put(tenants, (0, 1.0))
    with pytest.raises(DeclarationDiffers, match=f"with {field} .* declare another name, or DELETE") as caught:
        await declare(tenants, **{field: value})
    assert caught.value.facts["field"] == field
    await remove_private_series(tenants.private.of("acme"), "meter", by=BY)
    assert (await declare(tenants, **{field: value})).is_new


async def test_a_tenant_has_as_many_series_as_it_may_even_when_they_come_at_once(tenants: Store) -> None:
    results = await asyncio.gather(
        *(declare(tenants, name=f"meter-{number}", most=3) for number in range(6)), return_exceptions=True
    )
    refused = [one for one in results if isinstance(one, BaseException)]
    assert len(refused) == 3
    assert {type(one) for one in refused} == {TooManyPrivateSeries}
    assert (await declare(tenants, "bolt", most=3)).is_new


async def test_an_unknown_tenant_can_declare_nothing(tenants: Store) -> None:
    with pytest.raises(UnknownName, match="unknown tenant 'nadir'"):
        await declare(tenants, "nadir")


async def test_points_are_read_by_the_one_engine_as_of_any_instant(tenants: Store) -> None:
    await declare(tenants)
    assert await put(tenants, (0, 1.0, 1), (1, 2.0, 1), (2, 3.0, 1)) == StoredPoints(3, 0, 0)
    assert await put(tenants, (1, 5.0, 3), (2, 3.0, 3)) == StoredPoints(0, 1, 1)
    assert await values(tenants) == [1.0, 5.0, 3.0]
    assert await values(tenants, as_of=day(2).isoformat()) == [1.0, 2.0, 3.0]
    assert await values(tenants, as_of=T0.isoformat()) == []
    assert await values(tenants, unit="kWh") == [1000.0, 5000.0, 3000.0]
    reading = reading_of(tenants)
    series = await series_of(reading.catalog, KEY)
    daily = await read_one(reading, series, Question(freq=Frequency.DAY))
    assert daily.frame["value"].to_list() == [3.0]
    versions = await revisions(reading, series, Question())
    assert versions.frame["value"].to_list() == [1.0, 2.0, 5.0, 3.0]
    based = await with_bases(reading, series, versions.frame)
    assert set(based["known_at_basis"]) == {"stated"}


async def test_points_that_change_values_are_on_record_with_their_sender(tenants: Store) -> None:
    await declare(tenants)
    for value in (1.0, 1.0, 2.0):
        await put(tenants, (0, value))
    entries = await tenants.audit.page(tenant="acme", action="private.store", before=None, limit=9)
    assert {(entry.actor, entry.target, entry.request_id) for entry in entries} == {("key:desk", KEY, "request-1")}
    assert [(entry.detail["new"], entry.detail["revised"], entry.detail["file"]) for entry in entries] == [
        (0, 1, "x.csv"),
        (1, 0, "x.csv"),
    ]
    await tenants.loader.load(file_load([(0, 1, 1.0)]))
    assert len(await tenants.audit.page(action="private.store", before=None, limit=9)) == 2, "files of publishers are not"


async def test_a_late_publication_changes_the_past_alone(tenants: Store) -> None:
    await declare(tenants)
    await put(tenants, (0, 2.0, 5))
    assert await put(tenants, (0, 1.0, 1)) == StoredPoints(0, 1, 0)
    assert await values(tenants) == [2.0]
    assert await values(tenants, as_of=day(2).isoformat()) == [1.0]


async def test_without_a_known_time_a_correction_counts_from_now_on(tenants: Store) -> None:
    await declare(tenants)
    await put(tenants, (0, 1.0))
    before = NOW()
    await put(tenants, (0, 2.0))
    assert await put(tenants, (0, 2.0)) == StoredPoints(0, 0, 1)
    assert await values(tenants) == [2.0]
    assert await values(tenants, as_of=before.isoformat()) == [1.0]
    assert await put(tenants, (0, 1.0)) == StoredPoints(0, 1, 0), "the first value again is a correction of the second"
    assert await values(tenants) == [1.0]


async def test_the_store_is_read_as_it_stood(tenants: Store) -> None:
    await declare(tenants)
    await put(tenants, (0, 1.0, 1))
    between = NOW()
    await put(tenants, (0, 9.0, 2), (1, 9.0, 2))
    assert await values(tenants, as_loaded=between.isoformat()) == [1.0]
    assert await values(tenants) == [9.0, 9.0]


async def test_points_of_a_series_that_is_not_declared_are_refused_with_the_tenants_own_names(tenants: Store) -> None:
    await declare(tenants, "bolt", "metre")
    await declare(tenants, "acme", "meters")
    with pytest.raises(UnknownName, match="nearest: meters: declare it first, with PUT /v2/private/series/meter") as caught:
        await put(tenants, (0, 1.0))
    assert caught.value.nearest == ("meters",)
    with pytest.raises(UnknownName):
        await put(tenants, (0, 1.0), name="../meter")


async def test_a_bad_row_refuses_all_rows(tenants: Store) -> None:
    await declare(tenants)
    with pytest.raises(BadRows, match="line 3: value is not a decimal number"):
        await put(tenants, (0, 1.0), (1, float("nan")))
    assert await values(tenants) == []
    with pytest.raises(Invalid, match="one request or file may have 100"):
        await put(tenants, *((number, 1.0) for number in range(101)))


async def test_a_removed_series_is_gone_with_its_points_and_comes_back_empty(tenants: Store) -> None:
    await declare(tenants)
    await put(tenants, (0, 1.0, 1), (0, 2.0, 2), (1, 3.0, 1))
    private = tenants.private.of("acme")
    old = await private_series(private, "meter")
    removed = await remove_private_series(private, "meter", by=BY)
    assert (removed.points, removed.versions) == (2, 1)
    for read in (private.reader.many, private.reader.versions, private.reader.confirmations):
        assert (await read([old.series_id], span=Span())).is_empty()
    with pytest.raises(UnknownName):
        await put(tenants, (0, 1.0))
    with pytest.raises(UnknownName):
        await remove_private_series(private, "meter", by=BY)
    new = (await declare(tenants)).series
    assert new.series_id != old.series_id
    assert await values(tenants) == []
    (entry,) = await tenants.audit.page(tenant="acme", action="private.remove", before=None, limit=9)
    assert (entry.target, entry.detail["points"]) == (KEY, 2)


async def test_a_declaration_or_a_removal_that_cannot_be_recorded_is_not_made(tenants: Store, faults: Faults) -> None:
    await declare(tenants)
    await put(tenants, (0, 1.0))
    await faults.refuse_writes("audit")
    private = tenants.private.of("acme")
    with pytest.raises(Unavailable):
        await declare(tenants, name="other")
    with pytest.raises(Unavailable):
        await declare(tenants, title="Another title")
    with pytest.raises(Unavailable):
        await remove_private_series(private, "meter", by=BY)
    (series,) = await private.catalog.series_page(SeriesFilter(), after=None, limit=9)
    assert (str(series.key), series.spec.location_name) == (KEY, "East plant")
    assert await values(tenants) == [1.0]


async def test_the_same_points_sent_at_once_are_stored_once(tenants: Store) -> None:
    await declare(tenants)
    results = await asyncio.gather(*(put(tenants, (0, 1.0, 1), (1, 2.0, 1)) for _ in range(8)))
    assert sorted(one.new for one in results) == [0] * 7 + [2]
    assert {one.revised for one in results} == {0}
    assert await values(tenants) == [1.0, 2.0]


async def test_a_removal_and_loads_at_once_leave_no_point_behind(tenants: Store) -> None:
    await declare(tenants)
    private = tenants.private.of("acme")
    old = await private_series(private, "meter")
    await asyncio.gather(
        *(put(tenants, (number, 1.0)) for number in range(4)),
        remove_private_series(private, "meter", by=BY),
        *(put(tenants, (number, 2.0)) for number in range(4)),
        return_exceptions=True,
    )
    assert (await private.reader.many([old.series_id], span=Span())).is_empty()
    assert await private.catalog.series_page(SeriesFilter(), after=None, limit=9) == []


async def test_private_and_shared_series_are_answered_together_in_any_order_of_ids(tenants: Store) -> None:
    keys = list[str]()
    for number in range(3):
        shared, name = f"invented:numbers:{number}:value", f"meter-{number}"
        await tenants.loader.load(file_load([(0, 1, 10.0 + number), (1, 1, 20.0 + number)], key=shared, unit="MWh"))
        await declare(tenants, name=name)
        await put(tenants, (0, float(number), 1), (1, float(number) + 0.5, 4), name=name)
        keys += [shared, f"private:series:{name}:value"]
    reading = reading_of(tenants)
    series = [await series_of(reading.catalog, key) for key in reversed(keys)]
    by_id = {one.series_id: str(one.key) for one in series}
    assert len(by_id) == 6
    answer = await read_many(reading, series, Question())
    read = [(by_id[row[0]], row[1]) for row in answer.frame.select("series_id", "value").rows()]
    assert read == [
        pair
        for number in range(3)
        for pair in (
            (keys[2 * number], 10.0 + number),
            (keys[2 * number], 20.0 + number),
            (keys[2 * number + 1], float(number)),
            (keys[2 * number + 1], number + 0.5),
        )
    ]
    then = await read_many(reading, series, Question(as_of=day(2).isoformat(), unit="kWh", freq=Frequency.DAY))
    assert then.frame["count"].to_list() == [2, 1] * 3
    assert (await read_many(reading, series, Question(freq=Frequency.DAY))).frame["count"].to_list() == [2] * 6


async def test_the_count_limit_is_a_conflict(tenants: Store) -> None:
    await declare(tenants, most=1)
    with pytest.raises(Conflict, match="has 1 private series, and may have 1"):
        await declare(tenants, name="other", most=1)
