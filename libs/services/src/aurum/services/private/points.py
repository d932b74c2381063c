"""Points as callers write them: rows of texts and numbers, checked in columns and turned into points of a series.

One bad row refuses all of them. What a tenant measures or marks has no publisher who will send a better file, so it is the
caller who has to know, at once and by line, and half a day of meter data is worse than none.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import polars as pl

from aurum.core.catalog import Quality
from aurum.core.errors import Invalid
from aurum.core.frames import FILE_ROWS, UTC_US
from aurum.core.frequency import Frequency
from aurum.core.markettime import first_instant, label_problem, to_utc
from aurum.core.series.model import SeriesSpec
from aurum.core.series.resample import bucket_of

ROWS = pl.Schema({"line": pl.UInt32(), "start": pl.String(), "value": pl.String(), "known_at": pl.String()})
"""Rows as callers write them. ``line``: 1-based line of a file, or number of an element. ``value``: a decimal number."""

_SHOWN = 20
"""Most rows that a refusal names."""
_COLUMNS = ("start", "value", "known_at")
# Polars knows the clock changes of no later year.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

# The grammar of core.markettime.instants, in columns. A regular expression of Polars has no look-around.
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_INSTANT = rf"^({_DAY})(?:[Tt]({_CLOCK})([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?$"
DECIMAL = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
"""Pattern of decimal numbers, for Polars."""


class BadRows(Invalid):
    """Rows that cannot be stored, so none was. Facts: ``rows``, their number; ``errors``: the first of them by line."""

    def __init__(self, problems: pl.DataFrame) -> None:
        shown = problems.head(_SHOWN)
        errors = [
            {"field": f"line {line}: {column}", "message": message, "value": value}
            for line, column, value, message in shown.select("line", "column", "text", "problem").iter_rows()  # rows: shown
        ]
        # The reasons of periods begin with the word, as the field ends with it.
        named = "; ".join(f"{error['field']} {error['message'].removeprefix('period ')}" for error in errors)
        more = f"; and {problems.height - len(errors):,} more" if problems.height > len(errors) else ""
        count = "1 row" if problems.height == 1 else f"{problems.height:,} rows"
        super().__init__(f"{count} cannot be used, so nothing was stored: {named}{more}", rows=problems.height, errors=errors)


def csv_rows(content: bytes) -> pl.DataFrame:
    """Return the rows of a CSV file, schema ``ROWS``.

    Its first line names the columns ``start`` and ``value``, and may name ``known_at``, in any order, with commas or semicolons
    between them. Raises ``Invalid``.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the file is not UTF-8: byte {error.start + 1:,} is not part of a character") from error
    head = text.partition("\n")[0].strip().lower()
    separator = ";" if ";" in head else ","
    names = [name.strip().strip('"') for name in head.split(separator)]
    if sorted(names) not in (["start", "value"], ["known_at", "start", "value"]):
        raise Invalid(
            f"line 1 must name the columns start,value or start,value,known_at; it is {head[:100]!r}: write them in lower "
            "case, separated by commas"
        )
    check_cells(text, separator, len(names))
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode()),
            has_header=False,
            skip_rows=1,
            new_columns=names,
            schema=dict.fromkeys(names, pl.String()),
            separator=separator,
            truncate_ragged_lines=False,
        )
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema=ROWS)
    except pl.exceptions.PolarsError as error:
        raise Invalid(f"the file is not CSV with the columns {', '.join(names)}: {str(error).splitlines()[0]}") from error
    known_at = pl.col("known_at") if "known_at" in names else pl.lit(None, pl.String).alias("known_at")
    numbered = frame.select("start", "value", known_at).with_row_index("line", offset=2)
    return numbered.filter(~pl.all_horizontal(pl.col(*_COLUMNS).is_null())).select(list(ROWS))


def check_cells(text: str, separator: str, count: int) -> None:
    """Raise ``Invalid`` for the first row with another number of cells than line 1."""
    try:
        for row, cells in enumerate(csv.reader(io.StringIO(text), delimiter=separator), start=1):
            if cells and len(cells) != count:
                why = f"row {row} has {len(cells)} cells, and line 1 names {count} columns: an empty cell needs its separator"
                raise Invalid(why)
    except csv.Error as error:
        raise Invalid(f"the file is not CSV: {error}") from error


def checked_points(rows: pl.DataFrame, spec: SeriesSpec, *, now: datetime) -> pl.DataFrame:
    """Return the points of some rows, schema ``core.frames.FILE_ROWS``. Raises ``BadRows``.

    ``rows``: schema ``ROWS``, with values as texts or as Float64. ``spec``: of their series. ``now``: no known time is later.
    A start must be the start of an interval of the series; one interval has at most one value for each known time.
    """
    text = rows.with_columns(pl.col(pl.String).str.strip_chars()).with_columns(
        known_at=pl.when(pl.col("known_at") != "").then(pl.col("known_at"))
    )
    read = text.select(
        "line",
        *(pl.col(name).cast(pl.String).alias(f"{name}_text") for name in _COLUMNS),
        *instant_columns("start", spec.zone, alias="ts"),
        *instant_columns("known_at", spec.zone, alias="known_at"),
        _number(rows.schema["value"]),
    )
    aligned = read.with_columns(start=_interval_start(spec))
    problems = pl.concat(
        [
            problems_of(aligned, "start", _start_problem(spec)),
            problems_of(aligned, "value", _value_problem()),
            problems_of(aligned, "known_at", _known_at_problem(now)),
        ]
    )
    if problems.is_empty():
        again = (pl.int_range(pl.len()) > 0).over("ts", "known_at")
        first = pl.col("line").first().over("ts", "known_at")
        message = pl.format("is a second value for the interval of line {}: send one value for each interval", first)
        problems = problems_of(aligned, "start", pl.when(again).then(message))
    if not problems.is_empty():
        raise BadRows(problems.sort("line", maintain_order=True))
    return aligned.select(
        pl.lit(0, pl.UInt32).alias("series"),
        "ts",
        "value",
        pl.lit(int(Quality.GOOD), pl.Int16).alias("quality"),
        "known_at",
        pl.lit(0, pl.Int16).alias("version"),
    ).select(list(FILE_ROWS))


def _number(dtype: pl.DataType) -> pl.Expr:
    """Return the column ``value`` as numbers; null for a text that is not a decimal number."""
    value = pl.col("value")
    return value if dtype == pl.Float64 else pl.when(value.str.contains(DECIMAL)).then(value.cast(pl.Float64, strict=False))


def instant_columns(column: str, zone: str, *, alias: str) -> list[pl.Expr]:
    """Return the columns ``alias``, the instant that a text names in UTC, and ``alias_problem``, why it names none."""
    parts = pl.col(column).str.extract_groups(_INSTANT)
    day, clock, offset = (parts.struct.field(str(number)) for number in (1, 2, 3))
    # 24:00 and seconds of one digit did not match; %.f reads a fraction of up to nine digits, or none.
    seconds = pl.when(clock.str.len_chars() == 5).then(clock + ":00").otherwise(clock)
    naive = pl.when(clock.is_null()).then(day + "T00:00:00").otherwise(day + "T" + seconds)
    wall = naive.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    minutes = offset.str.slice(1, 2).cast(pl.Int64, strict=False) * 60 + offset.str.slice(4, 2).cast(pl.Int64, strict=False)
    shift = pl.duration(minutes=pl.when(offset.str.to_uppercase() == "Z").then(0).otherwise(sign * minutes))
    with_offset = (wall - shift).dt.replace_time_zone("UTC").dt.cast_time_unit("us")
    local = pl.when(clock.is_null()).then(first_instant(wall, zone)).otherwise(to_utc(wall, zone))
    instant = pl.when(offset.is_not_null()).then(with_offset).otherwise(local).cast(UTC_US)
    of_label = label_problem(wall, zone)
    problem = (
        pl.when(pl.col(column).is_null() | (pl.col(column) == ""))
        .then(None)
        .when(wall.is_null())
        .then(pl.lit("is not a time: write YYYY-MM-DDTHH:MM with Z or an offset, such as 2025-11-02T14:00-05:00"))
        .when(offset.is_not_null() | clock.is_null())
        .then(None)
        .when(of_label == "ambiguous_time")
        .then(pl.lit(f"happens twice in {zone}: add an offset"))
        .when(of_label == "non_existent_time")
        .then(pl.lit(f"does not exist in {zone}: clocks skip it"))
    )
    return [instant.alias(alias), problem.alias(f"{alias}_problem")]


def _interval_start(spec: SeriesSpec) -> pl.Expr:
    """Return the start of the interval in which ``ts`` lies."""
    if spec.frequency is Frequency.IRREGULAR:
        return pl.col("ts")
    bucket = bucket_of(spec.frequency, spec.zone)
    if spec.frequency.step is not None:
        return bucket
    return first_instant(bucket.cast(pl.Datetime("us")), spec.zone)


def _start_problem(spec: SeriesSpec) -> pl.Expr:
    return (
        pl.when(pl.col("start_text").is_null() | (pl.col("start_text") == ""))
        .then(pl.lit("is missing"))
        .when(pl.col("ts_problem").is_not_null())
        .then(pl.col("ts_problem"))
        .when((pl.col("ts") < _FIRST) | (pl.col("ts") >= _LAST))
        .then(pl.lit("is not between the years 1900 and 2099"))
        .when(pl.col("ts") != pl.col("start"))
        .then(pl.lit(f"is not the start of an interval: the step of the series is {spec.frequency} in {spec.zone}"))
    )


def _value_problem() -> pl.Expr:
    return (
        pl.when(pl.col("value_text").is_null() | (pl.col("value_text") == ""))
        .then(pl.lit("is missing: leave out rows without a value"))
        .when(pl.col("value").is_null() | ~pl.col("value").is_finite())
        .then(pl.lit("is not a decimal number, such as 12.5"))
    )


def _known_at_problem(now: datetime) -> pl.Expr:
    return (
        pl.when(pl.col("known_at_problem").is_not_null())
        .then(pl.col("known_at_problem"))
        .when(pl.col("known_at") > now)
        .then(pl.lit(f"is in the future: it is now {now.isoformat(timespec='seconds')}"))
        .when(pl.col("known_at") < _FIRST)
        .then(pl.lit("is before the year 1900"))
    )


def problems_of(rows: pl.DataFrame, column: str, problem: pl.Expr) -> pl.DataFrame:
    """Return ``line``, ``column``, ``text`` and ``problem`` of the rows that have a problem."""
    text = pl.col(f"{column}_text").str.slice(0, 60)
    named = rows.select("line", pl.lit(column).alias("column"), text.alias("text"), problem.cast(pl.String).alias("problem"))
    return named.filter(pl.col("problem").is_not_null())
