"""Contract of the store of archived quotes. A new adapter needs its name in ``ADAPTERS`` and a fixture ``<name>_quotes``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import pytest_asyncio
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.curves.quote_archive import ORDER, RECORDED_QUOTES, quote_tally
from aurum.core.curves.quotes import FIELDS
from aurum.core.errors import Unavailable
from aurum.storage.duckdb import DuckdbHistory
from aurum.storage.duckdb.bucket import history_files_at
from aurum.storage.memory import MemoryHistory
from aurum.storage.ports.quote_history import ArchivedQuotes, QuoteHistory

KNOWN = datetime(2031, 5, 1, 17, 30, 0, 123_456, tzinfo=UTC)


@pytest.fixture
def memory_quotes() -> QuoteHistory:
    return MemoryHistory().quotes


@pytest_asyncio.fixture
async def duckdb_quotes(tmp_path: Path) -> AsyncIterator[QuoteHistory]:
    history = DuckdbHistory(history_files_at(str(tmp_path / "history")), SystemClock(), grace=timedelta(0))
    yield history.quotes
    # The clean-up of the other files leaves those of quotes alone.
    await history.upkeep()
    assert len([*(tmp_path / "history").glob("quotes/*.pq")]) == len(await history.quotes.archive_ids())
    await history.close()


@pytest_asyncio.fixture
async def duckdb_bucket_quotes(tmp_path: Path) -> AsyncIterator[QuoteHistory]:
    history = DuckdbHistory(history_files_at(f"file://{tmp_path}/bucket"), SystemClock())
    yield history.quotes
    await history.close()


@pytest.fixture(params=["memory", "duckdb", "duckdb_bucket"])
def quotes(request: pytest.FixtureRequest) -> QuoteHistory:
    """An empty store."""
    return request.getfixturevalue(f"{request.param}_quotes")


def rows(curve_id: int, *days: date, settle: float | None = 1.25) -> pl.DataFrame:
    content = {
        "curve_id": curve_id,
        "delivery_start": date(2032, 1, 1),
        "delivery_end": date(2032, 2, 1),
        "trade_date": list(days),
        **dict.fromkeys(FIELDS, None),
        "settle": settle,
        "bid": -1e-310,
        "known_at": KNOWN,
        "recording_id": 2**40,
    }
    return pl.DataFrame(content, schema=RECORDED_QUOTES).sort(ORDER)


def parts_of(frame: pl.DataFrame, archive_id: int) -> Sequence[ArchivedQuotes]:
    return [ArchivedQuotes(curve_id, month, archive_id, *sums) for curve_id, month, *sums in quote_tally(frame).iter_rows()]


async def test_publications_come_back_as_they_were(quotes: QuoteHistory) -> None:
    frame = pl.concat([rows(1, date(2031, 1, 31), date(2031, 2, 1)), rows(2, date(2031, 1, 1), settle=None)])
    await quotes.write(frame.reverse(), archive_id=3)
    assert_frame_equal(await quotes.publications(parts_of(frame, 3)), frame, check_exact=True)
    assert await quotes.archive_ids() == {3}


async def test_only_the_named_parts_are_read(quotes: QuoteHistory) -> None:
    january, february = date(2031, 1, 31), date(2031, 2, 1)
    await quotes.write(pl.concat([rows(1, january, february), rows(2, january)]), archive_id=3)
    await quotes.write(rows(1, january, settle=9.0), archive_id=4)
    parts = [*parts_of(rows(1, january), 4), *parts_of(rows(2, january), 3)]
    expected = pl.concat([rows(1, january, settle=9.0), rows(2, january)])
    assert_frame_equal(await quotes.publications(parts), expected)
    assert (await quotes.publications([])).is_empty()


async def test_a_second_write_replaces_the_first(quotes: QuoteHistory) -> None:
    day = date(2031, 1, 1)
    for settle in (1.0, 2.0):
        await quotes.write(rows(1, day, settle=settle), archive_id=3)
    assert_frame_equal(await quotes.publications(parts_of(rows(1, day), 3)), rows(1, day, settle=2.0))


async def test_what_is_discarded_is_gone_and_is_not_an_empty_answer(quotes: QuoteHistory) -> None:
    day = date(2031, 1, 1)
    for archive_id in (3, 30):
        await quotes.write(rows(1, day), archive_id=archive_id)
    await quotes.discard([3, 5])
    assert await quotes.archive_ids() == {30}
    assert (await quotes.publications(parts_of(rows(1, day), 30))).height == 1
    with pytest.raises(Unavailable):
        await quotes.publications(parts_of(rows(1, day), 3))


async def test_nothing_cannot_be_written(quotes: QuoteHistory) -> None:
    with pytest.raises(ValueError, match="empty"):
        await quotes.write(pl.DataFrame(schema=RECORDED_QUOTES), archive_id=3)
    assert await quotes.archive_ids() == frozenset()
