"""Publications of quotes move to history with closed months: no answer changes, and a run may die at any step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.currency import rate_key
from aurum.core.errors import Unavailable
from aurum.pipelines.history.archive import Archive, ArchiveReport, archive_closed, clear_leftovers, planned_moves, verify
from aurum.pipelines.history.quotes import QuoteDifference, QuotesNotAsWritten
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.memory import MemoryHistory, MemoryStore
from aurum.storage.memory.history import MemoryQuotes
from aurum.storage.ports.curves import QuoteSpan
from aurum.storage.ports.derived_curves import RATES_ID, DerivedCurve, DerivedInput, FinishedBuild, NewDerivedCurve
from aurum.storage.ports.files import FileLoad
from aurum.storage.ports.history import HistoryNotConfigured
from aurum.storage.ports.quote_history import SOURCE, ArchivedQuotes, QuoteHistoryDamaged, QuotesNotHeld
from aurum.storage.postgres.curves.reader import PostgresCurveReader
from aurum.storage.postgres.transaction import PostgresTransactions
from aurum.storage.testing.archiving import TieredStore
from aurum.storage.testing.builders import T0, day, file_load
from aurum.storage.testing.curves import BY, EVERYTHING, Quote, add_product, month_of, quotes_file, trade_day
from aurum.storage.testing.stores import PostgresStore, Store, patient_loader

pytestmark = pytest.mark.needs_postgres

KEYS = ("power:XX:base:INVENTED", "power:XX:peak:INVENTED")
NOW, CLOSED_AFTER = datetime(2030, 3, 10, tzinfo=UTC), timedelta(days=1)
"""January and February 2030 are closed, and March is not. Trade day 0 is the first of January."""
JANUARY, FEBRUARY = date(2030, 1, 1), date(2030, 2, 1)
FILES: Sequence[dict[str, Sequence[Quote]]] = (
    {key: [(traded, month, 1, 10.0 + traded, None) for traded in (0, 30, 31, 60) for month in (2, 3)] for key in KEYS},
    {
        KEYS[0]: [(0, 2, 3, 12.0), (31, 2, 3, None), (60, 3, 3, 1.0), (30, 2, 0, 5.0)],
        KEYS[1]: [(0, 2, 2, 10.0), (31, 3, 3, 7.0)],
    },
    {KEYS[0]: [(0, 2, 2, 11.0), (0, 2, 3, 12.0)], KEYS[1]: [(0, 4, 1, 1.0), (0, 4, 2, 2.0), (30, 2, 4, 8.0)]},
)
IN_CLOSED_MONTHS = 8
"""Publications beside the rows in force in January and February."""


class Killed(Exception):
    """Raised by a test where a process would have died."""


class Dying:
    """Ports of an archive run, of which the call with the number ``at`` raises ``Killed``, before or just after it is done."""

    def __init__(self, port: object, at: int, calls: list[str], *, after: bool) -> None:
        self._port, self._at, self._after, self.calls = port, at, after, calls

    @property
    def quotes(self) -> Any:
        return Dying(self._port.quotes, self._at, self.calls, after=self._after)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        if not asyncio.iscoroutinefunction(call):
            return call

        async def die_at_call(*arguments: object, **named: object) -> object:
            self.calls.append(name)
            dies = len(self.calls) == self._at
            if dies and not self._after:
                raise Killed(name)
            answer = await call(*arguments, **named)
            if dies:
                raise Killed(name)
            return answer

        return die_at_call


@pytest_asyncio.fixture
async def store(postgres_store: PostgresStore, tmp_path: Path) -> AsyncIterator[TieredStore]:
    history = DuckdbHistory(history_files_at(str(tmp_path / "history")), SystemClock(), grace=timedelta(0))
    store = TieredStore(postgres_store.pool, SystemClock(), history)
    for key in KEYS:
        await add_product(store, key)
    for file in FILES:
        await store.plain_loader.load(quotes_file(file))
    yield store
    await store.close()
    await history.close()


def archive_of(store: TieredStore, **changes: object) -> Archive:
    return Archive(**{"log": store.log, "history": store.history, "grace": timedelta(0), **changes})  # type: ignore[arg-type]


async def run(archive: Archive) -> list[ArchiveReport]:
    return [report async for report in archive_closed(archive, now=NOW, closed_after=CLOSED_AFTER)]


async def named(store: TieredStore) -> list[ArchivedQuotes]:
    return [part async for page in store.log.quotes.parts() for part in page]


async def hot_publications(store: TieredStore) -> int:
    async with store.pool.acquire() as connection:
        return await connection.fetchval("SELECT count(*) FROM quote_publication")


async def answers(store: Store) -> list[pl.DataFrame]:
    """Return every kind of answer, as of and as loaded by many instants."""
    ids = [(await store.curves.product(key, tenant=None)).curve_id for key in KEYS]
    async with store.pool.acquire() as connection:  # type: ignore[attr-defined]
        instants = [row[0] for row in await connection.fetch("SELECT recorded_at FROM recording ORDER BY 1")][: len(FILES)]
    spans = (
        EVERYTHING,
        QuoteSpan(first=trade_day(1), last=trade_day(31)),
        QuoteSpan(trade_dates=(trade_day(0), trade_day(60))),
        QuoteSpan(deliveries=(month_of(2),)),
        QuoteSpan(trade_dates=(trade_day(30),), deliveries=(month_of(2), month_of(4))),
    )
    frames: list[pl.DataFrame] = []
    for as_of in (None, *(day(known) for known in range(5))):
        for as_loaded in (None, *instants):
            for span in spans:
                frames.append(await store.curves.quotes(ids, span, as_of=as_of, as_loaded=as_loaded))
                frames.append(await store.curves.versions(ids, span, as_of=as_of, as_loaded=as_loaded))
            frames.append(await store.curves.trade_dates(ids, as_of=as_of, as_loaded=as_loaded))
            frames.append(await store.curves.trade_dates(ids, before=trade_day(31), limit=1, as_of=as_of, as_loaded=as_loaded))
    return frames


def expect_the_same(one: Sequence[pl.DataFrame], other: Sequence[pl.DataFrame]) -> None:
    for left, right in zip(one, other, strict=True):
        assert_frame_equal(left, right, check_exact=True)


async def test_publications_of_closed_months_move_and_no_answer_changes(store: TieredStore) -> None:
    before, hot = await answers(store), await hot_publications(store)
    archive = archive_of(store)
    planned = await planned_moves(archive, now=NOW, closed_after=CLOSED_AFTER)
    assert [(one.source, one.months.first, one.rows) for one in planned if one.source != SOURCE] == []
    assert sum(one.rows for one in planned) == IN_CLOSED_MONTHS
    assert await hot_publications(store) == hot
    reports = await run(archive)
    assert [(one.source, one.months.first, one.left) for one in reports] == [(SOURCE, JANUARY, 0), (SOURCE, FEBRUARY, 0)]
    assert sum(one.rows for one in reports) == IN_CLOSED_MONTHS
    assert await hot_publications(store) == hot - IN_CLOSED_MONTHS > 0
    expect_the_same(before, await answers(store))
    assert await run(archive) == []
    assert [(one.source, one.month) for one in await store.log.months()] == [(SOURCE, JANUARY), (SOURCE, FEBRUARY)]
    assert [one async for one in verify(archive)] == [(4, [])]


@pytest.mark.parametrize("after", [False, True])
async def test_a_run_that_dies_at_any_step_loses_nothing_and_doubles_nothing(store: TieredStore, after: bool) -> None:
    before, hot = await answers(store), await hot_publications(store)
    for at in range(1, 100):
        calls: list[str] = []
        ports = {name: Dying(port, at, calls, after=after) for name, port in (("log", store.log), ("history", store.history))}
        try:
            await run(archive_of(store, **ports))
        except Killed:
            archived = sum(part.rows for part in await named(store))
            assert await hot_publications(store) + archived == hot
            ids = [(await store.curves.product(key, tenant=None)).curve_id for key in KEYS]
            assert_frame_equal(await store.curves.versions(ids, EVERYTHING), before[1], check_exact=True)
            await bring_back(store)
            assert await hot_publications(store) == hot
            continue
        break
    assert at > 10
    assert {"sizes", "begin", "snapshot", "write", "publications", "commit", "archive_ids", "unused_ids"} <= set(calls)
    expect_the_same(before, await answers(store))
    await clear_leftovers(archive_of(store))
    assert store.history.quotes is not None
    assert await store.history.quotes.archive_ids() == {part.archive_id for part in await named(store)}


async def test_a_derived_curve_follows_corrections_of_archived_months_and_no_move(store: TieredStore) -> None:
    await store.plain_loader.load(rates((trade_day(0), 1.1), (trade_day(30), 1.2)))
    curve = await derived(store)
    await run(archive_of(store))
    assert {one.source for one in await store.log.months()} == {SOURCE, "ecb"}
    assert (await store.derived_curves.curve(curve.derived_id, tenant=None)).changes == ()
    await store.plain_loader.load(quotes_file({KEYS[0]: [(0, 2, 4, 99.0), (31, 2, 1, 41.0)]}))
    await store.plain_loader.load(rates((trade_day(0), 1.1), (trade_day(30), 1.3), version=1))
    quotes, changed_rates = (await store.derived_curves.curve(curve.derived_id, tenant=None)).changes
    assert quotes.trade_dates == (trade_day(0),)
    assert (changed_rates.curve_id, changed_rates.trade_dates) == (RATES_ID, (trade_day(30),))
    assert await store.log.months() != [], "other months are still archived"


def rates(*values: tuple[date, float], version: int = 0) -> FileLoad:
    points = [
        ((datetime(one.year, one.month, one.day, tzinfo=UTC) - T0) / timedelta(hours=1), version, rate) for one, rate in values
    ]
    return file_load(points, key=rate_key("USD"), unit="USD/EUR", currency="USD", frequency="1d")


async def derived(store: TieredStore) -> DerivedCurve:
    """Add a derived curve that converts a product, as if it had been built."""
    hub = await store.curves.product(KEYS[0], tenant=None)
    added = await add_product(store, "power:XX:base:DERIVED")
    convert = {"op": "convert", "curve": KEYS[0], "currency": "USD"}
    inputs = (DerivedInput(hub.curve_id, KEYS[0]),)
    async with store.transactions.transaction(by=BY) as tx:
        new = NewDerivedCurve("derived", "power:XX:base:DERIVED", None, added.curve_id, convert, None, inputs, "test")
        await tx.derived_curves.add(new)
        begun = await tx.derived_curves.begin("derived")
        await tx.derived_curves.finish(FinishedBuild("derived", begun.builds, (), {hub.curve_id: 1}, {}), known_at=None)
    return begun


async def bring_back(store: TieredStore) -> None:
    """Load all files again, which change nothing, but look at all publications."""
    for file in FILES:
        assert (await store.plain_loader.load(quotes_file(file), force=True)).revised == 0
    assert await named(store) == []


async def test_a_file_that_needs_archived_publications_restores_them_and_the_next_run_archives_them_again(
    store: TieredStore,
) -> None:
    model = MemoryStore(SystemClock())
    for key in KEYS:
        await add_product(model, key)
    for file in FILES:
        await model.loader.load(quotes_file(file))
    first = await run(archive_of(store))
    late: list[Quote] = [(0, 2, 2, 11.5, None), (30, 3, 9, 4.0)]
    for one in (store.plain_loader, model.loader):
        assert (await one.load(quotes_file(late, key=KEYS[0]))).revised == 2
    curve_id = (await store.curves.product(KEYS[0], tenant=None)).curve_id
    assert (curve_id, JANUARY) not in {(part.curve_id, part.month) for part in await named(store)}
    assert len(await named(store)) == 3
    second = await run(archive_of(store))
    assert [(one.months.first, one.parts) for one in second] == [(JANUARY, 1)]
    assert not {one.archive_id for one in second} & {one.archive_id for one in first}
    products = [await one.curves.product(KEYS[0], tenant=None) for one in (store, model)]
    assert len({one.version for one in products}) == 1
    expected = await model.curves.versions([1, 2], EVERYTHING)
    assert_frame_equal(
        (await store.curves.versions([curve_id, curve_id + 1], EVERYTHING)).drop("curve_id"), expected.drop("curve_id")
    )


async def test_a_file_that_repeats_rows_in_force_restores_nothing(store: TieredStore) -> None:
    await run(archive_of(store))
    parts = await named(store)
    await store.plain_loader.load(quotes_file([(0, 2, 3, 12.0), (1, 2, 3, 12.0)], key=KEYS[0], digest="again"))
    assert await named(store) == parts


async def test_a_load_that_comes_while_a_month_is_moved_keeps_its_products_hot(store: TieredStore) -> None:
    assert store.history.quotes is not None
    ids = [(await store.curves.product(key, tenant=None)).curve_id for key in KEYS]
    archive_id = await store.log.begin(
        SOURCE, (await planned_moves(archive_of(store), now=NOW, closed_after=CLOSED_AFTER))[0].months
    )
    rows = await store.log.quotes.snapshot(ids, JANUARY)
    await store.history.quotes.write(rows, archive_id=archive_id)
    await store.plain_loader.load(quotes_file([(0, 2, 9, 99.0)], key=KEYS[0]))
    before = await answers(store)
    moved = await store.log.quotes.commit(archive_id, rows)
    assert moved["curve_id"].to_list() == [ids[1]]
    expect_the_same(before, await answers(store))


async def test_loads_runs_and_reads_at_once_leave_what_the_model_says(store: TieredStore) -> None:
    model = MemoryStore(SystemClock())
    for key in KEYS:
        await add_product(model, key)
    later = [{KEYS[0]: [(0, 2, 10 + number, float(number))], KEYS[1]: [(31, 3, 9 - number, 3.0)]} for number in range(6)]
    for file in (*FILES, *later):
        await model.loader.load(quotes_file(file))
    ids = [(await store.curves.product(key, tenant=None)).curve_id for key in KEYS]
    as_of_then = await store.curves.quotes(ids, EVERYTHING, as_of=day(2))

    async def load() -> None:
        for file in later:
            await store.plain_loader.load(quotes_file(file))

    async def archive() -> None:
        for _ in range(5):
            await run(archive_of(store, grace=timedelta(hours=1)))

    async def read() -> None:
        for _ in range(20):
            assert_frame_equal(
                (await store.curves.quotes(ids[:1], EVERYTHING, as_of=day(2))), as_of_then.filter(pl.col("curve_id") == ids[0])
            )

    await asyncio.gather(load(), archive(), read())
    expected = await model.curves.versions([1, 2], EVERYTHING)
    assert_frame_equal((await store.curves.versions(ids, EVERYTHING)).drop("curve_id"), expected.drop("curve_id"))


async def test_without_history_publications_are_refused_and_rows_in_force_are_answered(store: TieredStore) -> None:
    ids = [(await store.curves.product(key, tenant=None)).curve_id for key in KEYS]
    current = await store.curves.quotes(ids, EVERYTHING)
    await run(archive_of(store))
    reader = PostgresCurveReader(store.pool, SystemClock())
    assert_frame_equal(await reader.quotes(ids, EVERYTHING), current)
    assert_frame_equal(await reader.quotes(ids, EVERYTHING, as_of=day(9)), current)
    assert (await reader.trade_dates(ids)).height == 8
    assert not (await reader.versions(ids, QuoteSpan(first=trade_day(60)))).is_empty()
    for as_of in (day(1), None):
        with pytest.raises(HistoryNotConfigured):
            await reader.versions(ids, EVERYTHING, as_of=as_of)
    with pytest.raises(HistoryNotConfigured):
        await reader.quotes(ids, EVERYTHING, as_of=day(2))
    with pytest.raises(HistoryNotConfigured):
        await reader.trade_dates(ids, as_of=day(2))
    loader = patient_loader(PostgresTransactions(store.pool), store.files)
    with pytest.raises(HistoryNotConfigured):
        await loader.load(quotes_file([(0, 2, 9, 99.0)], key=KEYS[0]))


class WithoutQuotes(MemoryHistory):
    """A history that holds no quotes, as that of Trino."""

    @property
    def quotes(self) -> None:  # type: ignore[override]
        return None


async def test_a_history_that_holds_no_quotes_leaves_them_in_the_hot_store(store: TieredStore) -> None:
    hot = await hot_publications(store)
    assert await run(archive_of(store, history=WithoutQuotes())) == []
    assert await hot_publications(store) == hot
    await run(archive_of(store))
    ids = [(await store.curves.product(key, tenant=None)).curve_id for key in KEYS]
    with pytest.raises(QuotesNotHeld, match="AURUM_HISTORY__TIER"):
        await PostgresCurveReader(store.pool, SystemClock(), history=WithoutQuotes).versions(ids, EVERYTHING)


class Forgetful(MemoryQuotes):
    """A store that loses one of the publications written to it."""

    async def publications(self, parts: Sequence[ArchivedQuotes]) -> pl.DataFrame:
        return (await super().publications(parts)).slice(1)


class ForgetfulHistory(MemoryHistory):
    """A history with ``Forgetful`` quotes."""

    def __init__(self, quotes: MemoryQuotes) -> None:
        super().__init__()
        self._quotes = quotes


async def test_publications_that_history_returns_changed_are_not_archived(store: TieredStore) -> None:
    before, hot = await answers(store), await hot_publications(store)
    with pytest.raises(QuotesNotAsWritten):
        await run(archive_of(store, history=ForgetfulHistory(Forgetful())))
    assert await named(store) == []
    assert await hot_publications(store) == hot
    expect_the_same(before, await answers(store))


async def test_history_that_lost_publications_is_detected_and_never_served(store: TieredStore, tmp_path: Path) -> None:
    whole, broken = MemoryQuotes(), Forgetful()
    await run(archive_of(store, history=ForgetfulHistory(whole)))
    vars(broken).update(vars(whole))
    history = ForgetfulHistory(broken)
    wrong = [one async for _, differences in verify(archive_of(store, history=history)) for one in differences]
    assert wrong
    assert all(isinstance(one, QuoteDifference) for one in wrong)
    ids = [(await store.curves.product(key, tenant=None)).curve_id for key in KEYS]
    reader = PostgresCurveReader(store.pool, SystemClock(), history=lambda: history)
    for times in ({}, {"as_of": day(2)}):
        with pytest.raises(QuoteHistoryDamaged, match="archive verify"):
            await reader.versions(ids, EVERYTHING, **times)
    hot = await hot_publications(store)
    loader = patient_loader(PostgresTransactions(store.pool, lambda: history), store.files)
    with pytest.raises(QuoteHistoryDamaged):
        await loader.load(quotes_file([(0, 2, 9, 99.0)], key=KEYS[0]))
    assert await hot_publications(store) == hot
    with pytest.raises(Unavailable):  # the folder has no file of these ids
        await store.curves.versions(ids, EVERYTHING)


async def test_quotes_of_tenants_stay(store: TieredStore) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.tenants.insert("acme", "acme", "basic")
    key = "power:YY:base:OWN"
    own = await add_product(store, key, tenant="acme")
    for number in range(3):
        await store.plain_loader.load(quotes_file([(0, 2, number, float(number))], key=key, tenant="acme"))
    await run(archive_of(store))
    assert own.curve_id not in {part.curve_id for part in await named(store)}
    await store.curves.product(key, tenant="acme")
    assert (await store.curves.versions([own.curve_id], EVERYTHING)).height == 3
