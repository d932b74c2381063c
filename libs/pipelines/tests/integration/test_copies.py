"""The copy for wide scans follows the archive log; both history and copy are the embedded engine."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.asof import Span
from aurum.core.frames import HISTORY
from aurum.core.history import tally
from aurum.pipelines.history.copies import CopyReport, HistoryDiffers, synchronise
from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, ClickhouseWideScans
from aurum.storage.ports.history import ArchivedPart
from aurum.storage.testing.builders import day, hour

pytestmark = pytest.mark.needs_clickhouse


@pytest_asyncio.fixture(loop_scope="session")
async def copy_pool(clickhouse_pool: ClickhousePool) -> AsyncIterator[ClickhousePool]:
    settings = clickhouse_pool.settings.model_copy(update={"database": f"{clickhouse_pool.settings.database}_copy"})
    pool = await ClickhousePool.open(settings, ResilienceSettings())
    yield pool
    await pool.command("DROP DATABASE {name:Identifier} SYNC", {"name": settings.database})
    await pool.close()


def month_of_rows(series_id: int, first: date, count: int = 3) -> pl.DataFrame:
    start = hour(0) + (first - date(2025, 1, 1))
    rows = [(series_id, start + timedelta(hours=offset), day(0), None, float(offset), 0) for offset in range(count)]
    return pl.DataFrame(rows, schema=HISTORY, orient="row")


async def archived(
    history: ClickhouseHistory, rows: pl.DataFrame, archive_id: int, source: str = "nyiso"
) -> list[ArchivedPart]:
    """Return the state after an archive job: rows of one source in history, and the parts in the log."""
    counted = [
        ArchivedPart(series_id, month, archive_id, source, count, checksum)
        for series_id, month, count, checksum in tally(rows).iter_rows()
    ]
    await history.write(rows, source=source, archive_id=archive_id)
    return counted


async def test_a_new_copy_is_complete_after_one_run_and_the_next_run_does_nothing(
    clickhouse_history: ClickhouseHistory, copy_pool: ClickhousePool
) -> None:
    january, february = date(2025, 1, 1), date(2025, 2, 1)
    first = pl.concat([month_of_rows(1, january), month_of_rows(1, february), month_of_rows(2, january)])
    named = await archived(clickhouse_history, first, 1)
    named += await archived(clickhouse_history, month_of_rows(3, february), 2, "pjm")
    copy, scans = ClickhouseHistory(copy_pool), ClickhouseWideScans(copy_pool)
    assert await synchronise(named, history=clickhouse_history, copy=copy, scans=scans) == CopyReport(4, 12, 0)
    assert_frame_equal(await copy.rows(named), await clickhouse_history.rows(named))
    assert (await scans.partials(named, span=Span()))["series_id"].to_list() == [1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert await synchronise(named, history=clickhouse_history, copy=copy, scans=scans) == CopyReport(0, 0, 0)


async def test_it_follows_a_correction_and_finishes_what_a_crash_began(
    clickhouse_history: ClickhouseHistory, copy_pool: ClickhousePool
) -> None:
    named = await archived(clickhouse_history, month_of_rows(1, date(2025, 1, 1)), 1)
    copy, scans = ClickhouseHistory(copy_pool), ClickhouseWideScans(copy_pool)
    await synchronise(named, history=clickhouse_history, copy=copy, scans=scans)
    # The part was restored, corrected and archived again under a new id; the run that copied it ended half way.
    corrected = month_of_rows(1, date(2025, 1, 1), count=4)
    renamed = await archived(clickhouse_history, corrected, 2)
    await copy.write(corrected.head(2), source="nyiso", archive_id=2)
    assert await synchronise(renamed, history=clickhouse_history, copy=copy, scans=scans) == CopyReport(1, 4, 1)
    assert_frame_equal(await copy.rows(renamed), corrected)
    assert await copy.archive_ids() == {2}


async def test_a_part_whose_rows_differ_from_the_log_is_not_copied(
    clickhouse_history: ClickhouseHistory, copy_pool: ClickhousePool
) -> None:
    (part,) = await archived(clickhouse_history, month_of_rows(1, date(2025, 1, 1)), 1)
    copy, scans = ClickhouseHistory(copy_pool), ClickhouseWideScans(copy_pool)
    wrong = [replace(part, checksum=part.checksum + 1)]
    with pytest.raises(HistoryDiffers, match="series 1 in 2025-01"):
        await synchronise(wrong, history=clickhouse_history, copy=copy, scans=scans)
    assert await copy.archive_ids() == frozenset()
