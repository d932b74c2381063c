"""The files and recordings that brought a publication, on all adapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.restatement import MOVES
from aurum.storage.ports.access import Actor
from aurum.storage.ports.files import FileLoad
from aurum.storage.ports.lineage import FileMention, LineageReader, QuoteRecords
from aurum.storage.ports.observations import RuleDated
from aurum.storage.ports.recordings import RecordingAction
from aurum.storage.testing.builders import KEY, day, file_load, hour
from aurum.storage.testing.curves import add_product, month_of, quotes_file, trade_day
from aurum.storage.testing.stores import Store, series_named

CURVE = "power:XX:base:INVENTED"


async def loaded(store: Store, file: FileLoad, name: str) -> int:
    return (await store.loader.load(replace(file, record=replace(file.record, name=name)))).file_id


async def mentions(store: Store, ts: float, known: float, *, limit: int = 9, key: str = KEY) -> Sequence[FileMention]:
    series = await series_named(store, key)
    return await store.lineage.mentions(series.series_id, hour(ts), known_at=day(known), limit=limit)


async def quote_records(
    lineage: LineageReader,
    curve_id: int,
    *,
    trade_date: int = 0,
    known: float = 1,
    as_loaded: datetime | None = None,
    limit: int = 9,
) -> QuoteRecords:
    return await lineage.quote_records(
        curve_id, trade_day(trade_date), month_of(1), known_at=day(known), as_loaded=as_loaded, limit=limit
    )


async def test_the_file_that_brought_a_new_point_is_named_first(store: Store) -> None:
    await loaded(store, file_load([(0, 1, 1.0), (5, 1, 1.0)], known_at=day(1)), "first.csv")
    await loaded(store, file_load([(1, 2, 2.0), (9, 2, 2.0)], known_at=day(2)), "second.csv")
    named = await mentions(store, 1, 1)
    assert [(one.file.name, one.is_new, one.known_at) for one in named] == [
        ("first.csv", True, day(1)),
        ("second.csv", False, day(2)),
    ]
    assert all(one.recorded_at is not None and not one.is_scheduled for one in named)


async def test_a_file_known_before_a_publication_cannot_have_brought_it(store: Store) -> None:
    await loaded(store, file_load([(0, 1, 1.0)]), "first.csv")
    await loaded(store, file_load([(0, 2, 2.0)]), "second.csv")
    assert [one.file.name for one in await mentions(store, 0, 2)] == ["second.csv"]


async def test_a_recording_lists_the_publications_that_it_added_among_others(store: Store) -> None:
    await loaded(store, file_load([(0, 1, 1.0), (1, 3, 1.0)]), "first.csv")
    second = await loaded(store, file_load([(0, 2, 2.0)]), "second.csv")
    series = await series_named(store, KEY)
    touches = await store.lineage.touches(series.series_id, hour(0))
    assert [(one.file_id, one.is_added, one.known_at, one.action) for one in touches] == [
        (second, True, day(2), RecordingAction.LOAD)
    ]


async def test_a_restatement_lists_what_it_moved_with_the_value(store: Store) -> None:
    await loaded(store, file_load([(0, 5, 1.5)]), "first.csv")
    series = await series_named(store, KEY)
    moves = pl.DataFrame([(series.series_id, hour(0), day(5), day(1))], schema=MOVES, orient="row")
    async with store.transactions.transaction(by=Actor("test")) as tx:
        recording_id = await tx.recordings.begin()
        await tx.restater.restate(moves, recording_id=recording_id)
        await tx.recordings.seal(recording_id, RecordingAction.RESTATEMENT, [])
    touches = await store.lineage.touches(series.series_id, hour(0))
    assert sorted((one.is_added, one.known_at, one.value, one.file_id) for one in touches) == [
        (False, day(5), 1.5, None),
        (True, day(1), None, None),
    ]
    assert {one.action for one in touches} == {RecordingAction.RESTATEMENT}
    assert [one.file.name for one in await mentions(store, 0, 1)] == ["first.csv"]


async def test_reads_as_loaded_leave_out_later_files(store: Store) -> None:
    await loaded(store, file_load([(0, 1, 1.0)]), "first.csv")
    then = await store.loaded.latest()
    await loaded(store, file_load([(0, 2, 2.0), (-1, 9, 2.0)]), "second.csv")
    series = await series_named(store, KEY)
    named = await store.lineage.mentions(series.series_id, hour(0), known_at=day(1), as_loaded=then, limit=9)
    assert [one.file.name for one in named] == ["first.csv"]
    assert await store.lineage.touches(series.series_id, hour(0), as_loaded=then) == []


async def test_the_number_of_files_is_bounded(store: Store) -> None:
    for number in range(4):
        await loaded(store, file_load([(0, number, float(number))]), f"{number}.csv")
    assert [one.file.name for one in await mentions(store, 0, 0, limit=2)] == ["0.csv", "1.csv"]


async def test_a_quote_names_the_file_that_brought_each_of_its_publications(store: Store) -> None:
    curve_id = (await add_product(store, CURVE)).curve_id
    await loaded(store, quotes_file([(0, 1, 1, 40.0)], key=CURVE, known_at=day(1)), "first.csv")
    await loaded(store, quotes_file([(0, 1, 2, 41.0)], key=CURVE, known_at=day(2)), "second.csv")
    await loaded(store, quotes_file([(0, 1, 1, 40.0), (0, 2, 1, 7.0)], key=CURVE, known_at=day(1)), "again.csv")
    for known, name, settle in ((1, "first.csv", 40.0), (2, "second.csv", 41.0)):
        (one,) = (await quote_records(store.lineage, curve_id, known=known)).publications
        assert one.file is not None
        assert (one.file.name, one.content[0]) == (name, settle)
    named = (await quote_records(store.lineage, curve_id)).mentions
    assert [one.file.name for one in named] == ["first.csv", "again.csv", "second.csv"]
    few = (await quote_records(store.lineage, curve_id, limit=1)).mentions
    assert [one.file.name for one in few] == ["first.csv"]


async def test_records_of_a_quote_as_loaded_leave_out_later_files(store: Store) -> None:
    curve_id = (await add_product(store, CURVE)).curve_id
    await loaded(store, quotes_file([(0, 1, 1, 40.0)], key=CURVE, known_at=day(1)), "first.csv")
    then = await store.loaded.latest()
    await loaded(store, quotes_file([(0, 1, 1, 40.0), (0, 2, 1, 7.0)], key=CURVE, known_at=day(1)), "again.csv")
    records = await quote_records(store.lineage, curve_id, as_loaded=then)
    assert [one.file.name for one in records.publications if one.file] == ["first.csv"]
    assert [one.file.name for one in records.mentions] == ["first.csv"]


async def test_an_unpriced_quote_has_a_publication_like_any_other(store: Store) -> None:
    curve_id = (await add_product(store, CURVE)).curve_id
    await loaded(store, quotes_file([(0, 1, 1, None)], key=CURVE), "first.csv")
    (one,) = (await quote_records(store.lineage, curve_id)).publications
    assert one.content[0] is None
    assert (await quote_records(store.lineage, curve_id, trade_date=1)).publications == []


async def test_a_quote_dated_by_a_rule_says_so(store: Store) -> None:
    curve_id = (await add_product(store, CURVE)).curve_id
    file = quotes_file([(0, 1, 1, 40.0), (3, 1, 4, 41.0)], key=CURVE, rule=RuleDated(), basis=KnownAtBasis.INGESTED)
    await loaded(store, file, "first.csv")
    (one,) = (await quote_records(store.lineage, curve_id)).mentions
    assert (one.is_scheduled, one.known_at) == (True, day(4))


@pytest.fixture
async def own(store: Store) -> LineageReader:
    async with store.transactions.transaction(by=Actor("test")) as tx:
        await tx.tenants.insert("desk", "A desk", "basic")
    return store.private.of("desk").lineage


async def test_the_records_of_a_tenant_are_its_own(store: Store, own: LineageReader) -> None:
    curve_id = (await add_product(store, CURVE, tenant="desk")).curve_id
    await loaded(store, quotes_file([(0, 1, 1, 40.0)], key=CURVE, tenant="desk"), "marks.csv")
    records = await quote_records(own, curve_id)
    assert [one.file.name for one in records.publications if one.file] == ["marks.csv"]
    assert [one.file.name for one in records.mentions] == ["marks.csv"]
    for other in (store.private.of("local").lineage, store.lineage):
        assert await quote_records(other, curve_id) == QuoteRecords([], [])
