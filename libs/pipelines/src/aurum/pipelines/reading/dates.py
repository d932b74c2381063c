"""Reads days, local times and instants: texts of stated patterns, in columns and alone; null for every other text.

A text is read only if the whole of it has the form of a pattern: ASCII digits, no text behind, a year of four digits. Years of
two digits are accepted where a pattern begins with month and day (``%m/%d/%Y``), as spreadsheets re-save such dates: there the
place of the year is certain. Its century follows POSIX: 00 to 68 is 2000 to 2068, 69 to 99 is 1969 to 1999. In any other
pattern (``25-11-02``) the place of the year is not certain, and the text is not read.

Years outside ``FIRST_YEAR`` to ``LAST_YEAR`` are null as well: no observation is from them, and time arithmetic on them could
overflow. What is plausible within them is declared by each dataset and checked after parsing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import cache, partial
from typing import Any

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.frames import UTC_US
from aurum.core.markettime import to_utc
from aurum.pipelines.reading.tabular import Refusals

FIRST_YEAR, LAST_YEAR = 1700, 2200

ISO_OFFSET = ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M%:z")
"""RFC 3339 with an offset; ``Z`` is read as ``+00:00``."""

_MONTH_FIRST = "%m/%d/%Y"
_SHORT = "^[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}(?: |$)"
_CENTURIES = ((r"[0-5][0-9]|6[0-8]", "20"), (r"69|[7-9][0-9]", "19"))
_ONE_OR_TWO = "[0-9]{1,2}"
_FORMS = {
    "%Y": "[0-9]{4}",
    "%m": _ONE_OR_TWO,
    "%d": _ONE_OR_TWO,
    "%H": _ONE_OR_TWO,
    "%I": _ONE_OR_TWO,
    "%M": "[0-5][0-9]",
    "%S": "[0-5][0-9]",
    "%.f": r"(?:\.[0-9]{1,9})?",
    "%p": "[AaPp][Mm]",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]{3,9}",
    "%:z": "[+-](?:0[0-9]|1[0-4]):[0-5][0-9]",
    "%z": "[+-](?:0[0-9]|1[0-4])[0-5][0-9]",
}
_SERIAL = r"^([1-9][0-9]{4})(?:\.0*)?$"
_SERIAL_ZERO = date(1899, 12, 30)
_DIRECTIVE = re.compile(r"%(?:\.f|:z|[A-Za-z])")


def days(text: pl.Expr, patterns: Sequence[str]) -> pl.Expr:
    """Return the days (Date) of texts; the first day of the period for a pattern of months or years."""
    return text.map_batches(partial(_read, patterns=patterns, dtype=pl.Date()), return_dtype=pl.Date)


def serial_days(text: pl.Expr) -> pl.Expr:
    """Return the days (Date) of a spreadsheet's serial numbers, ``41229`` or ``41229.00``; null for other texts."""
    whole = pl.when(text.str.contains(_SERIAL)).then(text.str.extract(_SERIAL, 1)).cast(pl.Int32)
    return (pl.lit(_SERIAL_ZERO) + pl.duration(days=whole)).cast(pl.Date)


def times(text: pl.Expr, patterns: Sequence[str]) -> pl.Expr:
    """Return the naive date-times (``Datetime("us")``) of texts."""
    dtype = pl.Datetime("us")
    return text.map_batches(partial(_read, patterns=patterns, dtype=dtype), return_dtype=dtype)


def instants(text: pl.Expr, patterns: Sequence[str] = ISO_OFFSET) -> pl.Expr:
    """Return the instants (``Datetime("us", "UTC")``) of texts with an offset; every pattern ends in ``%:z`` or ``%z``."""
    read = partial(_read, patterns=patterns, dtype=UTC_US)
    return text.str.replace("Z$", "+00:00").map_batches(read, return_dtype=UTC_US)


def read_once(frame: pl.DataFrame, columns: str | Sequence[str], *readings: pl.Expr) -> pl.DataFrame:
    """Return the frame with ``readings``, which depend on the columns only, computed once for each different text.

    The stamp of an interval stands on the rows of all its locations, so this is most of the cost of reading a file.
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    read = frame.select(names).unique(maintain_order=False).with_columns(readings)
    return frame.join(read, on=names, how="left", maintain_order="left", nulls_equal=True)


def with_days(
    frame: pl.DataFrame, column: str, refusals: Refusals, *, zone: str, patterns: Sequence[str], every: str = "1d"
) -> pl.DataFrame:
    """Return the frame with ``ts``, the first instant of the period of length ``every`` that the text's day lies in.

    ``zone``: the clock in which the period begins. Rows whose text is not a day are held back.
    """
    naive = days(pl.col(column), patterns).dt.truncate(every).cast(pl.Datetime("us"))
    frame = read_once(frame.drop("ts", strict=False), column, to_utc(naive, zone).alias("ts"))
    return refusals.rows(frame, pl.col("ts").is_null(), column=column, reason=Reason.INVALID_TIME, detail=pl.col(column))


def day_of(text: str | None, patterns: Sequence[str]) -> date | None:
    """Return the day of one text; None where it is not one."""
    return _one(text, patterns, days)


def time_of(text: str | None, patterns: Sequence[str]) -> datetime | None:
    """Return the naive date-time of one text; None where it is not one."""
    return _one(text, patterns, times)


def instant_of(text: str | None, patterns: Sequence[str] = ISO_OFFSET) -> datetime | None:
    """Return the instant (UTC) of one text with an offset; None where it is not one."""
    return _one(text, patterns, instants)


def local_instant_of(text: str | None, patterns: Sequence[str], zone: str, *, second: bool | None = None) -> datetime | None:
    """Return the instant (UTC) of one local time; None where it is not one, or names two instants or none.

    ``second``: whether a time that occurs twice is the second one; None: it is neither.
    """
    return _instant(time_of(text, patterns), lambda naive: to_utc(naive, zone, second=pl.lit(second, pl.Boolean)))


def labelled(naive: pl.Expr, zone: str, label: pl.Expr, *, standard: Iterable[str], daylight: Iterable[str]) -> pl.Expr:
    """Return the UTC instants of local times with a label of their clock (``EST``, ``EDT``); null where the two disagree.

    A label that is not of the zone, or not of the date (EST in July), gives null. Without a label a local time that occurs
    twice gives null.
    """
    word = label.str.to_uppercase()
    is_standard, is_daylight = word.is_in(list(standard)), word.is_in(list(daylight))
    second = pl.when(is_standard).then(True).when(is_daylight).then(False).otherwise(None)
    instant = to_utc(naive, zone, second=second)
    shifted = instant.dt.convert_time_zone(zone).dt.dst_offset() != pl.duration(hours=0)
    agrees = (is_standard & ~shifted) | (is_daylight & shifted)
    return pl.when(label.is_null() | agrees).then(instant)


def labelled_of(
    text: str, patterns: Sequence[str], zone: str, label: str, *, standard: Iterable[str], daylight: Iterable[str]
) -> datetime | None:
    """Return the instant (UTC) of one local time with a label of its clock; None where they do not name one."""
    naive = time_of(text, patterns)
    return _instant(naive, lambda naive: labelled(naive, zone, pl.lit(label), standard=standard, daylight=daylight))


def _instant(naive: datetime | None, instant: Callable[[pl.Expr], pl.Expr]) -> datetime | None:
    # Read before, because Polars would read the text again wherever the expression uses it.
    return pl.select(instant(pl.lit(naive, pl.Datetime("us")))).item()


def _one(text: str | None, patterns: Sequence[str], read: Callable[[pl.Expr, Sequence[str]], pl.Expr]) -> Any:
    return pl.DataFrame({"text": [text]}, schema={"text": pl.String}).select(read(pl.col("text"), patterns)).item()


def _read(texts: pl.Series, *, patterns: Sequence[str], dtype: pl.Date | pl.Datetime) -> pl.Series:
    """Return the moments of texts: of each text the moment of the first pattern that it has the form of."""
    texts = _with_century(texts, patterns)
    moments = pl.Series(texts.name, [None], dtype).new_from_index(0, texts.len())
    for pattern in patterns:
        matching = texts.str.contains(_form(pattern)).fill_null(False)
        if not matching.any():
            continue
        read = (
            texts.str.strptime(dtype, pattern, strict=False)
            if matching.all()
            else (texts.set(~matching, None).str.strptime(dtype, pattern, strict=False))
        )
        moments = read if moments.null_count() == moments.len() else moments.zip_with(moments.is_not_null(), read)
    possible = moments.dt.year().is_between(FIRST_YEAR, LAST_YEAR)
    return moments if possible.all() else moments.set(~possible.fill_null(True), None)


@cache
def _form(pattern: str) -> str:
    """Return the regular expression of all texts of a pattern."""
    parts: list[str] = []
    end = 0
    for directive in _DIRECTIVE.finditer(pattern):
        parts.append(re.escape(pattern[end : directive.start()]))
        form = _FORMS[directive[0]]
        # Next to another number a number has all its digits.
        narrow = form == _ONE_OR_TWO and (directive.start() == end > 0 or pattern[directive.end() :].startswith("%"))
        parts.append("[0-9]{2}" if narrow else form)
        end = directive.end()
    parts.append(re.escape(pattern[end:]))
    return f"^{''.join(parts)}$"


def _with_century(texts: pl.Series, patterns: Sequence[str]) -> pl.Series:
    """Return the texts with years of two digits completed, if a pattern begins with month and day."""
    if not any(pattern.startswith(_MONTH_FIRST) for pattern in patterns) or not texts.str.contains(_SHORT).any():
        return texts
    for years, century in _CENTURIES:
        texts = texts.str.replace(rf"^([0-9]{{1,2}}/[0-9]{{1,2}}/)({years})( |$)", f"${{1}}{century}${{2}}${{3}}")
    return texts
