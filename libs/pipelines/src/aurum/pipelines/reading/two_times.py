"""Compares two time columns of a row that name one instant, such as UTC and local time, or GMT and a trading day.

A publisher prints both, so a column that has been shifted, exchanged or filled down shows in the other one. Rows whose columns
disagree are held back; a file most of whose rows disagree is refused, because neither of its columns can then be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import RefusedFile

_MONTHS = 12


def local_clock(instant: pl.Expr, zone: str) -> pl.Expr:
    """Return the naive local time of an instant. Of an hour that occurs twice both have the same."""
    return instant.dt.convert_time_zone(zone).dt.replace_time_zone(None)


def hold_to_second_time(
    table: pl.DataFrame, refusals: Refusals, *, first: str, second: Sequence[str], label: pl.Expr, expected: Sequence[pl.Expr]
) -> pl.DataFrame:
    """Return the table without the rows whose second time is another than the first one, which ``ts`` holds.

    ``first``, ``second``: headers of the columns. ``label``: the second time, read; null where its text is not a time.
    ``expected``: the times that it may be, from ``ts``. A row without a text in ``second`` is not compared. Raises
    ``RefusedFile`` when most of the compared rows disagree, or when those that disagree would agree with day and month
    exchanged in both columns: then the other rows are of another day, too.
    """
    texts = [pl.col(name) for name in second]
    # The columns are the same for all locations of an interval, so few different rows have to be read.
    pairs = table.select("ts", *second).unique(maintain_order=False)
    stated = pl.any_horizontal(text.is_not_null() for text in texts)
    agrees = pl.any_horizontal(pl.col("__label") == time for time in expected).fill_null(False)
    # Read first, because Polars would read the text again wherever an expression uses it.
    unlike = pairs.with_columns(label.alias("__label")).filter(stated & ~agrees)
    if unlike.is_empty():
        return table
    _refuse_exchanged_days(unlike, expected, first, second)
    keys = ["ts", *second]
    unlike = unlike.select(*keys, pl.lit(True).alias("__unlike"))
    marked = table.join(unlike, on=keys, how="left", maintain_order="left", nulls_equal=True)
    count, compared = marked.select(pl.col("__unlike").sum(), stated.sum().alias("compared")).row(0)
    said = pl.concat_str(texts, separator=" ", ignore_nulls=True)
    wrong = marked.filter("__unlike").select("line", first, said.alias("said"))
    if 2 * count > compared:
        line, one, other = wrong.row(0)
        what = f"{' and '.join(second)} name another time than {first} in {count} of {compared} rows"
        raise RefusedFile(f"{what}, for example {other} and {one}", line=line)
    detail = pl.format(f"{' and '.join(second)} {{}}: not the time of {first} {{}}", said, first)
    bad = pl.col("__unlike").fill_null(False)
    return refusals.rows(marked, bad, column=second[-1], reason=Reason.INVALID_TIME, detail=detail).drop("__unlike")


def _refuse_exchanged_days(unlike: pl.DataFrame, expected: Sequence[pl.Expr], first: str, second: Sequence[str]) -> None:
    """Raise ``RefusedFile`` when most of the rows that disagree would agree with day and month exchanged."""
    times = ("ts", "__label")
    possible = unlike.filter(pl.all_horizontal(pl.col(time).dt.day() <= _MONTHS for time in times).fill_null(False))
    if possible.is_empty():
        return
    exchanged = possible.with_columns(_with_day_and_month_exchanged(pl.col(time)).alias(time) for time in times)
    mended = exchanged.select(pl.any_horizontal(pl.col("__label") == time for time in expected).sum()).item()
    if 2 * mended > unlike.height:
        raise RefusedFile(f"day and month are exchanged: only then do {first} and {' and '.join(second)} name the same time")


def _with_day_and_month_exchanged(time: pl.Expr) -> pl.Expr:
    return time.dt.replace(month=time.dt.day(), day=time.dt.month())
