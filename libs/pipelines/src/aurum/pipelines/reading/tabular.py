"""Delimited text files read into frames: cells as strings with their line numbers, then turned into numbers.

Rows and cells that cannot be read are collected in ``Refusals`` with line, column, raw text and reason; none is dropped
without a record.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.frames import PARSED, REFUSED
from aurum.core.markettime import label_problem
from aurum.pipelines.reading.bounds import check_cells, check_fields, fields_of
from aurum.pipelines.reading.numbers import numbers
from aurum.pipelines.records import first_lines, record_at, record_ending_at
from aurum.pipelines.source import RefusedFile, SourceFile


class Refusals:
    """The rows and cells held back while a file is parsed. One instance per file; ``raw`` returns the text of a line."""

    def __init__(self, raw: Callable[[int], str]) -> None:
        self._raw = raw
        self._parts: list[pl.DataFrame] = []

    def rows(
        self, frame: pl.DataFrame, bad: pl.Expr, *, column: str, reason: Reason | pl.Expr, detail: str | pl.Expr = ""
    ) -> pl.DataFrame:
        """Return the frame without the rows where ``bad`` is true, which are held back whole.

        ``column``: the header that the report names. ``reason`` and ``detail``: a constant or an expression over the frame.
        """
        flagged = frame.with_columns(bad.fill_null(False).alias("__bad"))
        held = flagged.filter("__bad")
        if held.is_empty():
            return frame
        self._add(held, column=column, reason=reason, detail=detail)
        return flagged.filter(~pl.col("__bad")).drop("__bad")

    def times(self, frame: pl.DataFrame, naive: pl.Expr, zone: str, *, ts: str = "ts", column: str) -> pl.DataFrame:
        """Return the frame without the rows whose ``ts`` is null; ``naive``, the local time label, tells the reason."""
        reason = pl.coalesce(label_problem(naive, zone), pl.lit(str(Reason.INVALID_TIME)))
        return self.rows(frame, pl.col(ts).is_null(), column=column, reason=reason)

    def numbers(
        self, frame: pl.DataFrame, columns: Mapping[str, str], *, missing: Sequence[str] = (), thousands: bool = False
    ) -> pl.DataFrame:
        """Return the frame with String columns (values of ``columns``) turned into Float64 columns (its keys).

        Null and any text in ``missing`` become null: nothing was published. Other text that ``reading.numbers`` does not read
        becomes null as well, and that one cell is held back. ``thousands``: the format has thousands separators.
        """
        texts = {name: _published(header, missing) for name, header in columns.items()}
        values = frame.select(numbers(text, thousands=thousands).alias(name) for name, text in texts.items())
        published = frame.select(text.count().alias(name) for name, text in texts.items()).row(0, named=True)
        for name, header in columns.items():
            if values[name].count() < published[name]:
                unread = frame.filter(texts[name].is_not_null() & values[name].is_null())
                self._add(unread, column=header, reason=Reason.NON_NUMERIC, detail=pl.col(header))
        return frame.with_columns(values.get_columns())

    def cells(self, frame: pl.DataFrame, bad: pl.Expr, *, column: str, reason: Reason, detail: str) -> pl.DataFrame:
        """Return the frame with null in the cells of a column where ``bad`` is true, which are held back; rows stay."""
        self._add(frame.filter(bad), column=column, reason=reason, detail=detail)
        return frame.with_columns(pl.when(~bad).then(pl.col(column)).alias(column))

    def frame(self) -> pl.DataFrame:
        """Return all that was held back so far, schema ``REFUSED``, ascending by line."""
        if not self._parts:
            return pl.DataFrame(schema=REFUSED)
        return pl.concat(self._parts).sort("line", maintain_order=True)

    def _add(self, held: pl.DataFrame, *, column: str, reason: Reason | pl.Expr, detail: str | pl.Expr) -> None:
        part = held.select(
            pl.col("line").cast(pl.UInt32),
            pl.lit(column).alias("column"),
            (reason if isinstance(reason, pl.Expr) else pl.lit(str(reason))).alias("reason"),
            (detail if isinstance(detail, pl.Expr) else pl.lit(detail)).cast(pl.String).fill_null("").alias("detail"),
        )
        raw = pl.Series("raw", [self._raw(line) for line in part["line"]], dtype=pl.String)
        self._parts.append(part.with_columns(raw).select(list(REFUSED)))


def _published(header: str, missing: Sequence[str]) -> pl.Expr:
    """Return the texts of a column, with null for those in ``missing``."""
    text = pl.col(header)
    return pl.when(~text.is_in(list(missing))).then(text) if missing else text


def read_table(
    document: SourceFile,
    required: Sequence[str],
    refusals: Refusals,
    *,
    header_line: int = 1,
    separator: str = ",",
    rows: tuple[int, int] | None = None,
) -> pl.DataFrame:
    """Return the cells of a delimited file as String columns, stripped, empty ones null, plus ``line`` (UInt32, 1-based):
    the first line of the row, which has several lines where a quoted cell holds line breaks.

    ``header_line``: 1-based line of the header; lines above it are skipped. ``rows``: the number of lines above the first row,
    and up to the last one; all below the header without it. Empty lines are left out; rows with too few
    fields are held back in ``refusals``. Raises ``RefusedFile`` when a required column is missing, a row has more fields
    than the header, or the last line is cut off.
    """
    if not document.content.strip():
        raise RefusedFile("the file is empty")
    lines = document.lines
    if len(lines) < header_line:
        raise RefusedFile(f"the file ends before its header (line {header_line})", line=len(lines))
    header = [name.strip() for name in fields_of(lines[header_line - 1], header_line, separator=separator)]
    missing = [name for name in required if name not in header]
    if missing:
        raise RefusedFile(
            f"wrong header: {', '.join(map(repr, missing))} not among {', '.join(map(repr, header))}", line=header_line
        )
    names = _unique(header)
    first, last = rows or (header_line, len(lines))
    lines = lines if last == len(lines) else lines[:last]
    check_cells(len(lines) - first, len(names), len(document.text))
    body = document.text_of(first, last) if first < last else ""
    _refuse_cut_off(lines, first, len(header), separator)
    if not body.strip():
        return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), "line": pl.UInt32})
    try:
        frame = pl.read_csv(
            io.BytesIO(body.encode()),
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=separator,
            row_index_name="line",
            row_index_offset=first + 1,
            missing_columns="insert",
        )
    except pl.exceptions.PolarsError as error:
        _refuse_ragged(lines, first, len(header), separator)
        if body.count('"') % 2:
            raise RefusedFile("a quoted field is not closed: the file has an odd number of quotes") from error
        raise RefusedFile(f"not a well-formed delimited file: {str(error).splitlines()[0]}") from error
    frame = frame.with_columns(pl.col("line").cast(pl.UInt32))
    check_fields(body, frame, names)
    if (starts := first_lines(lines, first, frame.height)) is not None:
        frame = frame.with_columns(starts.alias("line"))
    untidy = _untidy(body, frame, names)
    frame = frame.with_columns(pl.col(name).str.strip_chars().replace("", None) for name in untidy)
    frame = frame.select(*names, "line")
    frame = frame.filter(~pl.all_horizontal(pl.col(name).is_null() for name in names))
    if '"' not in body and body.count(separator) == (len(names) - 1) * frame.height:
        return frame  # no row has more fields than the header, so none has fewer
    return _hold_back_short_rows(frame, lines, refusals, last=names[-1], width=len(names), separator=separator)


def _untidy(body: str, frame: pl.DataFrame, names: Sequence[str]) -> Sequence[str]:
    """Return the columns in which a cell may be empty text, or begin or end with a blank: stripping all columns costs more."""
    if not body.isascii() or any(blank in body for blank in "\t\v\f"):
        return names
    cells = [pl.col(name) for name in names]
    loose = frame.select((cell.str.starts_with(" ") | cell.str.ends_with(" ") | (cell == "")).any() for cell in cells)
    return [name for name, is_loose in zip(names, loose.row(0), strict=True) if is_loose]


def _hold_back_short_rows(
    frame: pl.DataFrame, lines: Sequence[str], refusals: Refusals, *, last: str, width: int, separator: str
) -> pl.DataFrame:
    # The reader fills a short row with nulls, so only rows whose last field is null are counted again, in their raw text.
    suspects = frame.filter(pl.col(last).is_null()).select("line")
    if suspects.is_empty():
        return frame
    raw = pl.Series("raw", [record_at(lines, line - 1) for line in suspects["line"]], dtype=pl.String)
    short = suspects.filter(raw.str.count_matches(separator, literal=True) < width - 1)
    return refusals.rows(
        frame,
        pl.col("line").is_in(short["line"].implode()),
        column=last,
        reason=Reason.MISSING_FIELD,
        detail=f"fewer than {width} fields",
    )


def _unique(header: Sequence[str]) -> list[str]:
    """Return the header names made unique: empty and repeated ones get their position."""
    seen: set[str] = set()
    names: list[str] = []
    for position, name in enumerate(header, start=1):
        unique = name if name and name not in seen and name != "line" else f"{name}#{position}"
        seen.add(unique)
        names.append(unique)
    return names


def _refuse_cut_off(lines: Sequence[str], above: int, width: int, separator: str) -> None:
    last = next((n for n in range(len(lines), above, -1) if lines[n - 1].strip()), None)
    if last is None:
        return
    fields = len(fields_of(record_ending_at(lines, last - 1), last, separator=separator))
    if fields < width:
        raise RefusedFile(f"truncated: the last line has {fields} of {width} fields", line=last)


def _refuse_ragged(lines: Sequence[str], above: int, width: int, separator: str) -> None:
    for number, line in enumerate(lines[above:], start=above + 1):
        fields = len(fields_of(line, number, separator=separator))
        if fields > width:
            raise RefusedFile(f"{fields} fields under a header of {width}", line=number)


def observations(
    frame: pl.DataFrame, measures: Sequence[str], *, quality: pl.Expr | None = None, version: pl.Expr | None = None
) -> pl.DataFrame:
    """Return a wide frame (``location``, ``ts``, ``line``, one Float64 column per measure) as ``PARSED`` rows without nulls."""
    wide = frame.select(
        pl.col("location").cast(pl.String),
        "ts",
        pl.col("line").cast(pl.UInt32),
        (quality if quality is not None else pl.lit(0)).cast(pl.Int16).alias("quality"),
        (version if version is not None else pl.lit(0)).cast(pl.Int16).alias("version"),
        *measures,
    )
    return (
        wide.unpivot(
            on=list(measures),
            index=["location", "ts", "line", "quality", "version"],
            variable_name="measure",
            value_name="value",
        )
        .filter(pl.col("value").is_not_null())
        .select(list(PARSED))
    )
