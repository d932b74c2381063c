"""Months that move to history and back: no row is lost or doubled, wherever a process dies in between."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO

import asyncpg
import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.errors import Conflict, Unavailable
from aurum.core.history import tally
from aurum.pipelines.history.archive import (
    Archive,
    ArchiveReport,
    NotAsWritten,
    archive_closed,
    clear_leftovers,
    erase_removed,
    planned_moves,
    verify,
)
from aurum.pipelines.history.planning import Move
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.duckdb.errors import HistoryUnavailable
from aurum.storage.duckdb.history_files import Folder
from aurum.storage.duckdb.manifest import Manifest
from aurum.storage.memory import MemoryHistory, MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.files import FileLoad
from aurum.storage.ports.history import ArchivedPart, ArchiveRunning, HistoryDamaged, HistoryNotConfigured, Months
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.postgres.transaction import PostgresTransactions
from aurum.storage.testing.archiving import TieredStore, named_parts
from aurum.storage.testing.builders import Point, day, file_load, hour, together
from aurum.storage.testing.stores import PostgresStore, patient_loader
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_postgres

KEYS = [f"invented:numbers:{name}:value" for name in "AB"]
OTHER = "elsewhere:numbers:A:value"
MONTH_H = 744
"""Hours of January 2025, the month in which the builders begin."""
HOURS = (0, 1, 300, MONTH_H - 1, MONTH_H, MONTH_H + 5, 1_416, 1_420)
"""Hours since the start of January, in January, February and March."""
NOW = datetime(2025, 3, 10, tzinfo=UTC)
"""A time at which January and February are closed, and March is not."""
CLOSED_AFTER = timedelta(days=1)
JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
ONLY_JANUARY = Months(JANUARY, JANUARY)
CLOSED = Months(JANUARY, FEBRUARY)


class Killed(Exception):
    """Raised by a test where a process would have died."""


class FailingAtCall:
    """Any port, of which the call with the number ``at`` raises ``Killed``, before or just after it is done."""

    def __init__(self, port: object, at: int, *, after: bool, calls: list[str] | None = None) -> None:
        self._port, self._at, self._after = port, at, after
        self.calls = calls if calls is not None else []

    def __getattr__(self, name: str) -> object:
        call = getattr(self._port, name)
        if not asyncio.iscoroutinefunction(call):
            return call

        async def fail_at_call(*arguments: object, **named: object) -> object:
            self.calls.append(name)
            dies = len(self.calls) == self._at
            if dies and not self._after:
                raise Killed(name)
            answer = await call(*arguments, **named)
            if dies:
                raise Killed(name)
            return answer

        return fail_at_call


@pytest_asyncio.fixture
async def store(postgres_store: PostgresStore, tmp_path: Path) -> AsyncIterator[TieredStore]:
    history = DuckdbHistory(history_files_at(str(tmp_path / "history")), SystemClock(), grace=timedelta(0))
    yield TieredStore(postgres_store.pool, SystemClock(), history)
    await history.close()


def archive_of(store: TieredStore, **changes: object) -> Archive:
    return Archive(**{"log": store.log, "history": store.history, "grace": timedelta(0), **changes})  # type: ignore[arg-type]


async def run(archive: Archive, **options: object) -> list[ArchiveReport]:
    moves = archive_closed(archive, **{"now": NOW, "closed_after": CLOSED_AFTER, **options})  # type: ignore[arg-type]
    return [report async for report in moves]


def points(seed: int) -> list[Point]:
    draw = random.Random(seed)
    return [(at, known, draw.choice([1.0, 2.0, float("nan")])) for at in HOURS for known in draw.sample(range(4), 2)]


def files_to_load() -> list[FileLoad]:
    return [together(*(file_load(points(seed + 10 * n), key=key) for n, key in enumerate(KEYS))) for seed in range(3)]


async def load(store: TieredStore, *files: FileLoad) -> MemoryStore:
    """Load files into the hot store and into a model in memory; return the model."""
    model = MemoryStore(SystemClock())
    for file in files or files_to_load():
        await store.plain_loader.load(file)
        await model.loader.load(file)
    return model


async def ids(store: TieredStore, *keys: str) -> list[int]:
    by_key = await store.catalog.series_by_key(list(keys or KEYS))
    return [by_key[key].series_id for key in keys or KEYS]


async def expect_the_model(
    store: TieredStore,
    model: MemoryStore,
    keys: Sequence[str] = KEYS,
    *,
    spans: Sequence[Span] = (Span(), Span(hour(MONTH_H - 1), hour(MONTH_H + 1)), Span(hour(1), hour(1_417))),
    known: Sequence[int] = range(4),
) -> None:
    """Assert that every read of the store and of the model gives the same, and that history matches the log."""
    theirs = await model.catalog.series_by_key(list(keys))
    ours = await store.catalog.series_by_key(list(keys))
    for key in keys:
        one, other = ours[key].series_id, theirs[key].series_id
        assert_frame_equal(await store.reader.revisions(one, span=Span()), await model.reader.revisions(other, span=Span()))
        for span in spans:
            for as_of in (None, *map(day, known)):
                expected = await model.reader.observations(other, span=span, as_of=as_of)
                assert_frame_equal(await store.reader.observations(one, span=span, as_of=as_of), expected, check_exact=True)
                many = await store.reader.many([one], span=span, as_of=as_of)
                assert_frame_equal(many.drop("series_id"), expected, check_exact=True)
    assert [difference async for _, differences in verify(archive_of(store)) for difference in differences] == []


async def all_rows(store: TieredStore) -> tuple[int, int]:
    """Count and checksum of every row of both tiers."""
    series = await ids(store)
    hot = (await store.log.snapshot(series, Months(JANUARY, MARCH))).rows
    cold = await store.history.rows(await named_parts(store.log))
    tallied = tally(pl.concat([hot, cold]))
    return tallied["rows"].sum(), tallied.select(pl.col("checksum").reinterpret(signed=False).sum()).item()


async def hot_rows(store: TieredStore) -> int:
    async with store.pool.acquire() as connection:
        return await connection.fetchval(
            "SELECT (SELECT count(*) FROM observation) + (SELECT count(*) FROM observation_version)"
        )


async def test_closed_months_move_and_answers_do_not_change(store: TieredStore) -> None:
    model = await load(store)
    before = await all_rows(store)
    version = (await store.catalog.series_by_key(KEYS))[KEYS[0]].version
    reports = await run(archive_of(store))
    assert [(one.months, one.parts, one.left) for one in reports] == [(CLOSED, 4, 0)]
    assert sum(one.rows for one in reports) + await hot_rows(store) == before[0]
    assert await all_rows(store) == before
    await expect_the_model(store, model)
    assert (await store.catalog.series_by_key(KEYS))[KEYS[0]].version == version
    assert await run(archive_of(store)) == []


async def test_pieces_are_as_large_as_they_may_be_and_one_source_can_go_alone(store: TieredStore) -> None:
    model = await load(store, *files_to_load(), file_load(points(5), key=OTHER))
    reports = await run(archive_of(store, chunk_rows=1), source="invented")
    assert [(one.source, one.parts) for one in reports] == [("invented", 1)] * 4
    assert [one.source for one in await run(archive_of(store))] == ["elsewhere"]
    await expect_the_model(store, model, [*KEYS, OTHER])
    assert [(one.source, one.month, one.parts) for one in await store.log.months()] == [
        ("elsewhere", JANUARY, 1),
        ("elsewhere", FEBRUARY, 1),
        ("invented", JANUARY, 2),
        ("invented", FEBRUARY, 2),
    ]


async def test_months_and_series_that_fit_in_memory_are_one_file(store: TieredStore, tmp_path: Path) -> None:
    model = await load(store)
    (report,) = await run(archive_of(store))
    assert report.months == CLOSED
    (file,) = Manifest.decode((tmp_path / "history" / "manifest.json").read_bytes()).files
    assert (file.first, file.last, file.rows) == (JANUARY, FEBRUARY, report.rows)
    await expect_the_model(store, model)


async def test_a_plan_says_what_a_run_moves_and_moves_nothing(store: TieredStore) -> None:
    await load(store)
    before = await hot_rows(store)
    archive = archive_of(store)
    (move,) = await planned_moves(archive, now=NOW, closed_after=CLOSED_AFTER)
    assert (await hot_rows(store), await named_parts(store.log)) == (before, [])
    announced: list[Move] = []
    (report,) = await run(archive, planned=announced.extend)
    assert announced == [move]
    assert (report.source, report.months, report.parts, report.rows) == (move.source, move.months, move.parts, move.rows)


async def test_merged_files_hold_every_version_and_can_be_corrected(store: TieredStore) -> None:
    files = [*files_to_load(), file_load([(300, 9, 9.0)], key=KEYS[0])]
    model = await load(store, *files[:-1])
    await run(archive_of(store, chunk_rows=1))
    done = await store.history.upkeep()
    assert (done.files_before, done.files_after) == (4, 1)
    await expect_the_model(store, model)
    await store.plain_loader.load(files[-1])
    await model.loader.load(files[-1])
    await expect_the_model(store, model)
    await run(archive_of(store))
    await store.history.upkeep()
    await expect_the_model(store, model)
    assert await store.history.archive_ids() == {part.archive_id for part in await named_parts(store.log)}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("chunk_rows", [1, 1_000], ids=["a move for each part", "one move for all parts"])
async def test_a_run_that_dies_at_any_step_loses_nothing_and_doubles_nothing(
    store: TieredStore, after: bool, chunk_rows: int
) -> None:
    model = await load(store)
    before = await all_rows(store)
    for at in range(1, 100):
        calls: list[str] = []
        fail_at_call = archive_of(
            store,
            log=FailingAtCall(store.log, at, after=after, calls=calls),
            history=FailingAtCall(store.history, at, after=after, calls=calls),
            chunk_rows=chunk_rows,
        )
        try:
            await run(fail_at_call)
        except Killed:
            assert await all_rows(store) == before
            await expect_the_model(store, model, spans=(Span(),), known=(2,))
            # All months are hot again, so that the next run does the same work and dies at its next step.
            await bring_everything_back(store)
            assert await all_rows(store) == before
            continue
        assert at > 11
        break
    else:
        pytest.fail("the run never came to its end")
    assert {
        "unused_ids",
        "closed_months",
        "sizes",
        "begin",
        "snapshot",
        "write",
        "rows",
        "commit",
        "archive_ids",
        "discard",
    } <= set(calls)
    assert await all_rows(store) == before
    await expect_the_model(store, model)
    await clear_leftovers(archive_of(store))
    assert await store.history.archive_ids() == {part.archive_id for part in await named_parts(store.log)}


async def bring_everything_back(store: TieredStore) -> None:
    for number, file in enumerate(files_to_load()):
        await store.plain_loader.load(file, force=True)
        assert number < 3
    assert await named_parts(store.log) == []


_CHILD = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings
from aurum.pipelines.history.archive import Archive, archive_closed
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.history.log import PostgresArchiveLog

async def main(url, folder, chunk_rows):
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
    history = DuckdbHistory(history_files_at(folder), SystemClock(), grace=timedelta(0))
    archive = Archive(PostgresArchiveLog(pool), history, chunk_rows=int(chunk_rows), grace=timedelta(0))
    async for report in archive_closed(archive, now=SystemClock().now(), closed_after=timedelta(days=1)):
        print(report.rows, flush=True)
    async with archive.log.exclusive_run():
        print("merging", flush=True)
        await history.upkeep()
    await history.close()
    await pool.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.e2e
@pytest.mark.timeout(900)
@pytest.mark.parametrize("chunk_rows", [1, 20, 1_000])
async def test_a_process_killed_again_and_again_archives_everything_in_the_end(
    store: TieredStore, database_url: str, tmp_path: Path, chunk_rows: int
) -> None:
    draw = random.Random(chunk_rows)
    model = await load(store)
    before = await all_rows(store)
    command = [sys.executable, "-c", _CHILD, database_url, str(tmp_path / "history"), str(chunk_rows)]
    for _ in range(3):
        child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        # Killed at some time between its first report and the end of the merge that follows the last one.
        await child.stdout.readline()
        await asyncio.sleep(draw.random() * 0.05)  # the moment of the kill is drawn
        if child.returncode is None:
            child.send_signal(signal.SIGKILL)
        await child.wait()
        assert await all_rows(store) == before
        await expect_the_model(store, model, spans=(Span(),), known=(2,))
    await finished(store)
    await store.history.upkeep()
    assert await all_rows(store) == before
    await expect_the_model(store, model)
    assert await hot_rows(store) == 0
    assert await store.history.archive_ids() == {part.archive_id for part in await named_parts(store.log)}


async def finished(store: TieredStore) -> None:
    """Run to the end, once the server has noticed that the killed process is gone."""

    async def ran() -> bool:
        try:
            await run(archive_of(store), now=datetime(2026, 1, 1, tzinfo=UTC))
        except ArchiveRunning:
            return False
        return True

    await wait_until(ran)
    await clear_leftovers(archive_of(store))


async def test_one_run_goes_at_a_time(store: TieredStore) -> None:
    await load(store)
    async with store.log.exclusive_run():
        with pytest.raises(ArchiveRunning):
            await run(archive_of(store))
    assert len(await run(archive_of(store))) == 1


@pytest.mark.parametrize("late", [(300, 0, 9.0), (300, 9, 9.0), (301, 1, 9.0)])
async def test_a_correction_of_an_archived_month_brings_it_back(store: TieredStore, late: Point) -> None:
    files = [*files_to_load(), file_load([late], key=KEYS[0])]
    model = await load(store, *files[:-1])
    await run(archive_of(store))
    await store.plain_loader.load(files[-1])
    await model.loader.load(files[-1])
    await expect_the_model(store, model)
    series = await ids(store)
    hot = {(part.series_id, part.month) for part in await named_parts(store.log)}
    assert hot == {(series[0], FEBRUARY), (series[1], JANUARY), (series[1], FEBRUARY)}
    (again,) = await run(archive_of(store))
    assert (again.months, again.parts) == (ONLY_JANUARY, 1)
    await expect_the_model(store, model)


async def test_rows_a_correction_left_in_history_go_when_no_read_can_see_them(store: TieredStore) -> None:
    await load(store, file_load([(0, 0, 1.0)], key=KEYS[0]))
    await run(archive_of(store))
    await store.plain_loader.load(file_load([(0, 1, 2.0)], key=KEYS[0]))
    assert await clear_leftovers(archive_of(store, grace=timedelta(hours=1))) == frozenset()
    assert len(await store.history.archive_ids()) == 1
    assert len(await clear_leftovers(archive_of(store))) == 1
    assert await store.history.archive_ids() == frozenset()


async def test_ids_the_log_does_not_know_are_left_alone(store: TieredStore) -> None:
    """They belong to another store, or are newer than a restored log; they are not overwritten either."""
    model = await load(store)
    foreign = (await store.log.snapshot(await ids(store), ONLY_JANUARY)).rows
    for archive_id in range(1, 4):
        await store.history.write(foreign, source="invented", archive_id=archive_id)
    reports = await run(archive_of(store))
    assert min(one.archive_id for one in reports) == 4
    assert await store.history.archive_ids() == {1, 2, 3, 4}
    await expect_the_model(store, model)


async def test_a_load_that_comes_while_a_month_is_moved_keeps_it_hot(store: TieredStore) -> None:
    model = await load(store)
    late = file_load([(300, 3, 7.0), (302, 3, 7.0)], key=KEYS[0])
    other = file_load([(1_420, 3, 7.0)], key=KEYS[1])
    snapshot = await store.log.snapshot(await ids(store), CLOSED)
    archive_id = await store.log.begin("invented", CLOSED)
    await store.history.write(snapshot.rows, source="invented", archive_id=archive_id)
    for file in (late, other):
        await store.plain_loader.load(file)
        await model.loader.load(file)
    one, two = await ids(store)
    # The first series changed in January, the second in March, which does not move.
    moved = await store.log.commit(archive_id, snapshot)
    assert moved.select("series_id", "month").rows() == [(one, FEBRUARY), (two, JANUARY), (two, FEBRUARY)]
    await expect_the_model(store, model)


async def test_loads_and_runs_at_once_leave_what_the_model_says(store: TieredStore) -> None:
    files = files_to_load()
    model = await load(store, *files)
    draw = random.Random(3)
    more = [
        together(*(file_load([(draw.choice(HOURS), draw.randrange(6), draw.random())], key=key) for key in KEYS))
        for _ in range(12)
    ]

    async def loads() -> None:
        for file in more:
            await store.plain_loader.load(file)

    async def runs() -> None:
        for _ in range(6):
            await run(archive_of(store, grace=timedelta(hours=1), chunk_rows=10))

    async with asyncio.timeout(500):
        await asyncio.gather(loads(), runs())
    for file in more:
        await model.loader.load(file)
    await expect_the_model(store, model)
    await run(archive_of(store))
    await expect_the_model(store, model)


async def test_a_read_that_began_before_a_correction_ends_as_it_began(store: TieredStore) -> None:
    await load(store)
    await run(archive_of(store, grace=timedelta(hours=1)))
    series = await ids(store)
    before = await store.reader.many(series, span=Span())
    async with store.hot.hot_stream(series, span=Span()) as hot:
        await store.plain_loader.load(file_load([(300, 9, 9.0)], key=KEYS[0]))
        await run(archive_of(store, grace=timedelta(hours=1)))
        cold = await store.history.many(hot.parts, span=Span())
        rows = [batch async for batch in hot.batches]
    assert_frame_equal(pl.concat([cold, *rows]).sort("series_id", "ts"), before)


async def test_without_history_archived_months_are_refused_not_left_out(store: TieredStore) -> None:
    await load(store)
    await run(archive_of(store))
    (one, _) = await ids(store)
    hot: SeriesReader = store.hot
    for read in (hot.observations(one, span=Span()), hot.revisions(one, span=Span()), hot.many([one], span=Span())):
        with pytest.raises(HistoryNotConfigured, match="AURUM_HISTORY__TIER"):
            await read
    assert (await hot.observations(one, span=Span(hour(1_416)))).height == 2
    loader = patient_loader(PostgresTransactions(store.pool), store.files)
    rows = await all_rows(store)
    with pytest.raises(HistoryNotConfigured):
        await loader.load(file_load([(300, 9, 1.0), (1_500, 9, 1.0)], key=KEYS[0]))
    assert await all_rows(store) == rows
    outcome = await loader.load(file_load([(1_500, 9, 1.0)], key=KEYS[0]))
    assert outcome.new == 1


async def remove(store: TieredStore, key: str) -> int:
    """Remove a series and return the id it had."""
    async with store.transactions.transaction(by=Actor("operator")) as tx:
        series = await tx.removal.lock(key)
        assert series is not None
        await tx.removal.remove(series)
        return series.series_id


async def rows_in_history(folder: Path, series_id: int) -> int:
    """Count the rows of a series in all files that the manifest names, whether the log names them or not."""
    manifest = Manifest.decode((folder / "manifest.json").read_bytes())
    frames = [pl.read_parquet(folder / file.name, columns=["series_id"]) for file in manifest.files]
    return sum(frame.filter(pl.col("series_id") == series_id).height for frame in frames)


async def test_a_removed_series_leaves_history_with_the_next_run(store: TieredStore, tmp_path: Path) -> None:
    model = await load(store)
    await run(archive_of(store))
    series_id = await remove(store, KEYS[0])
    assert await rows_in_history(tmp_path / "history", series_id) > 0
    assert {part.series_id for part in await named_parts(store.log)}.isdisjoint({series_id})
    # A read that began before the removal may still use the files.
    await run(archive_of(store, grace=timedelta(hours=1)))
    assert await rows_in_history(tmp_path / "history", series_id) > 0
    await run(archive_of(store))
    assert await rows_in_history(tmp_path / "history", series_id) == 0
    await expect_the_model(store, model, KEYS[1:])
    assert await store.log.removed_series(idle=timedelta(0)) == []
    assert [one.series_id for one in await store.log.removed_series(idle=timedelta(0), all_of_them=True)] == [series_id]


async def test_rows_that_a_correction_left_in_history_go_with_their_series(store: TieredStore, tmp_path: Path) -> None:
    model = await load(store)
    await run(archive_of(store))
    await store.plain_loader.load(file_load([(300, 9, 9.0)], key=KEYS[0]))
    series_id = await remove(store, KEYS[0])
    await run(archive_of(store))
    assert await rows_in_history(tmp_path / "history", series_id) == 0
    await expect_the_model(store, model, KEYS[1:])


@pytest.mark.parametrize("after", [False, True])
async def test_an_erasure_that_dies_at_any_step_is_finished_by_the_next_run(
    store: TieredStore, tmp_path: Path, after: bool
) -> None:
    model = await load(store)
    await run(archive_of(store))
    series_id = await remove(store, KEYS[0])
    for at in range(1, 9):
        calls: list[str] = []
        failing = archive_of(
            store,
            log=FailingAtCall(store.log, at, after=after, calls=calls),
            history=FailingAtCall(store.history, at, after=after, calls=calls),
        )
        try:
            await erase_removed(failing)
        except Killed:
            await expect_the_model(store, model, KEYS[1:], spans=(Span(),), known=(2,))
            continue
        break
    else:
        pytest.fail("the erasure never came to its end")
    assert await rows_in_history(tmp_path / "history", series_id) == 0
    await expect_the_model(store, model, KEYS[1:])


async def test_rows_of_another_store_under_the_same_number_are_not_erased(store: TieredStore, tmp_path: Path) -> None:
    await load(store)
    series_id = (await ids(store))[0]
    foreign = (await store.log.snapshot([series_id], ONLY_JANUARY)).rows
    await store.history.write(foreign, source="invented", archive_id=1_000)
    await run(archive_of(store))
    await remove(store, KEYS[0])
    await run(archive_of(store))
    assert await rows_in_history(tmp_path / "history", series_id) == foreign.height


_REMOVING_CHILD = """
import asyncio, sys
from aurum.common.settings import DatabaseSettings
from aurum.services.removal import remove_series
from aurum.storage.ports.access import Actor
from aurum.storage.postgres.catalog.reader import PostgresCatalog
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.transaction import PostgresTransactions

async def main(url, key):
    pool = await PostgresPool.open(DatabaseSettings(url=url, pool_size=2))
    await remove_series(PostgresTransactions(pool), PostgresCatalog(pool), key, reason="test", by=Actor("operator"))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.e2e
async def test_a_process_killed_in_the_middle_of_a_removal_removes_nothing(store: TieredStore, database_url: str) -> None:
    model = await load(store)
    await run(archive_of(store))
    async with store.pool.acquire() as connection, connection.transaction():
        # All rows are deleted before the child waits for this lock.
        await connection.execute("LOCK TABLE removed_series")
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", _REMOVING_CHILD, database_url, KEYS[0])

        async def waits() -> bool:
            return await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")

        await wait_until(waits)
        child.send_signal(signal.SIGKILL)
        await child.wait()
    await expect_the_model(store, model)
    await remove(store, KEYS[0])
    assert await store.catalog.series_by_key(KEYS[:1]) == {}


class Forgetful(MemoryHistory):
    """A history that loses one of the rows written to it."""

    async def rows(self, parts: Sequence[ArchivedPart], *, span: Span | None = None) -> pl.DataFrame:
        return (await super().rows(parts, span=span)).slice(1)


async def test_rows_that_history_returns_changed_are_not_archived(store: TieredStore) -> None:
    model = await load(store)
    with pytest.raises(NotAsWritten):
        await run(archive_of(store, history=Forgetful()))
    assert await named_parts(store.log) == []
    await expect_the_model(store, model)


async def test_history_that_lost_rows_is_detected_and_never_served(store: TieredStore, tmp_path: Path) -> None:
    await load(store)
    forgetful = Forgetful()
    (moved,) = await run(archive_of(store, history=forgetful_at_first(forgetful)))
    damaged = archive_of(store, history=forgetful)
    wrong = [difference async for _, differences in verify(damaged) for difference in differences]
    assert wrong
    assert {difference.part.archive_id for difference in wrong} >= {moved.archive_id}
    rows = await hot_rows(store)
    loader = patient_loader(PostgresTransactions(store.pool, lambda: forgetful), store.files)
    with pytest.raises(HistoryDamaged, match="archive verify"):
        await loader.load(file_load([(300, 9, 1.0)], key=KEYS[0]))
    assert await hot_rows(store) == rows


def forgetful_at_first(history: MemoryHistory) -> MemoryHistory:
    """Return a history without the fault, which shares its rows with the given one."""
    whole = MemoryHistory()
    vars(whole).update(vars(history))
    return whole


async def test_a_folder_that_cannot_be_written_is_one_clear_line_and_nothing_moves(store: TieredStore, tmp_path: Path) -> None:
    model = await load(store)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    history = DuckdbHistory(history_files_at(str(blocked / "history")), SystemClock())
    with pytest.raises(HistoryUnavailable, match="AURUM_HISTORY__URL") as caught:
        await run(archive_of(store, history=history))
    assert "\n" not in caught.value.detail
    await history.close()
    await expect_the_model(store, model)
    assert await named_parts(store.log) == []


class FullDisk(Folder):
    """A folder on a disk that is full."""

    @contextmanager
    def writing(self, name: str) -> Generator[IO[bytes]]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield


async def test_a_full_disk_is_one_clear_line_and_nothing_moves(store: TieredStore, tmp_path: Path) -> None:
    model = await load(store)
    history = DuckdbHistory(FullDisk(tmp_path / "full"), SystemClock())
    with pytest.raises(HistoryUnavailable, match="disk of history is full"):
        await run(archive_of(store, history=history))
    await history.close()
    await expect_the_model(store, model)
    reports = await run(archive_of(store))
    assert [one.parts for one in reports] == [4]
    await expect_the_model(store, model)


async def test_a_database_that_goes_away_in_the_middle_is_said_so(
    store: TieredStore, database_url: str, tmp_path: Path
) -> None:
    model = await load(store)
    connection = await asyncpg.connect(database_url)

    class Cut(DuckdbHistory):
        async def archive_ids(self) -> frozenset[int]:
            # The test waits for the end of each: a connection that is only half closed would fail the run that must succeed.
            await connection.execute(
                """SELECT pg_terminate_backend(pid, 10_000) FROM pg_stat_activity
                   WHERE pid <> pg_backend_pid() AND datname = current_database()"""
            )
            return await super().archive_ids()

    history = Cut(history_files_at(str(tmp_path / "history")), SystemClock(), grace=timedelta(0))
    with pytest.raises(Unavailable):
        await run(archive_of(store, history=history))
    await history.close()
    await connection.close()
    await finished(store)
    await expect_the_model(store, model)


async def test_a_run_that_lost_its_lock_and_was_declared_dead_archives_nothing(store: TieredStore) -> None:
    model = await load(store)
    archive_id = await store.log.begin("invented", CLOSED)
    snapshot = await store.log.snapshot(await ids(store), CLOSED)
    await store.history.write(snapshot.rows, source="invented", archive_id=archive_id)
    assert archive_id in await clear_leftovers(archive_of(store))
    with pytest.raises(Conflict, match="another run"):
        await store.log.commit(archive_id, snapshot)
    assert not await store.log.months()
    await finished(store)
    await expect_the_model(store, model)
