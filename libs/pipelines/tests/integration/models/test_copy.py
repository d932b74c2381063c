"""The copy of the store that DuckDB builds from."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb
import polars as pl
import pytest

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.calendars import default_blocks
from aurum.core.errors import Unavailable
from aurum.pipelines.models.copy import CopyCounts, refresh_copy
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.duckdb.model_inputs import DuckDbStoreCopy
from aurum.storage.postgres.models.inputs import PostgresStoreExport
from aurum.storage.testing.archiving import TieredStore, archive_everything
from aurum.storage.testing.builders import file_load, together
from aurum.storage.testing.stores import PostgresStore, series_named

pytestmark = pytest.mark.needs_postgres

A, B = "invented:numbers:A:value", "invented:numbers:B:value"
NAN = float("nan")


async def refresh(store: PostgresStore, path: Path) -> CopyCounts:
    return await refresh_copy(PostgresStoreExport(store.pool), DuckDbStoreCopy(path), default_blocks())


def rows(path: Path, query: str) -> pl.DataFrame:
    with duckdb.connect(path, read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return pl.DataFrame(connection.sql(query).to_arrow_table())


async def test_only_what_changed_is_copied_and_the_copy_says_what_the_reader_says(
    postgres_store: PostgresStore, tmp_path: Path
) -> None:
    path = tmp_path / "warehouse" / "aurum.duckdb"
    assert await refresh(postgres_store, path) == CopyCounts(0, 0), "an empty store"
    await postgres_store.loader.load(together(file_load([(0, 1, 10.0), (1, 1, NAN)]), file_load([(0, 1, 5.0)], key=B)))
    assert await refresh(postgres_store, path) == CopyCounts(2, 2)
    assert await refresh(postgres_store, path) == CopyCounts(2, 0)
    # This publication has a known time before the first one, so the known time does not show that it is new.
    await postgres_store.loader.load(file_load([(0, 0, 9.0)]))
    assert await refresh(postgres_store, path) == CopyCounts(2, 1)
    for key in (A, B):
        series = await series_named(postgres_store, key)
        current = await postgres_store.reader.observations(series.series_id, span=Span())
        copied = rows(
            path, f"SELECT ts, value, quality, known_at FROM store.observation WHERE series_id = {series.series_id} ORDER BY ts"
        )
        assert copied.equals(current.cast(dict(copied.schema)))
        said = await postgres_store.reader.revisions(series.series_id, span=Span())
        ended = rows(path, f"SELECT value FROM store.observation_version WHERE series_id = {series.series_id}")
        assert ended.height == said.height - current.height


async def test_archived_months_are_copied_too(postgres_store: PostgresStore, tmp_path: Path) -> None:
    history = DuckdbHistory(history_files_at(str(tmp_path / "history")), SystemClock())
    tiered, path = TieredStore(postgres_store.pool, SystemClock(), history), tmp_path / "aurum.duckdb"
    export = PostgresStoreExport(postgres_store.pool, history)
    await tiered.plain_loader.load(together(file_load([(0, 1, 10.0), (1, 1, 2.0)]), file_load([(0, 1, 5.0)], key=B)))
    await tiered.plain_loader.load(file_load([(0, 2, 11.0)], digest="a correction"))
    await archive_everything(tiered.log, history)
    assert await refresh_copy(export, DuckDbStoreCopy(path), default_blocks()) == CopyCounts(2, 2)
    # The next load makes the months it changes hot, and the whole series is copied again.
    await tiered.plain_loader.load(file_load([(24 * 62, 1, 3.0)], digest="a later month"))
    assert await refresh_copy(export, DuckDbStoreCopy(path), default_blocks()) == CopyCounts(2, 1)
    copied = rows(path, "SELECT ts, value FROM store.observation ORDER BY series_id, ts")
    assert copied["value"].to_list() == [11.0, 2.0, 3.0, 5.0]
    assert rows(path, "SELECT value FROM store.observation_version")["value"].to_list() == [10.0]
    with pytest.raises(Unavailable, match="AURUM_HISTORY"):
        await refresh_copy(
            PostgresStoreExport(postgres_store.pool), DuckDbStoreCopy(tmp_path / "other.duckdb"), default_blocks()
        )
    await history.close()


async def test_a_copy_that_another_process_has_open_is_not_touched(postgres_store: PostgresStore, tmp_path: Path) -> None:
    path = tmp_path / "aurum.duckdb"
    path.write_bytes(b"no database of any kind" * 1000)
    with pytest.raises(Unavailable, match="cannot be opened"):
        await refresh(postgres_store, path)


async def test_a_change_that_fails_half_way_leaves_the_copy_as_it_was(postgres_store: PostgresStore, tmp_path: Path) -> None:
    path = tmp_path / "aurum.duckdb"
    await postgres_store.loader.load(file_load([(0, 1, 10.0)]))
    await refresh(postgres_store, path)
    with contextlib.suppress(ZeroDivisionError), DuckDbStoreCopy(path).writing() as writer:
        writer.forget(None)
        raise ZeroDivisionError
    assert rows(path, "SELECT value FROM store.observation")["value"].to_list() == [10.0]
