"""Checks labels that count from 1: hours ending 1 to 24, quarters 1 to 4, positions in a period.

A program that counts from 0 puts every value one interval early, and its only impossible label is the 0. So where a group of
rows has the label 0 and lacks the last one, all of its rows are held back.
"""

from __future__ import annotations

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.tabular import Refusals


def only_counted_from_one(
    frame: pl.DataFrame,
    refusals: Refusals,
    *,
    is_zero: pl.Expr,
    is_last: pl.Expr,
    within: str,
    column: str,
    what: str,
) -> pl.DataFrame:
    """Return the frame without the rows of each group of ``within`` (a column) that has the label 0 and not the last.

    ``is_zero`` and ``is_last``: whether a row has these labels. In a group that has both, only the row with the 0 is wrong, and
    the parser holds it back. ``column``: the header that the report names. ``what``: a clause with the right range of the
    labels, for the report: "ERCOT's hours end at 1 to 24".
    """
    if not frame.select(is_zero.any()).item():
        return frame
    from_zero = is_zero.fill_null(False).any().over(within) & ~is_last.fill_null(False).any().over(within)
    return refusals.rows(frame, from_zero, column=column, reason=Reason.INVALID_TIME, detail=f"counted from 0: {what}")
