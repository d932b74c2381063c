"""Settlements of power futures as CSV: ``Identifier;TimeStamp;Begin;End;Open;High;Low;Close;Settlement;Price;...``.

Semicolons and decimal commas. One row for each open period on each trade date: months and weeks go on while they deliver, and a
week is quoted on the Monday after it. Times are local midnights with their offset, ``2021-03-01T00:00:00.000+0100``. A row
without a settlement is a listed period without a price. ``Price`` is empty, or the settlement again; ``ValidationStatus`` and
``ChangeComment`` are not read. Files of one layout: the identifier says area, block and kind of period.

Source of the description: files of months, quarters and weeks of the German base, 2021 to 2024.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.curves.quotes import PARSED_QUOTES
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.reading.dates import FIRST_YEAR, ISO_OFFSET, LAST_YEAR, day_of, instants, read_once
from aurum.pipelines.reading.quotes import as_quotes, read_fields
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import FileFormat, NamedContent, RefusedFile, SourceFile
from aurum.pipelines.sources.eex.datasets import POWER_FUTURES, ZONE
from aurum.pipelines.sources.eex.identifiers import FORM, PEAK, future_of, identifier_in, is_of_kind

_IDENTIFIER, _TRADED, _BEGIN, _END = "Identifier", "TimeStamp", "Begin", "End"
_FIELDS = {"settle": "Settlement", "open": "Open", "high": "High", "low": "Low", "close": "Close"}
_AGAIN = "Price"
_REQUIRED = (_IDENTIFIER, _TRADED, _BEGIN, _END, *_FIELDS.values())
_PATTERNS = (*ISO_OFFSET, "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z")
_DAYS = re.compile(r"_(?P<first>[0-9]{4}(?:-?[0-9]{2}){0,2}?)(?:[-_](?P<last>[0-9]{4}(?:-?[0-9]{2}){0,2}))?(?:\.[A-Za-z]+)?$")
_PEAK_HOURS = (8, 20)


def _recognise(document: SourceFile) -> bool:
    header = [word.strip().strip('"') for word in document.head_lines(1)[0].split(";")]
    return set(_REQUIRED) <= set(header)


def _parse(document: SourceFile) -> tuple[ParsedQuotes, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, _REQUIRED, refusals, separator=";")
    count = table.height + refusals.frame().height
    frame = _with_products(document, table, refusals)
    frame = _with_days(frame, refusals)
    wrong = ~is_of_kind("kind", "block")
    said = pl.format("{} to {} is not a {}, as the identifier says", "delivery_start", "delivery_end", "kind")
    frame = refusals.rows(frame, wrong, column=_BEGIN, reason=Reason.INVALID_TIME, detail=said)
    columns = _FIELDS | ({"#again": _AGAIN} if _AGAIN in table.columns else {})
    frame = read_fields(frame, columns, refusals, decimal_comma=True)
    if "#again" in frame.columns:
        another = (pl.col("#again") != pl.col("settle")) | (pl.col("#again").is_not_null() & pl.col("settle").is_null())
        detail = pl.format(
            "{} {}, and the settlement is {}", pl.lit(_AGAIN), "#again", pl.col("settle").cast(pl.String).fill_null("empty")
        )
        frame = refusals.rows(frame, another, column=_AGAIN, reason=Reason.INCONSISTENT, detail=detail)
    rows = as_quotes(frame) if frame.height else pl.DataFrame(schema=PARSED_QUOTES)
    return (ParsedQuotes(POWER_FUTURES, rows, refusals.frame(), count, document.raw, columns=_FIELDS),)


def _with_products(document: SourceFile, table: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the rows of known identifiers with ``curve``, ``block`` and ``kind``. Raises ``RefusedFile`` for none."""
    identifiers = table[_IDENTIFIER].unique(maintain_order=True).to_list()
    futures = {name: future for name in identifiers if name is not None and (future := future_of(name)) is not None}
    if identifiers and not futures:
        names = ", ".join(repr(name) for name in identifiers[:3])
        raise RefusedFile(f"no row has an identifier of a power future, {FORM}, but {names}")
    expected = identifier_in(document.name)
    if futures and expected is not None and expected not in futures:
        raise RefusedFile(f"name and content disagree: {document.name!r}, and rows of {', '.join(sorted(futures)[:3])}")
    name = pl.col(_IDENTIFIER)
    unknown = pl.format("{} is not {}", name.fill_null("an empty cell"), pl.lit(FORM))
    frame = refusals.rows(
        table, ~name.is_in(list(futures)).fill_null(False), column=_IDENTIFIER, reason=Reason.UNKNOWN_CODE, detail=unknown
    )
    if expected is not None:
        detail = f"the name of the file says {expected}"
        frame = refusals.rows(frame, name != expected, column=_IDENTIFIER, reason=Reason.INCONSISTENT, detail=detail)
    described = {
        "curve": {name: future.key for name, future in futures.items()},
        "block": {name: future.block for name, future in futures.items()},
        "kind": {name: str(future.kind) for name, future in futures.items()},
    }
    return frame.with_columns(
        name.replace_strict(words, default=None, return_dtype=pl.String).alias(column) for column, words in described.items()
    )


def _with_days(frame: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the frame with ``trade_date``, ``delivery_start`` and ``delivery_end``; other rows are held back."""
    for column, field in ((_TRADED, "trade_date"), (_BEGIN, "delivery_start"), (_END, "delivery_end")):
        # Read before, because Polars would read the text again wherever an expression uses it.
        frame = read_once(frame, column, instants(pl.col(column), _PATTERNS).dt.convert_time_zone(ZONE).alias("#local"))
        local = pl.col("#local")
        day, midnight = local.dt.date(), local.dt.truncate("1d") == local
        frame = frame.with_columns(
            pl.when(midnight).then(day).alias(field),
            pl.when(~midnight).then(day).alias("#day"),
            local.dt.time().alias("#clock"),
        )
        if field != "trade_date":
            hour = _PEAK_HOURS[field == "delivery_end"]
            by_hours = (pl.col("block") == PEAK) & (pl.col("#clock") == pl.time(hour))
            later = timedelta(days=int(field == "delivery_end"))
            frame = frame.with_columns(pl.coalesce(field, pl.when(by_hours).then(pl.col("#day") + later)).alias(field))
        frame = refusals.rows(
            frame.drop("#local", "#day", "#clock"),
            pl.col(field).is_null(),
            column=column,
            reason=Reason.INVALID_TIME,
            detail=pl.format("{} is not a midnight of {}", pl.col(column).fill_null("an empty cell"), pl.lit(ZONE)),
        )
    return frame


def _named(document: SourceFile) -> NamedContent | None:
    """Return the trade dates that the name of a file says: a day, a month, a year, or from one to another."""
    if identifier_in(document.name) is None or (match := _DAYS.search(document.name)) is None:
        return None
    first = _span(match["first"])
    last = _span(match["last"]) if match["last"] else first
    if first is None or last is None or first[0] > last[1]:
        return None
    return NamedContent(first[0], last[1], ZONE)


def _span(text: str) -> tuple[date, date] | None:
    """Return the first and last day of ``2024``, ``202410``, ``2024-10`` or a day; None for other texts."""
    digits = text.replace("-", "")
    first = day_of(_padded(digits), ("%Y%m%d",))
    if first is None or not FIRST_YEAR <= first.year <= LAST_YEAR:
        return None
    months = {4: 12, 6: 1}.get(len(digits))
    if months is None:
        return first, first
    after = date(first.year + (first.month + months - 1) // 12, (first.month + months - 1) % 12 + 1, 1)
    return first, after - timedelta(days=1)


def _padded(digits: str) -> str:
    return digits + {4: "0101", 6: "01"}.get(len(digits), "")


FORMAT = FileFormat(
    "EEX power futures CSV",
    (POWER_FUTURES,),
    _recognise,
    _parse,
    named=_named,
    columns=_REQUIRED,
)
