"""A store on PostgreSQL: it opens on a schema it can use, has what settings ask for, and leaves no connection behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol

import asyncpg
import pytest

from aurum.assembly.memory import memory_store
from aurum.assembly.postgres import check_store, open_live_store, open_store
from aurum.assembly.store import Store
from aurum.common.settings import DatabaseSettings, HistorySettings, Settings
from aurum.core.asof import Span
from aurum.core.errors import Unavailable
from aurum.services.access import create_tenant
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.migrations.compatibility import UnusableSchema
from aurum.storage.migrations.head import newest_revision
from aurum.storage.ports.access import Actor
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.testing.builders import KEY, T0, file_load
from aurum.storage.testing.waiting import wait_until

UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nowhere"
OPERATOR = Actor("operator")
NO_HISTORY = HistorySettings(tier="none")

Opens = Callable[[Settings], AbstractAsyncContextManager[Store]]
both_ways = pytest.mark.parametrize("opens", [open_store, open_live_store], ids=["open_store", "open_live_store"])


class SettingsFor(Protocol):
    def __call__(self, url: str | None, *, database: dict[str, object] | None = None, **others: object) -> Settings: ...


class Connections(Protocol):
    async def to(self, url: str) -> int: ...
    async def none_to(self, url: str) -> None: ...


class Broken(Exception):
    """An error that a test raises while a store is open."""


class StoppedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncIterator[None]:
    """Lock a table for the length of the block, so that no other connection reads or changes it."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def use_every_part(store: Store) -> None:
    """Load a file and read through each port that a store on PostgreSQL always has."""
    await store.files.loader.load(file_load([(0, 1, 1.0)]))
    series = (await store.catalog.reader.series_by_key([KEY]))[KEY]
    rows = await store.observations.reader.observations(series.series_id, span=Span())
    assert rows["value"].to_list() == [1.0]
    await create_tenant(store.transactions, "acme", "Acme", "basic", by=OPERATOR)
    assert [one.tenant_id for one in await store.access.tenants.tenants(after=None, limit=9)] == ["acme", "local"]
    assert [one.action for one in await store.access.audit.page(before=None, limit=9)] == ["tenant.create"]
    assert [one.dataset for one in await store.quality.log.datasets_quality(now=T0)] == ["numbers"]
    assert await store.quality.validations.latest_validations() == []
    assert await store.flags.flags() == []
    assert await store.models.models() == []
    assert await store.cache.get("nothing") is None
    assert (await store.probe.look()).schema == newest_revision()


@both_ways
async def test_every_part_of_an_open_store_answers_and_no_connection_is_left(
    database_url: str, settings_for: SettingsFor, connections: Connections, opens: Opens
) -> None:
    async with opens(settings_for(database_url)) as store:
        await use_every_part(store)
        assert await connections.to(database_url) > 0
    await connections.none_to(database_url)


@both_ways
async def test_no_connection_is_left_when_the_work_fails(
    database_url: str, settings_for: SettingsFor, connections: Connections, opens: Opens
) -> None:
    async def work() -> None:
        async with opens(settings_for(database_url)) as store:
            await store.flags.flags()
            raise Broken

    with pytest.raises(Broken):
        await work()
    await connections.none_to(database_url)


@both_ways
async def test_no_connection_is_left_when_the_work_is_cancelled(
    database_url: str, settings_for: SettingsFor, connections: Connections, opens: Opens
) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        async with opens(settings_for(database_url)) as store, store.transactions.transaction(by=OPERATOR) as tx:
            await tx.flags.locked()
            begun.set()
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await connections.none_to(database_url)


@both_ways
async def test_a_store_that_a_later_release_migrated_is_refused_with_the_release_to_install(
    later_url: str, settings_for: SettingsFor, connections: Connections, opens: Opens
) -> None:
    with pytest.raises(UnusableSchema, match=r"install release 9\.9 or newer"):
        async with opens(settings_for(later_url)):
            pytest.fail("it opened")
    await connections.none_to(later_url)


async def test_a_store_that_was_never_migrated_is_refused_with_the_command_to_run(
    unmigrated_url: str, settings_for: SettingsFor, connections: Connections
) -> None:
    with pytest.raises(UnusableSchema, match="aurum db migrate"):
        async with open_store(settings_for(unmigrated_url)):
            pytest.fail("it opened")
    await connections.none_to(unmigrated_url)


async def test_a_live_store_opens_before_its_database_is_migrated_and_says_so(
    unmigrated_url: str, settings_for: SettingsFor, connections: Connections
) -> None:
    async with open_live_store(settings_for(unmigrated_url)) as store:
        state = await store.probe.look()
    assert state.schema is None
    assert state.mismatch is not None
    await connections.none_to(unmigrated_url)


@both_ways
async def test_a_server_that_does_not_answer_is_unavailable(settings_for: SettingsFor, opens: Opens) -> None:
    with pytest.raises(Unavailable):
        async with opens(settings_for(UNREACHABLE)):
            pytest.fail("it opened")


async def test_a_store_that_can_be_reached_is_left_again(
    database_url: str, unmigrated_url: str, settings_for: SettingsFor, connections: Connections
) -> None:
    for url in (database_url, unmigrated_url):
        await check_store(settings_for(url))
        await connections.none_to(url)


async def test_a_store_that_cannot_be_used_is_not_reached(
    later_url: str, settings_for: SettingsFor, connections: Connections
) -> None:
    with pytest.raises(UnusableSchema, match="install release"):
        await check_store(settings_for(later_url))
    await connections.none_to(later_url)
    with pytest.raises(Unavailable):
        await check_store(settings_for(UNREACHABLE))


async def test_a_store_has_no_change_feed_and_keeps_no_sums_by_the_hour_unless_it_is_live(
    database_url: str, settings_for: SettingsFor
) -> None:
    async with open_store(settings_for(database_url)) as store:
        assert store.changes is None
        assert store.observations.partials is not None
        assert not store.observations.partials.has_sums
    async with open_live_store(settings_for(database_url)) as live:
        assert live.changes is not None
        assert live.observations.partials is not None


@both_ways
async def test_a_store_has_a_history_where_settings_name_one(
    database_url: str, settings_for: SettingsFor, opens: Opens
) -> None:
    async with opens(settings_for(database_url, history=NO_HISTORY)) as store:
        assert store.history is not None
        assert store.history.store is None
        assert [part async for part in store.history.log.parts()] == []
    settings = settings_for(database_url)
    async with opens(settings) as store:
        assert store.history is not None
        assert store.history.store is not None
        await use_every_part(store)


async def test_a_store_in_memory_has_nothing_to_archive_to_and_nothing_to_build_models_from(settings_for: SettingsFor) -> None:
    clock, settings = StoppedClock(), settings_for(None)
    changes = MemoryChangeFeed()
    store: Store = memory_store(settings, clock, MemoryStore(clock), changes)
    assert (store.history, store.model_inputs, store.tuning) == (None, None, None)
    assert (store.settings, store.clock, store.changes) == (settings, clock, changes)


async def test_parts_of_a_store_stay_the_same_while_it_is_open(database_url: str, settings_for: SettingsFor) -> None:
    async with open_store(settings_for(database_url)) as store:
        names = ("transactions", "observations", "catalog", "files", "quality", "access", "flags", "models")
        more = ("idempotency", "probe", "cache", "history", "model_inputs", "tuning")
        for name in (*names, *more):
            assert getattr(store, name) is getattr(store, name), name


@both_ways
async def test_a_store_makes_no_more_connections_than_settings_allow(
    database_url: str, settings_for: SettingsFor, connections: Connections, opens: Opens
) -> None:
    settings = settings_for(database_url, database={"pool_size": 2, "connect_timeout_s": 120.0})
    async with opens(settings) as store:
        assert store.probe.use().most == 2
        before = await connections.to(database_url)

        async def third() -> None:
            async with store.transactions.transaction(by=OPERATOR):
                pass

        async with store.transactions.transaction(by=OPERATOR), store.transactions.transaction(by=OPERATOR):
            waiting = asyncio.create_task(third())
            # One of the first may have been there before.
            assert await connections.to(database_url) - before <= 2
            assert not waiting.done()
            assert store.probe.use().busy == 2
        await waiting
        assert store.probe.use().busy == 0


async def opened_in_time(stack: AsyncExitStack, settings: Settings) -> Store:
    """Open a store whose statements have little time: a busy machine may take longer for the first ones."""
    while True:
        with suppress(Unavailable):
            return await stack.enter_async_context(open_store(settings))


async def test_reads_of_a_store_end_when_settings_say(database_url: str, settings_for: SettingsFor) -> None:
    settings = settings_for(database_url, database={"statement_timeout_s": 0.2})
    async with AsyncExitStack() as stack:
        store = await opened_in_time(stack, settings)
        async with locked(database_url, "flag"):
            with pytest.raises(Unavailable):
                await store.flags.flags()

        async def are_read() -> bool:
            with suppress(Unavailable):
                return await store.flags.flags() == []
            return False

        await wait_until(are_read)


async def test_loads_of_a_store_end_when_settings_say(database_url: str, settings_for: SettingsFor) -> None:
    settings = settings_for(database_url, database={"load_timeout_s": 0.5})
    async with open_store(settings) as store:
        async with locked(database_url, "series"):
            with pytest.raises(Unavailable):
                await store.files.loader.load(file_load([(0, 1, 1.0)]))

        async def is_loaded() -> bool:
            with suppress(Unavailable):
                return (await store.files.loader.load(file_load([(0, 1, 1.0)]))).new == 1
            return False

        await wait_until(is_loaded)


async def test_another_server_than_that_of_the_settings_can_be_used(database_url: str, settings_for: SettingsFor) -> None:
    other = DatabaseSettings(url=database_url, pool_size=3)
    async with open_store(settings_for(UNREACHABLE), database=other) as store:
        assert store.database == other
        assert store.probe.use().most == 3
        await use_every_part(store)


async def test_a_store_goes_by_the_clock_it_is_opened_with(database_url: str, settings_for: SettingsFor) -> None:
    clock = StoppedClock()
    async with open_store(settings_for(database_url), clock=clock) as store:
        assert store.clock is clock


async def test_a_live_store_is_told_what_another_store_changes(
    database_url: str, settings_for: SettingsFor, connections: Connections
) -> None:
    reported: list[Change] = []
    settings = settings_for(database_url)
    async with open_live_store(settings) as live, open_store(settings) as other:
        assert live.changes is not None
        assert await live.catalog.reader.series_by_key([KEY]) == {}
        live.changes.listen(reported.append)
        await other.files.loader.load(file_load([(0, 1, 1.0)]))
        await live.changes.catch_up()
        series = (await live.catalog.reader.series_by_key([KEY]))[KEY]
        assert Change(ChangeKind.SERIES, (str(series.series_id),)) in reported
        assert ChangeKind.FILES in {one.kind for one in reported}
    await connections.none_to(database_url)
