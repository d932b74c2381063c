"""Merges of the Parquet files of history: files of an older release, crashes at any step, damage on the way to the disk."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.frames import HISTORY
from aurum.core.history import tally
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.history_files import Folder
from aurum.storage.duckdb.manifest import NAME, Manifest
from aurum.storage.duckdb.rewriting import RewriteDiffers
from aurum.storage.ports.history import ArchivedPart, Merge

SOURCE = "fred"
MONTHS = [date(1913 + number // 12, number % 12 + 1, 1) for number in range(8)]


def month_of_rows(month: date, value: float) -> pl.DataFrame:
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    rows = [
        (series_id, start + timedelta(days=offset), start, ended, value + offset, 0)
        for series_id in (1, 2, 3)
        for offset, ended in ((0, start + timedelta(days=9)), (1, None), (2, None))
    ]
    return pl.DataFrame(rows, schema=HISTORY, orient="row")


def parts_of(rows: pl.DataFrame, archive_id: int) -> list[ArchivedPart]:
    return [
        ArchivedPart(series_id, month, archive_id, SOURCE, count, checksum)
        for series_id, month, count, checksum in tally(rows).iter_rows()
    ]


def write_as_an_older_release(folder: Path) -> tuple[list[ArchivedPart], pl.DataFrame]:
    """Write a file for each month, with the manifest of that release; return the parts and their rows."""
    parts: list[ArchivedPart] = []
    frames: list[pl.DataFrame] = []
    entries: list[dict[str, object]] = []
    for archive_id, month in enumerate(MONTHS, 1):
        rows = month_of_rows(month, archive_id)
        name = f"source={SOURCE}/month={month}/{archive_id:010d}-0123abcd.parquet"
        path = folder / name
        path.parent.mkdir(parents=True)
        place = (pl.lit(SOURCE).alias("source"), pl.lit(month).alias("month"), pl.lit(archive_id, pl.Int64).alias("archive_id"))
        rows.select(*place, *HISTORY).write_parquet(path)
        entries.append(
            {
                "name": name,
                "source": SOURCE,
                "month": month.isoformat(),
                "archive_ids": [archive_id],
                "rows": rows.height,
                "size": path.stat().st_size,
            }
        )
        parts += parts_of(rows, archive_id)
        frames.append(rows)
    (folder / NAME).write_text(json.dumps({"format": 1, "files": entries, "retired": []}))
    return parts, pl.concat(frames).sort("series_id", "ts", "known_at")


def history_in(folder: Path, files: Folder | None = None, *, grace: timedelta = timedelta(0)) -> DuckdbHistory:
    return DuckdbHistory(files or Folder(folder), SystemClock(), grace=grace)


@pytest_asyncio.fixture
async def history(tmp_path: Path) -> AsyncIterator[DuckdbHistory]:
    store = history_in(tmp_path)
    yield store
    await store.close()


def parquet_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet*"))


async def test_files_of_an_older_release_are_read_without_a_migration(history: DuckdbHistory, tmp_path: Path) -> None:
    parts, rows = write_as_an_older_release(tmp_path)
    assert_frame_equal(await history.rows(parts), rows, check_exact=True)
    new = month_of_rows(date(2020, 1, 1), 5.0)
    await history.write(new, source=SOURCE, archive_id=100)
    assert_frame_equal(await history.rows(parts_of(new, 100)), new, check_exact=True)
    assert_frame_equal(await history.rows(parts), rows, check_exact=True)


async def test_a_file_a_month_becomes_one_file_with_the_same_rows(history: DuckdbHistory, tmp_path: Path) -> None:
    parts, rows = write_as_an_older_release(tmp_path)
    (planned,) = await history.merges()
    assert (planned.first, planned.last, planned.files, planned.rows) == (MONTHS[0], MONTHS[-1], len(MONTHS), rows.height)
    merged: list[Merge] = []
    done = await history.upkeep(merged=merged.append)
    assert merged == [planned]
    assert (done.files_before, done.files_after, done.expired) == (len(MONTHS), 1, len(MONTHS))
    assert len(parquet_files(tmp_path)) == 1
    assert_frame_equal(await history.rows(parts), rows, check_exact=True)
    assert_frame_equal(await history.rows(parts[:3]), month_of_rows(MONTHS[0], 1.0), check_exact=True)
    assert await history.merges() == []
    again = await history.upkeep()
    assert (again.files_before, again.files_after, again.expired) == (1, 1, 0)


async def test_replaced_files_stay_for_reads_under_way(tmp_path: Path) -> None:
    write_as_an_older_release(tmp_path)
    history = history_in(tmp_path, grace=timedelta(hours=1))
    assert (await history.upkeep()).expired == 0
    assert len(parquet_files(tmp_path)) == len(MONTHS) + 1
    await history.close()


async def test_ids_and_series_leave_a_merged_file_and_nothing_else_does(history: DuckdbHistory, tmp_path: Path) -> None:
    parts, rows = write_as_an_older_release(tmp_path)
    await history.upkeep()
    await history.discard([1, 2])
    assert await history.erase([2], archive_ids=range(1, 99)) == 3 * (len(MONTHS) - 2)
    left = [part for part in parts if part.archive_id > 2 and part.series_id != 2]
    expected = rows.filter(pl.col("ts") >= datetime(1913, 3, 1, tzinfo=UTC), pl.col("series_id") != 2)
    assert_frame_equal(await history.rows(left), expected, check_exact=True)
    assert await history.archive_ids() == set(range(3, len(MONTHS) + 1))


class Killed(BaseException):
    """Raised where a process would have died."""


class DyingFolder(Folder):
    """A folder whose change number ``at`` ends the process, before it, half way through, or just after it is done."""

    def __init__(self, path: Path, at: int, moment: str) -> None:
        super().__init__(path)
        self.changes = 0
        self._at, self._moment = at, moment

    @contextmanager
    def writing(self, name: str) -> Generator[IO[bytes]]:
        self.changes += 1
        dies = self.changes == self._at
        if dies and self._moment == "before":
            raise Killed
        with super().writing(name) as file:
            yield file
            if dies and self._moment == "half way":
                file.truncate(file.tell() // 2)
                raise Killed
        if dies:
            raise Killed

    def delete(self, name: str) -> None:
        self.changes += 1
        if self.changes == self._at and self._moment != "after":
            raise Killed
        super().delete(name)
        if self.changes == self._at:
            raise Killed


@pytest.mark.parametrize("moment", ["before", "half way", "after"])
async def test_a_merge_that_dies_at_any_change_loses_nothing_and_the_next_one_finishes_it(tmp_path: Path, moment: str) -> None:
    for at in range(1, 200):
        folder = tmp_path / str(at)
        folder.mkdir()
        parts, rows = write_as_an_older_release(folder)
        files = DyingFolder(folder, at, moment)
        history = history_in(folder, files)
        try:
            await history.upkeep()
        except Killed:
            pass
        finally:
            await history.close()
        recovered = history_in(folder)
        assert_frame_equal(await recovered.rows(parts), rows, check_exact=True)
        await recovered.upkeep()
        assert_frame_equal(await recovered.rows(parts), rows, check_exact=True)
        named = {file.name for file in Manifest.decode((folder / NAME).read_bytes()).files}
        assert {path.relative_to(folder).as_posix() for path in parquet_files(folder)} == named
        assert len(named) == 1
        await recovered.close()
        if files.changes < at:
            assert at > len(MONTHS)
            return
    pytest.fail("the merge never came to its end")


class DamagingFolder(Folder):
    """A folder on a disk that returns one of the values of a data file changed."""

    @contextmanager
    def writing(self, name: str) -> Generator[IO[bytes]]:
        with super().writing(name) as file:
            yield file
        if name.endswith(".parquet"):
            path = self._path / name
            rows = pl.read_parquet(path)
            first = pl.int_range(pl.len()) == 0
            rows.with_columns(pl.when(first).then(0.25).otherwise(pl.col("value")).alias("value")).write_parquet(path)


async def test_a_merged_file_that_reads_back_changed_replaces_nothing(tmp_path: Path) -> None:
    parts, rows = write_as_an_older_release(tmp_path)
    before: Sequence[Path] = parquet_files(tmp_path)
    history = history_in(tmp_path, DamagingFolder(tmp_path))
    with pytest.raises(RewriteDiffers, match="nothing else has changed"):
        await history.upkeep()
    assert parquet_files(tmp_path) == before
    assert_frame_equal(await history.rows(parts), rows, check_exact=True)
    assert (await history.many(parts, span=Span())).height == rows["superseded_at"].null_count()
    await history.close()
