"""Records of delimited text that span several lines, because a quoted cell holds line breaks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_MOST_LINES = 100
"""Most lines of a record. It bounds the search for the end of a quote that is never closed."""


def first_lines(lines: Sequence[str], above: int, records: int) -> pl.Series | None:
    """Return the number of the first line of each record, from 1 (UInt32); None where each record is one line.

    ``above``: number of lines before the first record. ``records``: number that the reader counted, blank lines included.
    """
    end = len(lines)
    while end > above and not lines[end - 1].strip():
        end -= 1  # readers differ in whether blank lines at the end are records
    if records >= end - above:
        return None
    frame = pl.DataFrame({"text": lines[above:end]}, schema={"text": pl.String})
    quotes = pl.col("text").str.count_matches('"', literal=True)
    begins = (quotes.cum_sum() - quotes) % 2 == 0
    starts = frame.select((pl.arg_where(begins) + above + 1).cast(pl.UInt32)).to_series()
    return starts if len(starts) == records else None


def record_at(lines: Sequence[str], position: int) -> str:
    """Return the text of the record that begins with the line at a position, from 0; one line if it leaves no quote open."""
    text = lines[position]
    if text.count('"') % 2 == 0:
        return text
    for end in range(position + 1, min(position + _MOST_LINES, len(lines))):
        if lines[end].count('"') % 2:
            return "\n".join(lines[position : end + 1])
    return text


def record_ending_at(lines: Sequence[str], position: int) -> str:
    """Return the text of the record that ends with the line at a position, from 0."""
    text = lines[position]
    if text.count('"') % 2 == 0:
        return text
    for start in range(position - 1, max(position - _MOST_LINES, -1), -1):
        if lines[start].count('"') % 2:
            return "\n".join(lines[start : position + 1])
    return text
