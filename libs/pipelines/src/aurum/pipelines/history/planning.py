"""Plans an archive run: which rows move together, so that files are as large as the memory of a run permits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import polars as pl

from aurum.core.chunks import chunks
from aurum.storage.ports.history import ArchiveLog, Months
from aurum.storage.ports.quote_history import SOURCE, QuoteArchiveLog

_ROWS_OF_A_PART = 8
"""Rows that a part counts at least: its entry in the log costs about as much."""
_BYTES_OF_A_ROW = 5
"""Bytes of a row in Parquet, a cautious estimate: generated prices and economic series take 2."""


@dataclass(frozen=True, slots=True)
class Move:
    """Hot rows that move together into one file: those of some series of one source in a run of months.

    ``parts``, ``rows``: their numbers when the plan was made. ``series_ids``: ascending; of products if the source is
    ``quote_history.SOURCE``.
    """

    source: str
    months: Months
    series_ids: tuple[int, ...]
    parts: int
    rows: int

    @property
    def size(self) -> int:
        """Estimated bytes of the file."""
        return self.rows * _BYTES_OF_A_ROW


async def plan(log: ArchiveLog, before: date, *, chunk_rows: int, source: str | None = None) -> list[Move]:
    """Return the moves that archive every month before ``before``, by source, the oldest first. Nothing is changed.

    ``chunk_rows``: most rows of a move, except where one series has more in one month.
    """
    closed = await log.closed_months(before, source=source)
    moves: list[Move] = []
    for name, months in groupby(closed, key=lambda month: month.source):
        moves += _moves(name, await log.sizes(list(months)), chunk_rows)
    return moves


async def plan_quotes(log: QuoteArchiveLog, before: date, *, chunk_rows: int) -> list[Move]:
    """Return the moves that archive publications of quotes: a month each, or fewer products of a large month."""
    sizes = await log.sizes(before)
    weighed = sizes.with_columns(pl.col("rows").alias("weight"))
    months: list[date] = sizes["month"].unique().sort().to_list()
    moves: list[Move] = []
    for month in months:
        moves += _moves_of_large_month(SOURCE, month, weighed.filter(pl.col("month") == month), chunk_rows)
    return moves


def _moves(source: str, sizes: pl.DataFrame, most: int) -> Iterator[Move]:
    weight = pl.max_horizontal("rows", pl.lit(_ROWS_OF_A_PART)).alias("weight")
    weighed = sizes.with_columns(weight)
    totals = weighed.group_by("month").agg(pl.col("weight").sum()).sort("month")
    weights: dict[date, int] = dict(totals.iter_rows())  # rows: one a month
    for months in chunks(list(weights), size=weights.__getitem__, most=most):
        rows = weighed.filter(pl.col("month").is_between(months[0], months[-1]))
        if len(months) > 1 or weights[months[0]] <= most:
            yield _move(source, Months(months[0], months[-1]), rows)
        else:
            yield from _moves_of_large_month(source, months[0], rows, most)


def _moves_of_large_month(source: str, month: date, sizes: pl.DataFrame, most: int) -> Iterator[Move]:
    """Yield moves of some series each, for a month that is too large for one."""
    weights: dict[int, int] = dict(sizes.select("series_id", "weight").iter_rows())  # rows: one a series
    for series_ids in chunks(list(weights), size=weights.__getitem__, most=most):
        yield _move(source, Months(month, month), sizes.filter(pl.col("series_id").is_in(list(series_ids))))


def _move(source: str, months: Months, sizes: pl.DataFrame) -> Move:
    series_ids: Sequence[int] = sizes["series_id"].unique().sort().to_list()
    return Move(source, months, tuple(series_ids), sizes.height, int(sizes["rows"].sum()))


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """The moves of one source in all. ``size``: estimated bytes of the files."""

    source: str
    months: Months
    parts: int
    rows: int
    files: int
    size: int


def by_source(moves: Iterable[Move]) -> list[SourcePlan]:
    """Return the totals of a plan, by source."""
    plans: list[SourcePlan] = []
    for source, group in groupby(moves, key=lambda move: move.source):
        members = list(group)
        plans.append(
            SourcePlan(
                source,
                Months(members[0].months.first, members[-1].months.last),
                parts=sum(move.parts for move in members),
                rows=sum(move.rows for move in members),
                files=len(members),
                size=sum(move.size for move in members),
            )
        )
    return plans
