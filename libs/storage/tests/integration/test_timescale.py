"""TimescaleDB: the result of ``aurum db optimize``, and answers that equal the rows. Needs a server (see the plugin)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.core.asof import Span
from aurum.core.frequency import Frequency
from aurum.core.markettime import day_bounds, parse_instant
from aurum.core.series.partials import compose, partials
from aurum.core.series.resample import Aggregation, resample
from aurum.storage.ports.tuning import DataClass, RetentionTooShort
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.testing.builders import KEY, T0, Point, file_load, hour, together
from aurum.storage.testing.stores import PostgresStore, series_named
from aurum.storage.timescale import Feature, Licence, NotPermitted, TimescaleMissing, TimescalePartialsReader, TimescaleTuning
from aurum.storage.timescale.aggregates import stale
from aurum.storage.timescale.hypertables import TABLES

pytestmark = pytest.mark.needs_timescale

DAY = timedelta(days=1)


@pytest_asyncio.fixture(loop_scope="session")
async def plain(plain_timescale_url: str) -> AsyncIterator[PostgresStore]:
    """Yield a store on a server with the extension, which the store does not use yet."""
    pool = await PostgresPool.open(DatabaseSettings(url=plain_timescale_url, pool_size=3))
    yield PostgresStore(pool, SystemClock())
    await pool.close()


@pytest.fixture
def tuning(timescale_store: PostgresStore) -> TimescaleTuning:
    return TimescaleTuning(timescale_store.pool)


def five_minutes(hours: float, *, start: float = 0, known: float = 0, add: float = 0.0) -> list[Point]:
    return [(start + n / 12, known, float(n * 7919 % 1000) + add) for n in range(round(hours * 12))]


async def load(store: PostgresStore, points: Sequence[Point], *, key: str = KEY, zone: str = "UTC") -> int:
    await store.loader.load(file_load(points, key=key, frequency="5min", zone=zone))
    return (await series_named(store, key)).series_id


async def same_as_rows(store: PostgresStore, *ids: int, span: Span | None = None) -> pl.DataFrame:
    """Return the stored hours, after a check that they equal those computed from rows."""
    hours = await store.partials.partials(ids, span=span or Span())
    assert_frame_equal(hours, partials(await store.reader.many(ids, span=span or Span())), rel_tol=1e-12)
    return hours


async def stale_hours(store: PostgresStore) -> int:
    """Return how many hours of the test's days have stale sums."""
    async with store.pool.acquire() as connection:
        spans = await stale(connection, T0, T0 + 60 * DAY)
    return sum(((high - low) // timedelta(hours=1) for low, high in spans), start=0)


async def test_rows_move_into_chunks_and_a_second_time_does_nothing(plain: PostgresStore) -> None:
    first = file_load(five_minutes(48), frequency="5min")
    await plain.loader.load(first)
    await plain.loader.load(file_load([(1.0, 1, -5.0), (2.0, 1, -6.0)], frequency="5min"))
    series = await series_named(plain, KEY)
    before = await plain.reader.observations(series.series_id, span=Span())
    revisions = await plain.reader.revisions(series.series_id, span=Span())
    tuning = TimescaleTuning(plain.pool)

    done = (await tuning.optimize()).done
    assert done[0] == "extension timescaledb created"
    assert [line.split(":")[0] for line in done if "hypertable" in line] == list(TABLES)
    assert (await tuning.optimize()).done == ()

    assert_frame_equal(await plain.reader.observations(series.series_id, span=Span()), before)
    assert_frame_equal(await plain.reader.revisions(series.series_id, span=Span()), revisions)
    assert {chunk.table for chunk in await tuning.chunks()} == set(TABLES)
    assert (await plain.loader.load(first)).already_loaded
    # The sums of existing rows are computed at once.
    plain.partials = await TimescalePartialsReader.open(plain.pool)
    assert (await same_as_rows(plain, series.series_id)).height == 48
    assert await stale_hours(plain) == 60 * 24 - 48


async def test_a_database_that_was_not_optimised_keeps_no_sums(plain: PostgresStore) -> None:
    reader = await TimescalePartialsReader.open(plain.pool)
    assert not reader.has_sums
    assert (await reader.partials([1], span=Span())).is_empty()


async def test_the_licence_says_what_may_be_used(tuning: TimescaleTuning) -> None:
    extension = await tuning.extension()
    assert extension.licence is Licence.TIMESCALE
    assert extension.permitted == frozenset(Feature)


async def test_sums_are_read_where_they_are_fresh_and_only_there(
    timescale_store: PostgresStore, tuning: TimescaleTuning
) -> None:
    """Falsified sums are returned until their hour changes."""
    series_id = await load(timescale_store, five_minutes(48))
    await tuning.refresh()
    async with timescale_store.pool.acquire() as connection:
        materialized = await connection.fetchval(
            """SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
               FROM timescaledb_information.continuous_aggregates"""
        )
        await connection.execute(f"UPDATE {materialized} SET greatest = 1e6")
    assert set((await timescale_store.partials.partials([series_id], span=Span()))["max"]) == {1e6}
    await load(timescale_store, [(3.0, 5, 2e6)])
    hours = await timescale_store.partials.partials([series_id], span=Span())
    assert hours.filter(ts=hour(3))["max"].item() == 2e6
    assert set(hours.filter(pl.col("ts") != hour(3))["max"]) == {1e6}


async def test_a_late_correction_of_an_old_hour_shows_at_once(timescale_store: PostgresStore, tuning: TimescaleTuning) -> None:
    series_id = await load(timescale_store, five_minutes(24 * 30))
    await tuning.refresh()
    assert await stale_hours(timescale_store) == 30 * 24
    before = await same_as_rows(timescale_store, series_id)

    await load(timescale_store, [(50.0, 2, 1e6)])  # revises
    await load(timescale_store, [(100.25, -1, 5.0), (100.5, 3, float("nan"), 9)])  # known earlier; withdrawn
    await load(timescale_store, [(-30.0, 0, 7.0), (24 * 40, 0, 8.0)])  # before and after everything
    after = await same_as_rows(timescale_store, series_id)
    assert after.filter(ts=hour(50))["max"].item() == 1e6
    assert after.filter(ts=hour(100))["count"].item() == 11
    assert after.height == before.height + 2
    assert await stale_hours(timescale_store) > 30 * 24

    await tuning.refresh()
    assert await stale_hours(timescale_store) < 30 * 24
    assert_frame_equal(await same_as_rows(timescale_store, series_id), after, check_exact=True)


async def test_a_deletion_shows_at_once(timescale_store: PostgresStore, tuning: TimescaleTuning) -> None:
    series_id = await load(timescale_store, five_minutes(48))
    await tuning.refresh()
    async with timescale_store.pool.acquire() as connection:
        await connection.execute("DELETE FROM observation WHERE series_id = $1 AND ts < $2", series_id, hour(10))
    assert (await same_as_rows(timescale_store, series_id))["ts"].min() == hour(10)


async def test_an_open_load_is_seen_by_no_reader_and_a_committed_one_by_all(
    timescale_store: PostgresStore, tuning: TimescaleTuning
) -> None:
    """Also when the sums are refreshed while it is open: the commit makes the log of stale hours visible."""
    series_id = await load(timescale_store, five_minutes(48))
    await tuning.refresh()
    async with timescale_store.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE observation SET value = 1e6 WHERE series_id = $1 AND ts = $2", series_id, hour(3))
        assert (await same_as_rows(timescale_store, series_id))["max"].max() < 1e6
        await tuning.refresh()
        assert (await same_as_rows(timescale_store, series_id))["max"].max() < 1e6
        await transaction.commit()
    assert (await same_as_rows(timescale_store, series_id)).filter(ts=hour(3))["max"].item() == 1e6


@pytest.mark.parametrize(
    "zone", ["America/New_York", "America/Chicago", "America/Los_Angeles", "America/Edmonton", "Europe/Berlin"]
)
@pytest.mark.parametrize("season", ["spring", "autumn"])
async def test_days_with_23_and_25_hours_are_exact(
    timescale_store: PostgresStore, tuning: TimescaleTuning, zone: str, season: str
) -> None:
    changes = {"spring": ("2025-03-09", "2025-03-30", 23), "autumn": ("2025-11-02", "2025-10-26", 25)}[season]
    day = changes[1] if zone.startswith("Europe") else changes[0]
    change = parse_instant(day, zone)
    offset = (change - T0) / timedelta(hours=1) - 24
    series_id = await load(timescale_store, five_minutes(24 * 4, start=offset), zone=zone)
    await tuning.refresh()
    start, end = day_bounds(date.fromisoformat(day), zone)
    assert (end - start) / timedelta(hours=1) == changes[2]
    rows = await timescale_store.reader.many([series_id], span=Span())
    hours = await same_as_rows(timescale_store, series_id)
    for agg in (Aggregation.MEAN, Aggregation.SUM, Aggregation.COUNT, Aggregation.MIN, Aggregation.MAX):
        composed = compose(hours, series_frequency=Frequency.MIN_5, freq=Frequency.DAY, agg=agg, zone=zone)
        expected = resample(rows, series_frequency=Frequency.MIN_5, freq=Frequency.DAY, agg=agg, zone=zone, by=["series_id"])
        assert_frame_equal(composed, expected, check_exact=True)
        if agg is Aggregation.COUNT:
            assert composed.filter(ts=start)["value"].item() == changes[2] * 12


async def test_loads_into_compressed_chunks_keep_the_law(timescale_store: PostgresStore, tuning: TimescaleTuning) -> None:
    """New points, revisions, late publications and confirmations, before and after the chunk is compressed again."""
    other = "invented:numbers:B:value"
    await timescale_store.loader.load(
        together(*(file_load(five_minutes(24 * 20, add=n), key=key, frequency="5min") for n, key in enumerate((KEY, other))))
    )
    first, second = [(await series_named(timescale_store, key)).series_id for key in (KEY, other)]
    assert await tuning.compress(datetime(2026, 1, 1, tzinfo=UTC)) > 0
    assert all(chunk.compressed for chunk in await tuning.chunks())
    untouched = await timescale_store.reader.observations(second, span=Span())

    for round_ in range(7):  # more runs than a prepared statement has before it gets its generic plan
        known = 2 + round_
        await load(timescale_store, [(24.0 + round_, known, -float(known)), (60.0, known, -100.0 - round_)])
        if round_ == 3:
            await tuning.compress(datetime(2026, 1, 1, tzinfo=UTC))
    await load(timescale_store, five_minutes(2, start=24 * 20 - 1, known=20, add=0.5))  # half of them new
    await load(timescale_store, [(60.0, 1, -55.0), (40.0, -3, 7.0)])  # late
    await load(timescale_store, [(24.0, 30, -2.0)])  # confirms

    observations = await timescale_store.reader.observations(first, span=Span())
    assert observations.filter(ts=hour(24))["value"].item() == -2.0
    assert observations.filter(ts=hour(60))["value"].item() == -106.0
    assert observations.height == 24 * 20 * 12 + 12
    versions = await timescale_store.reader.revisions(first, span=Span(hour(60), hour(60.01)))
    assert versions["value"].to_list() == [720 * 7919 % 1000, -55.0, *(-100.0 - n for n in range(7))]
    as_of = await timescale_store.reader.observations(first, span=Span(hour(60), hour(60.01)), as_of=T0 + 1.5 * DAY)
    assert as_of["value"].to_list() == [-55.0]
    assert_frame_equal(await timescale_store.reader.observations(second, span=Span()), untouched)
    await same_as_rows(timescale_store, first, second)


async def test_a_correction_unpacks_the_batches_it_changes_and_no_others(
    timescale_store: PostgresStore, tuning: TimescaleTuning
) -> None:
    files = [file_load(five_minutes(24 * 20), key=f"invented:numbers:{n}:value", frequency="5min") for n in range(10)]
    await timescale_store.loader.load(together(*files))
    await tuning.compress(datetime(2026, 1, 1, tzinfo=UTC))
    await load(timescale_store, [(30.0, 2, -1.0)], key="invented:numbers:3:value")
    async with timescale_store.pool.acquire() as connection:
        # Rows outside of the columnstore: at most one batch of 1,000, of one series.
        names = [row[0] for row in await connection.fetch("SELECT show_chunks('observation')::text")]
        loose = [await connection.fetchval(f"SELECT count(*) FROM ONLY {name}") for name in names]
    assert 0 < sum(loose) <= 1_000


async def test_backfill_goes_into_compressed_chunks_and_is_compressed_with_the_next_run(
    timescale_store: PostgresStore, tuning: TimescaleTuning
) -> None:
    other = "invented:numbers:B:value"
    await load(timescale_store, five_minutes(24 * 20))
    before = datetime(2026, 1, 1, tzinfo=UTC)
    await tuning.compress(before)
    chunks = {(chunk.table, chunk.start) for chunk in await tuning.chunks()}
    series_id = await load(timescale_store, five_minutes(24 * 20, add=0.25), key=other)
    assert {(chunk.table, chunk.start) for chunk in await tuning.chunks()} == chunks
    filled = await timescale_store.reader.observations(series_id, span=Span())
    await tuning.compress(before)
    async with timescale_store.pool.acquire() as connection:
        names = [row[0] for row in await connection.fetch("SELECT show_chunks('observation')::text")]
        assert [await connection.fetchval(f"SELECT count(*) FROM ONLY {name}") for name in names] == [0] * len(names)
    assert_frame_equal(await timescale_store.reader.observations(series_id, span=Span()), filled)


async def test_a_long_stream_of_compressed_rows_is_whole_and_in_order(
    timescale_store: PostgresStore, tuning: TimescaleTuning
) -> None:
    files = [file_load(five_minutes(24 * 120, add=n), key=f"invented:numbers:{n}:value", frequency="5min") for n in range(4)]
    await timescale_store.loader.load(together(*files))
    await tuning.compress(datetime(2026, 1, 1, tzinfo=UTC))
    ids = [(await series_named(timescale_store, f"invented:numbers:{n}:value")).series_id for n in range(4)]
    rows = await timescale_store.reader.many(ids, span=Span())
    assert rows.height == 4 * 24 * 120 * 12 > 65_536
    assert rows.equals(rows.sort("series_id", "ts"))
    assert rows.n_unique(["series_id", "ts"]) == rows.height


async def test_no_rows_are_deleted_unless_a_retention_is_set(tuning: TimescaleTuning) -> None:
    policies = await tuning.policies()
    assert policies.retention == {}
    assert policies.compress_after == 7 * DAY
    assert policies.refresh_window is None


async def test_values_outlast_the_refreshes_that_read_them(tuning: TimescaleTuning) -> None:
    with pytest.raises(RetentionTooShort):
        await tuning.set_policies(retention={DataClass.VALUES: 3650 * DAY})
    await tuning.set_policies(refresh_window=400 * DAY)
    with pytest.raises(RetentionTooShort):
        await tuning.set_policies(retention={DataClass.VALUES: 399 * DAY})
    policies = await tuning.set_policies(retention={DataClass.VALUES: 400 * DAY, DataClass.VERSIONS: 100 * DAY})
    assert policies.retention == {DataClass.VALUES: 400 * DAY, DataClass.VERSIONS: 100 * DAY}
    with pytest.raises(RetentionTooShort):
        await tuning.set_policies(refresh_window=401 * DAY)
    assert (await tuning.policies()).refresh_window == 400 * DAY
    policies = await tuning.set_policies(compress_after=30 * DAY, retention={DataClass.VALUES: None})
    assert (policies.compress_after, policies.retention) == (30 * DAY, {DataClass.VERSIONS: 100 * DAY})


async def test_deleted_rows_are_in_no_sum(timescale_store: PostgresStore, tuning: TimescaleTuning) -> None:
    await tuning.set_interval(28 * DAY)
    series_id = await load(timescale_store, five_minutes(24 * 200))
    await tuning.refresh()
    async with timescale_store.pool.acquire() as connection:
        dropped = await connection.fetch("SELECT drop_chunks('observation', $1::timestamptz)", T0 + 150 * DAY)
    assert dropped
    hours = await same_as_rows(timescale_store, series_id)
    assert 0 < hours.height < 24 * 200


async def test_future_chunks_can_have_another_length(timescale_store: PostgresStore, tuning: TimescaleTuning) -> None:
    await tuning.set_interval(7 * DAY)
    await load(timescale_store, five_minutes(24))
    assert {chunk.end - chunk.start for chunk in await tuning.chunks()} == {7 * DAY}
    assert all(chunk.bytes > 0 and not chunk.compressed for chunk in await tuning.chunks())


async def test_hourly_sums_are_declared_where_they_are_stored(timescale_store: PostgresStore) -> None:
    assert timescale_store.partials.has_sums


async def test_under_the_apache_licence_tables_are_in_chunks_and_the_other_features_are_named(
    apache_timescale_url: str,
) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=apache_timescale_url, pool_size=2))
    try:
        tuning = TimescaleTuning(pool)
        store = PostgresStore(pool, SystemClock())
        optimised = await tuning.optimize()
        assert [line.split(":")[0] for line in optimised.done[1:]] == list(TABLES)
        assert optimised.engine.endswith("licence apache, which does not permit compression, continuous aggregates, policies")
        assert (await tuning.optimize()).done == ()
        series_id = await load(store, five_minutes(48))
        await load(store, [(3.0, 2, -1.0)])
        assert (await store.reader.observations(series_id, span=Span())).height == 48 * 12
        assert [chunk.compressed for chunk in await tuning.chunks()] == [False, False]
        assert not (await TimescalePartialsReader.open(pool)).has_sums
        with pytest.raises(NotPermitted):
            await tuning.policies()
        with pytest.raises(NotPermitted):
            await tuning.compress(T0)
    finally:
        await pool.close()


async def test_a_server_that_does_not_load_the_extension_says_so(unloaded_timescale_url: str) -> None:
    pool = await PostgresPool.open(DatabaseSettings(url=unloaded_timescale_url, pool_size=2))
    try:
        with pytest.raises(TimescaleMissing, match="shared_preload_libraries"):
            await TimescaleTuning(pool).optimize()
    finally:
        await pool.close()
