"""Which rows move together: as many as fit in memory, months of one source in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

import polars as pl

from aurum.pipelines.history.planning import Move, by_source, plan
from aurum.storage.ports.history import ArchiveLog, ClosedMonth, Months

END = date(2026, 1, 1)


class Log:
    """The two methods of an archive log that a plan needs. ``rows``: by source, month and series."""

    def __init__(self, rows: dict[tuple[str, date, int], int]) -> None:
        self._rows = rows

    async def closed_months(self, before: date, *, source: str | None = None) -> Sequence[ClosedMonth]:
        months: dict[tuple[str, date], list[int]] = {}
        for name, month, series_id in sorted(self._rows):
            if month < before and source in (None, name):
                months.setdefault((name, month), []).append(series_id)
        return [ClosedMonth(name, month, tuple(series_ids)) for (name, month), series_ids in months.items()]

    async def sizes(self, months: Sequence[ClosedMonth]) -> pl.DataFrame:
        rows = [
            (series_id, month.month, self._rows[month.source, month.month, series_id])
            for month in months
            for series_id in month.series_ids
        ]
        schema = pl.Schema({"series_id": pl.Int32(), "month": pl.Date(), "rows": pl.Int64()})
        return pl.DataFrame(rows, schema=schema, orient="row")


async def planned(rows: dict[tuple[str, date, int], int], most: int) -> list[Move]:
    return await plan(cast(ArchiveLog, Log(rows)), END, chunk_rows=most)


def month(number: int) -> date:
    return date(1913 + number // 12, number % 12 + 1, 1)


async def test_sparse_months_of_a_century_move_together() -> None:
    moves = await planned({("fred", month(number), 1): 22 for number in range(1_300)}, 2_000_000)
    assert moves == [Move("fred", Months(month(0), month(1_299)), (1,), 1_300, 28_600)]


async def test_months_move_in_order_in_moves_of_at_most_so_many_rows() -> None:
    rows = {("nyiso", month(number), series_id): 40 for number in range(7) for series_id in (1, 2)}
    moves = await planned(rows, 250)
    assert [(str(move.months), move.rows) for move in moves] == [
        ("1913-01 to 1913-03", 240),
        ("1913-04 to 1913-06", 240),
        ("1913-07", 80),
    ]


async def test_a_month_too_large_for_one_move_is_split_by_series() -> None:
    rows = {("nyiso", month(0), 9): 10} | {("nyiso", month(1), series_id): 60 for series_id in range(1, 6)}
    moves = await planned({**rows, ("nyiso", month(2), 9): 10}, 130)
    assert [(move.months.first, move.series_ids, move.rows) for move in moves] == [
        (month(0), (9,), 10),
        (month(1), (1, 2), 120),
        (month(1), (3, 4), 120),
        (month(1), (5,), 60),
        (month(2), (9,), 10),
    ]


async def test_sources_never_share_a_move_and_parts_of_one_row_count_for_their_entry_in_the_log() -> None:
    rows = {(source, month(number), 1): 1 for source in ("eia", "fred") for number in range(4)}
    moves = await planned(rows, 16)
    assert [(move.source, move.parts, move.rows) for move in moves] == [("eia", 2, 2)] * 2 + [("fred", 2, 2)] * 2
    assert [(one.source, str(one.months), one.rows, one.files) for one in by_source(moves)] == [
        ("eia", "1913-01 to 1913-04", 4, 2),
        ("fred", "1913-01 to 1913-04", 4, 2),
    ]
