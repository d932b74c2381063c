"""Splits five-minute files into the values on the grid and the extra runs and samples between its points."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from aurum.core.frames import REFUSED
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import Dataset, Parsed, SourceFile
from aurum.pipelines.sources.nyiso.datasets import EXTRA
from aurum.pipelines.sources.nyiso.stamps import on_step

Observe = Callable[[pl.DataFrame], pl.DataFrame]
"""Function from a table with ``ts`` in UTC to ``PARSED`` rows."""

Describe = Callable[[Dataset, pl.DataFrame], pl.DataFrame]
"""Function from a dataset and its rows to the ``SERIES`` frame."""


def split_by_grid(
    document: SourceFile,
    dataset: Dataset,
    table: pl.DataFrame,
    refusals: Refusals,
    *,
    rows_read: int,
    interval_end: bool,
    observe: Observe,
    describe: Describe,
) -> tuple[Parsed, ...]:
    """Return the dataset of the grid and, if the table has rows off it, the dataset of the extra ones.

    ``interval_end``: the stamps on the grid are ends of intervals and become their starts. Off the grid a stamp stays as
    printed, because the file does not say where such an interval begins.
    """
    grid, extra = table.filter(on_step("5m")), table.filter(~on_step("5m"))
    if interval_end:
        grid = grid.with_columns(pl.col("ts").dt.offset_by("-5m"))
    rows = observe(grid)
    regular = Parsed(dataset, rows, describe(dataset, rows), refusals.frame(), rows_read - extra.height, document.raw)
    if extra.is_empty():
        return (regular,)
    aside, rows = EXTRA[dataset.name], observe(extra)
    nothing = pl.DataFrame(schema=REFUSED)
    return regular, Parsed(aside, rows, describe(aside, rows), nothing, extra.height, document.raw)
