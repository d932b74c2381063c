"""Removal of series: everything of one series goes, everything else stays."""

from __future__ import annotations

import asyncio

import pytest

from aurum.core.asof import Span
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import LocationFilter, SeriesFilter
from aurum.storage.ports.quality import CompletenessFilter
from aurum.storage.ports.removal import Referrer, RemovedRows
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.builders import KEY, file_load, together
from aurum.storage.testing.stores import PostgresStore, Store, series_named
from aurum.storage.testing.waiting import wait_until

OTHER = "invented:numbers:B:value"
USD = "ecb:reference_rates:EURUSD:rate"
OPERATOR = Actor("operator")
HOT_TABLES = ("observation", "observation_version", "observation_confirmation", "completeness", "file_series", "archived_part")

FIRST = together(
    file_load([(0, 1, 1.0), (1, 1, 2.0), (800, 1, 3.0)], key=KEY), file_load([(0, 1, 7.0), (1, 1, 8.0)], key=OTHER)
)
SECOND = together(file_load([(0, 2, 1.5), (1, 2, 2.0)], key=KEY), file_load([(0, 2, 7.5)], key=OTHER))


async def remove(store: Store, key: str) -> RemovedRows:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        series = await tx.removal.lock(key)
        assert series is not None
        return await tx.removal.remove(series)


async def rows_of(store: Store, series_id: int) -> dict[str, int]:
    """Return the number of rows of a series in each table of a database."""
    assert isinstance(store, PostgresStore)
    async with store.pool.acquire() as connection:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table} WHERE series_id = $1", series_id)
            for table in HOT_TABLES
        }


async def seen(store: Store, key: str) -> tuple[object, ...]:
    """Return everything that reads show of a series, by the texts of frames."""
    series = await series_named(store, key)
    span = Span()
    return (
        series,
        (await store.reader.observations(series.series_id, span=span)).rows(),
        (await store.reader.revisions(series.series_id, span=span)).rows(),
        (await store.partials.partials([series.series_id], span=span)).drop("series_id").rows(),
        await store.quality.completeness_page(CompletenessFilter(key=key), after=None, limit=99),
    )


async def test_a_removed_series_is_in_no_list_and_has_no_values(store: Store) -> None:
    await store.loader.load(FIRST)
    await store.loader.load(SECOND)
    series_id = (await series_named(store, KEY)).series_id
    other = await seen(store, OTHER)
    await remove(store, KEY)
    assert [str(one.key) for one in await store.catalog.series_page(SeriesFilter(), after=None, limit=9)] == [OTHER]
    assert [one.location for one in await store.catalog.locations_page(LocationFilter(), after=None, limit=9)] == ["B"]
    assert await store.catalog.nearest_keys(KEY) == (OTHER,)
    assert (await store.reader.observations(series_id, span=Span())).is_empty()
    assert (await store.reader.revisions(series_id, span=Span())).is_empty()
    assert (await store.partials.partials([series_id], span=Span())).is_empty()
    days = await store.quality.completeness_page(CompletenessFilter(), after=None, limit=99)
    assert {one.key for one in days} == {OTHER}
    assert await seen(store, OTHER) == other
    if not isinstance(store, MemoryStore):
        assert set((await rows_of(store, series_id)).values()) == {0}


async def test_a_removal_counts_what_it_deletes(store: Store) -> None:
    await store.loader.load(FIRST)
    await store.loader.load(SECOND)
    removed = await remove(store, KEY)
    assert (removed.days, removed.files) == (2, 2)
    if isinstance(store, TieredStore):
        assert (removed.points, removed.versions, removed.parts, removed.archived_rows) == (0, 0, 2, 4)
    else:
        assert (removed.points, removed.versions, removed.parts, removed.archived_rows) == (3, 1, 0, 0)


async def test_a_removal_that_is_rolled_back_changes_nothing(store: Store) -> None:
    await store.loader.load(FIRST)
    await store.loader.load(SECOND)
    before = await seen(store, KEY)
    with pytest.raises(RuntimeError, match="after the removal"):
        await _removed_and_failed(store)
    assert await seen(store, KEY) == before


async def _removed_and_failed(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        series = await tx.removal.lock(KEY)
        assert series is not None
        await tx.removal.remove(series)
        raise RuntimeError("after the removal")


async def test_an_unknown_text_names_no_series(store: Store) -> None:
    async with store.transactions.transaction(by=OPERATOR) as tx:
        assert await tx.removal.lock("no key at all") is None


async def test_a_file_of_a_removed_series_is_loaded_again_only_with_force(store: Store) -> None:
    await store.loader.load(FIRST)
    before = await seen(store, KEY)
    series_id = (await series_named(store, KEY)).series_id
    await remove(store, KEY)
    assert (await store.loader.load(FIRST)).already_loaded
    assert KEY not in await store.catalog.series_by_key([KEY])
    assert (await store.loader.load(FIRST, force=True)).new == 3
    assert (await seen(store, KEY))[1:] == before[1:]
    # A cached answer is known by the id and the version of its series, which counts from the start again.
    assert (await series_named(store, KEY)).series_id > series_id


async def test_an_exchange_rate_is_needed_by_the_series_in_its_currency(store: Store) -> None:
    await store.loader.load(file_load([(0, 1, 1.1)], key=USD, unit="USD/EUR", currency="USD", frequency="1d"))
    async with store.transactions.transaction(by=OPERATOR) as tx:
        rate = await tx.removal.lock(USD)
        assert rate is not None
        assert await tx.removal.referrers(rate) == ()
    await store.loader.load(file_load([(0, 1, 30.0)], unit="USD/MWh", currency="USD"))
    async with store.transactions.transaction(by=OPERATOR) as tx:
        priced = await tx.removal.lock(KEY)
        assert priced is not None
        assert await tx.removal.referrers(rate) == (Referrer("conversion of series in USD", 1, (KEY,)),)
        assert await tx.removal.referrers(priced) == ()


INVALID = ("A\u200b1", "B\x91", " padded", "tab\there")


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> PostgresStore:
    return request.getfixturevalue("postgres_store")


async def rename(store: PostgresStore, location: str, *, source: str = "invented") -> str:
    """Give the series ``KEY`` a location that an older release would have stored; return its key."""
    key = f"{source}:numbers:{location}:value"
    async with store.pool.acquire() as connection:
        await connection.execute("UPDATE series SET key = $1, location = $2 WHERE key = $3", key, location, KEY)
    return key


@pytest.mark.needs_postgres
@pytest.mark.parametrize("location", INVALID)
async def test_a_series_with_an_invalid_key_is_left_out_shown_to_operators_and_removable(
    postgres: PostgresStore, location: str
) -> None:
    await postgres.loader.load(FIRST)
    key = await rename(postgres, location)
    assert [str(one.key) for one in await postgres.catalog.series_page(SeriesFilter(), after=None, limit=9)] == [OTHER]
    assert [one.location for one in await postgres.catalog.locations_page(LocationFilter(), after=None, limit=9)] == ["B"]
    assert await postgres.catalog.series_by_key([key, OTHER]) == {OTHER: await series_named(postgres, OTHER)}
    (invalid,) = await postgres.catalog.invalid_series()
    assert (invalid.key, "location" in invalid.why) == (key, True)
    await remove(postgres, key)
    assert await postgres.catalog.invalid_series() == []


@pytest.mark.needs_postgres
@pytest.mark.parametrize("column", ["frequency", "source"])
async def test_no_invalid_column_of_one_row_fails_a_list(postgres: PostgresStore, column: str) -> None:
    await postgres.loader.load(FIRST)
    async with postgres.pool.acquire() as connection:
        await connection.execute(f"UPDATE series SET {column} = 'Not Valid' WHERE key = $1", KEY)
    assert [str(one.key) for one in await postgres.catalog.series_page(SeriesFilter(), after=None, limit=9)] == [OTHER]
    assert [one.key for one in await postgres.catalog.invalid_series()] == [KEY]


@pytest.mark.needs_postgres
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_are_full_although_invalid_rows_are_left_out(postgres: PostgresStore, limit: int) -> None:
    names = [f"N{number}" for number in range(9)]
    await postgres.loader.load(together(*(file_load([(0, 1, 1.0)], key=f"invented:numbers:{name}:value") for name in names)))
    invalid = [0, 1, 4, 5, 8]
    async with postgres.pool.acquire() as connection:
        for number in invalid:
            name, other = names[number], f"N{number}\u200b"
            await connection.execute(
                "UPDATE series SET location = $2, key = replace(key, $1, $2) WHERE location = $1", name, other
            )
    valid = [name for number, name in enumerate(names) if number not in invalid]
    keys, after = [], None
    while page := await postgres.catalog.series_page(SeriesFilter(), after=after, limit=limit):
        keys += [one.key.location for one in page]
        after = str(page[-1].key)
        if len(page) < limit:
            break
    places, position = [], None
    while listed := await postgres.catalog.locations_page(LocationFilter(), after=position, limit=limit):
        places += [one.location for one in listed]
        position = (listed[-1].source, listed[-1].location)
        if len(listed) < limit:
            break
    assert (keys, places) == (valid, valid)


@pytest.mark.needs_postgres
async def test_a_load_that_waits_for_a_removal_creates_the_series_anew(postgres: PostgresStore) -> None:
    await postgres.loader.load(FIRST)
    async with postgres.transactions.transaction(by=OPERATOR) as tx:
        series = await tx.removal.lock(KEY)
        assert series is not None
        load = asyncio.create_task(postgres.loader.load(SECOND))
        await _until_one_waits(postgres)
        await tx.removal.remove(series)
    outcome = await load
    assert (outcome.new, outcome.revised) == (2, 1)
    values = await postgres.reader.observations((await series_named(postgres, KEY)).series_id, span=Span())
    assert values["value"].to_list() == [1.5, 2.0]


async def _until_one_waits(store: PostgresStore) -> None:
    async def waits() -> bool:
        async with store.pool.acquire() as connection:
            return await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )

    await wait_until(waits)
