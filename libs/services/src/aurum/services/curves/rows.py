"""Rows of quotes as callers write them (SIMPLE), checked in columns and turned into quotes of products.

One bad row refuses all of them, as for points of private series: it is the caller who must know, at once and by line.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from aurum.core.curves.period_labels import InvalidPeriod
from aurum.core.curves.quotes import ENDED, FIELDS, FILE_QUOTES, LONGEST, MOST, PRICES
from aurum.core.errors import Invalid
from aurum.core.names import nearest
from aurum.services.curves.reference import Terms
from aurum.services.private.points import DECIMAL, BadRows, check_cells, instant_columns, problems_of

KEYS = ("trade_date", "product", "period")
COLUMNS = (*KEYS, *FIELDS, "known_at")

QUOTE_ROWS = pl.Schema({"line": pl.UInt32(), **dict.fromkeys(COLUMNS, pl.String())})
"""Rows as callers write them. ``line``: 1-based line of a file, or number of an element. Fields: decimal numbers as texts."""

_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_WITH_OFFSET = r"([Zz]|[+-][0-9]{2}:[0-9]{2})$"
_FIRST = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class QuotedProduct:
    """A product that rows may quote. ``problem``: why they may not, for one that is not the caller's own; else None."""

    terms: Terms | None
    problem: str | None = None


def csv_quote_rows(content: bytes) -> pl.DataFrame:
    """Return the rows of a SIMPLE file, schema ``QUOTE_ROWS``.

    Its first line names ``trade_date``, ``product``, ``period``, any fields of quotes, and may name ``known_at``, in any order,
    with commas or semicolons between them. Raises ``Invalid``.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the file is not UTF-8: byte {error.start + 1:,} is not part of a character") from error
    head = text.partition("\n")[0].strip()
    separator = ";" if ";" in head else ","
    names = [name.strip().strip('"') for name in head.split(separator)]
    _check_header(names)
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
        return pl.DataFrame(schema=QUOTE_ROWS)
    except pl.exceptions.PolarsError as error:
        raise Invalid(f"the file is not CSV with the columns {', '.join(names)}: {str(error).splitlines()[0]}") from error
    missing = [pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in names]
    numbered = frame.with_columns(missing).with_row_index("line", offset=2)
    return numbered.filter(~pl.all_horizontal(pl.col(names).is_null())).select(list(QUOTE_ROWS))


def checked_quotes(rows: pl.DataFrame, products: Mapping[str, QuotedProduct], *, now: datetime) -> pl.DataFrame:
    """Return the quotes of some rows, schema ``core.curves.quotes.FILE_QUOTES``. Raises ``BadRows``.

    ``rows``: schema ``QUOTE_ROWS``. ``products``: each that a row names, by key; ``curve`` of a quote is its place among them.
    ``now``: no known time is later, and no trade date more than a day.
    """
    text = rows.with_columns(pl.col(pl.String).str.strip_chars()).with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in COLUMNS
    )
    read = _shown(text).with_columns(
        pl.when(pl.col("trade_date").str.contains(_DAY)).then(pl.col("trade_date").str.to_date("%Y-%m-%d", strict=False)),
        *(_number(name) for name in FIELDS),
        *instant_columns("known_at", "UTC", alias="known_at"),
    )
    placed = _with_periods(_with_products(read, products), products)
    refused = pl.concat(
        [
            problems_of(placed, "trade_date", _trade_date_problem(now)),
            problems_of(placed, "product", _missing_or("product")),
            problems_of(placed, "period", _missing_or("period")),
            problems_of(placed, "period", _far_from_trade_date()),
            *(problems_of(placed, name, _number_problem(name)) for name in FIELDS),
            problems_of(placed, "bid", pl.when(pl.col("bid") > pl.col("ask")).then(pl.lit("is above the ask"))),
            problems_of(placed, "low", pl.when(pl.col("low") > pl.col("high")).then(pl.lit("is above the high"))),
            problems_of(placed, "known_at", _known_at_problem(now)),
        ]
    )
    if refused.is_empty():
        refused = problems_of(placed, "period", _repeated())
    if not refused.is_empty():
        raise BadRows(refused.sort("line", maintain_order=True))
    return placed.with_columns(pl.lit(value=False).alias("by_rule")).select(list(FILE_QUOTES))


def _check_header(names: Sequence[str]) -> None:
    missing = [name for name in KEYS if name not in names]
    if missing:
        raise Invalid(f"line 1 must name the columns {', '.join(KEYS)}; {missing[0]} is missing")
    for name in names:
        if name not in COLUMNS:
            close = nearest(name, COLUMNS, count=1)
            hint = f" (meant: {close[0]}?)" if close else ""
            raise Invalid(f"line 1 has an unknown column {name[:60]!r}{hint}: a file may have {', '.join(COLUMNS)}")
        if list(names).count(name) > 1:
            raise Invalid(f"line 1 names the column {name!r} more than once")


def _shown(text: pl.DataFrame) -> pl.DataFrame:
    """Add the text of each cell, which refusals show, in ``<column>_text``."""
    return text.with_columns(pl.col(name).fill_null("").alias(f"{name}_text") for name in COLUMNS)


def _number(name: str) -> pl.Expr:
    value = pl.col(name)
    return pl.when(value.str.contains(DECIMAL)).then(value.cast(pl.Float64, strict=False)).alias(name)


def _with_products(rows: pl.DataFrame, products: Mapping[str, QuotedProduct]) -> pl.DataFrame:
    known = pl.DataFrame(
        {
            "product": list(products),
            "curve": pl.Series(range(len(products)), dtype=pl.UInt32),
            "product_problem": pl.Series([one.problem for one in products.values()], dtype=pl.String),
        },
        schema_overrides={"product": pl.String},
    )
    return rows.join(known, on="product", how="left", maintain_order="left")


def _with_periods(rows: pl.DataFrame, products: Mapping[str, QuotedProduct]) -> pl.DataFrame:
    """Add ``delivery_start``, ``delivery_end`` and ``period_problem``; each distinct label of a trade date is read once."""
    on = ["product", "period", "trade_date"]
    labels = rows.select(on).unique(maintain_order=True)
    readings = [_reading(products.get(key), text, day) for key, text, day in labels.rows()]
    schema = {"delivery_start": pl.Date, "delivery_end": pl.Date, "period_problem": pl.String}
    read = labels.hstack(pl.DataFrame(readings, schema=schema, orient="row"))
    return rows.join(read, on=on, how="left", maintain_order="left", nulls_equal=True)


def _reading(product: QuotedProduct | None, text: str | None, day: date | None) -> tuple[date | None, date | None, str | None]:
    if product is None or product.terms is None or text is None:
        return None, None, None
    try:
        period = product.terms.period(text, trade_date=day)
    except InvalidPeriod as error:
        return None, None, error.detail
    return period.first, period.end, None


def _missing_or(column: str) -> pl.Expr:
    return pl.when(pl.col(column).is_null()).then(pl.lit("is missing")).otherwise(pl.col(f"{column}_problem"))


def _trade_date_problem(now: datetime) -> pl.Expr:
    day = pl.col("trade_date")
    return (
        pl.when(pl.col("trade_date_text") == "")
        .then(pl.lit("is missing"))
        .when(day.is_null())
        .then(pl.lit("is not a date such as 2025-01-07"))
        .when(day < _FIRST)
        .then(pl.lit(f"is before {_FIRST}"))
        .when(day > now.date() + timedelta(days=1))
        .then(pl.lit(f"is in the future: it is now {now.isoformat(timespec='seconds')}"))
    )


def _number_problem(name: str) -> pl.Expr:
    is_bad = (pl.col(f"{name}_text") != "") & (pl.col(name).is_null() | ~pl.col(name).is_finite())
    problem = (
        pl.when(is_bad)
        .then(pl.lit("is not a decimal number, such as 92.15"))
        .when(pl.col(name).abs() >= MOST)
        .then(pl.lit(f"is absurd: numbers of quotes are below {MOST:,.0f}"))
    )
    if name in PRICES:
        return problem
    return problem.when(pl.col(name) < 0).then(pl.lit("is negative"))


def _known_at_problem(now: datetime) -> pl.Expr:
    return (
        pl.when(pl.col("known_at_problem").is_not_null())
        .then(pl.col("known_at_problem"))
        .when(pl.col("known_at").is_not_null() & ~pl.col("known_at_text").str.contains(_WITH_OFFSET))
        .then(pl.lit("has no offset from UTC: write YYYY-MM-DDTHH:MM with Z or an offset, such as 2025-01-07T18:30+01:00"))
        .when(pl.col("known_at") > now)
        .then(pl.lit(f"is in the future: it is now {now.isoformat(timespec='seconds')}"))
        .when(pl.col("known_at").dt.date() < _FIRST)
        .then(pl.lit(f"is before {_FIRST}"))
        # Marks of Asia are known on the day before, by the date in UTC.
        .when(pl.col("known_at").dt.date() < pl.col("trade_date") - timedelta(days=1))
        .then(pl.format("is before the day before the trade date {}", "trade_date"))
    )


def _far_from_trade_date() -> pl.Expr:
    traded, end = pl.col("trade_date"), pl.col("delivery_end")
    is_far = (end > traded + LONGEST) | (end < traded - ENDED)
    return pl.when(is_far).then(pl.format("is too far from the trade date {}", traded))


def _repeated() -> pl.Expr:
    over = ("product", "delivery_start", "delivery_end", "trade_date", "known_at")
    again = (pl.int_range(pl.len()) > 0).over(over)
    first = pl.col("line").first().over(over)
    return pl.when(again).then(pl.format("is a second quote of the period of line {}: send one for each period", first))
