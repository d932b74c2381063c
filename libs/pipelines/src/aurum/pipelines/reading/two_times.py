"""Compares two time columns of a row that name one instant, such as UTC and local time, or GMT and a trading day.

A publisher prints both, so when one column is shifted, exchanged or filled down the two disagree. Rows whose columns
disagree are held back; a file most of whose rows disagree is refused, because neither of its columns can then be trusted.
But where half of the rows or more disagree because the second column repeats times and the first does not, the second has been
filled down, and the first one is used.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import RefusedFile

_MONTHS = 12


def local_clock(instant: pl.Expr, zone: str) -> pl.Expr:
    """Return the naive local time of an instant. Both hours of a fall-back day that have one label get that label."""
    return instant.dt.convert_time_zone(zone).dt.replace_time_zone(None)


def hold_to_second_time(
    table: pl.DataFrame, refusals: Refusals, *, first: str, second: Sequence[str], label: pl.Expr, expected: Sequence[pl.Expr]
) -> pl.DataFrame:
    """Return the table without the rows whose second time is not the time of ``ts``, which was read from the first column.

    ``first``, ``second``: headers of the first column, and of those that hold the second time. ``label``: the second time,
    read from its texts; null where they are not a time. ``expected``: the times that it may be, computed from ``ts``. A row
    without a text in ``second`` is not compared. Raises ``RefusedFile`` when most of the compared rows disagree, or when those
    that disagree would agree with day and month exchanged in both columns: then the other rows are of another day, too.
    """
    texts = [pl.col(name) for name in second]
    # The columns are the same for all locations of an interval, so few different rows have to be read.
    pairs = table.select("ts", *second).unique(maintain_order=False)
    has_text = pl.any_horizontal(text.is_not_null() for text in texts)
    agrees = pl.any_horizontal(pl.col("__label") == time for time in expected).fill_null(False)
    # Read first, because Polars would read the text again wherever an expression uses it.
    read = pairs.with_columns(label.alias("__label")).filter(has_text)
    differing = read.filter(~agrees)
    if differing.is_empty():
        return table
    _refuse_exchanged_days(differing, expected, first, second)
    keys = ["ts", *second]
    marked = table.join(
        differing.select(*keys, pl.lit(True).alias("__differs")), on=keys, how="left", maintain_order="left", nulls_equal=True
    )
    headers, second_text = " and ".join(second), pl.concat_str(texts, separator=" ", ignore_nulls=True)
    count, compared = marked.select(pl.col("__differs").sum(), has_text.sum().alias("compared")).row(0)
    if 2 * count >= compared and _is_filled_down(read, agrees):
        return table
    if 2 * count > compared:
        example = marked.filter("__differs").select("line", second_text.alias("second"), pl.col(first).alias("first"))
        line, second_time, first_time = example.row(0)
        raise RefusedFile(
            f"the time in {headers} disagrees with {first} in {count} of {compared} rows, for example {second_time} and "
            f"{first_time}",
            line=line,
        )
    detail = pl.format(f"{headers} {{}}: not the time of {first} {{}}", second_text, first)
    differs = pl.col("__differs").fill_null(False)
    return refusals.rows(marked, differs, column=second[-1], reason=Reason.INVALID_TIME, detail=detail).drop("__differs")


def _is_filled_down(read: pl.DataFrame, agrees: pl.Expr) -> bool:
    """Test that each second time that disagrees is the right one of another instant, and the only one of its own.

    ``read``: different pairs of times, the second one as ``__label``. Instants that are shifted or filled down show otherwise:
    their second times are all different, or one instant has several.
    """
    compared = read.select(agrees=agrees, is_repeated=agrees.any().over("__label"), is_only=pl.len().over("ts") == 1)
    return compared.filter(~pl.col("agrees")).select((pl.col("is_repeated") & pl.col("is_only")).all()).item()


def _refuse_exchanged_days(differing: pl.DataFrame, expected: Sequence[pl.Expr], first: str, second: Sequence[str]) -> None:
    """Raise ``RefusedFile`` when most of the rows that disagree would agree with day and month exchanged."""
    times = ("ts", "__label")
    possible = differing.filter(pl.all_horizontal(pl.col(time).dt.day() <= _MONTHS for time in times).fill_null(False))
    if possible.is_empty():
        return
    exchanged = possible.with_columns(_with_day_and_month_exchanged(pl.col(time)).alias(time) for time in times)
    mended = exchanged.select(pl.any_horizontal(pl.col("__label") == time for time in expected).sum()).item()
    if 2 * mended > differing.height:
        raise RefusedFile(f"day and month are exchanged: only then do {first} and {' and '.join(second)} name the same time")


def _with_day_and_month_exchanged(time: pl.Expr) -> pl.Expr:
    return time.dt.replace(month=time.dt.day(), day=time.dt.month())
