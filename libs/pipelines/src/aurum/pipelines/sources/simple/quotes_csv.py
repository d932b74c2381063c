"""SIMPLE CSV: quotes of any products, one row for each product, delivery period and trade date.

    trade_date,product,period,settle,bid,ask
    2025-01-07,power:DE:base:EEX,Q1-25,92.15,,
    2025-01-07,rate:EUR:base:DESK,2026-01-15,0.0231,,

``trade_date``: ISO date. ``product``: curve key. ``period``: a label, or the first day and the end of the delivery, which is
not included, as ``2025-01-01..2025-04-01``. Then any of the fields of a quote, each in the unit of its product; an empty cell
is a field that is not published. A row states the whole quote and replaces what stood. The columns may have any order; another
column than these refuses the file, because a misspelt field would otherwise be lost.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.curves.keys import CurveKey, InvalidCurveKey
from aurum.core.curves.period_labels import InvalidPeriod
from aurum.core.curves.product_documents import default_products
from aurum.core.curves.quotes import FIELDS
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.names import nearest
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.reading.bounds import fields_of
from aurum.pipelines.reading.dates import days, read_once
from aurum.pipelines.reading.quotes import as_quotes, read_fields
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import FileFormat, RefusedFile, SourceFile
from aurum.pipelines.sources.simple.datasets import QUOTES

KEYS = ("trade_date", "product", "period")
_ISO = ("%Y-%m-%d",)
_READING = {"delivery_start": pl.Date, "delivery_end": pl.Date, "problem": pl.String, "is_relative": pl.Boolean}


def _header(document: SourceFile) -> list[str]:
    try:
        return [name.strip() for name in fields_of(document.head_lines(1)[0].removeprefix("\ufeff"), 1)]
    except RefusedFile:
        return []


def _recognise(document: SourceFile) -> bool:
    return set(KEYS) <= set(_header(document))


def _parse(document: SourceFile, terms: ReadingTerms = SHIPPED_TERMS) -> tuple[ParsedQuotes, ...]:
    fields = _fields(_header(document))
    refusals = Refusals(document.raw)
    table = read_table(document, KEYS, refusals)
    rows_read = table.height + refusals.frame().height
    for name in KEYS:
        table = refusals.rows(table, pl.col(name).is_null(), column=name, reason=Reason.MISSING_FIELD)
    table = read_once(table, "trade_date", days(pl.col("trade_date"), _ISO).alias("day"))
    table = refusals.rows(
        table,
        pl.col("day").is_null(),
        column="trade_date",
        reason=Reason.INVALID_TIME,
        detail=pl.format("{} is not a date such as 2025-01-07", "trade_date"),
    )
    table = _with_periods(_with_curves(table, refusals, terms), refusals, terms)
    columns = {name: name for name in fields}
    table = read_fields(table, columns, refusals)
    rows = as_quotes(table.drop("trade_date").rename({"day": "trade_date"}))
    return (ParsedQuotes(QUOTES, rows, refusals.frame(), rows_read, document.raw, columns=columns),)


def _fields(header: list[str]) -> list[str]:
    """Return the fields of quotes among the columns. Raises ``RefusedFile`` for another column, a repeated one, or none."""
    fields = [name for name in header if name not in KEYS]
    for name in fields:
        if name not in FIELDS:
            near = nearest(name, FIELDS, count=1)
            hint = f" (meant: {near[0]}?)" if near else ""
            raise RefusedFile(f"unknown column {name!r}{hint}: a SIMPLE file has {', '.join((*KEYS, *FIELDS))}", line=1)
    if repeated := [name for name in dict.fromkeys(header) if header.count(name) > 1]:
        raise RefusedFile(f"the column {repeated[0]!r} occurs {header.count(repeated[0])} times", line=1)
    if not fields:
        raise RefusedFile(f"no column has a price or a number: add any of {', '.join(FIELDS)}", line=1)
    return fields


def _with_curves(table: pl.DataFrame, refusals: Refusals, terms: ReadingTerms) -> pl.DataFrame:
    """Return the rows whose product is a curve key, with ``curve`` and ``family``, the name of its family of seasons."""
    families = {str(product.key): product.seasons for product in default_products()} | dict(terms.families)
    problems: dict[str, str] = {}
    names: list[str] = table["product"].unique().to_list()
    for name in names:
        try:
            CurveKey.parse(name)
        except InvalidCurveKey as error:
            problems[name] = error.detail
    known = pl.DataFrame(
        {"product": names, "problem": [problems.get(name) for name in names], "family": [families.get(name) for name in names]},
        schema={"product": pl.String, "problem": pl.String, "family": pl.String},
    )
    joined = table.join(known, on="product", how="left", maintain_order="left")
    sound = refusals.rows(
        joined, pl.col("problem").is_not_null(), column="product", reason=Reason.UNKNOWN_CODE, detail=pl.col("problem")
    )
    return sound.drop("problem").with_columns(pl.col("product").alias("curve"))


def _with_periods(table: pl.DataFrame, refusals: Refusals, terms: ReadingTerms) -> pl.DataFrame:
    """Return the rows whose period can be read, with ``delivery_start`` and ``delivery_end``."""
    labels = table.group_by("period", "family").agg(pl.col("day").first())
    readings = [_reading(text, name, day, terms) for text, name, day in zip(*labels.get_columns(), strict=True)]
    read = labels.drop("day").hstack(pl.DataFrame(readings, schema=_READING, orient="row"))
    joined = table.join(read, on=["period", "family"], how="left", maintain_order="left", nulls_equal=True)
    joined = refusals.rows(
        joined, pl.col("problem").is_not_null(), column="period", reason=Reason.INVALID_TIME, detail=pl.col("problem")
    )
    return _with_rests(joined, terms).drop("problem", "is_relative")


def _with_rests(table: pl.DataFrame, terms: ReadingTerms) -> pl.DataFrame:
    """Return the rows with the periods of labels such as ``BOM``, which depend on the trade date."""
    on = ["period", "family", "day"]
    rests = table.filter("is_relative").select(on).unique()
    if rests.is_empty():
        return table
    spans = [_span(text, name, day, terms) for text, name, day in zip(*rests.get_columns(), strict=True)]
    read = rests.hstack(pl.DataFrame(spans, schema={"first": pl.Date, "end": pl.Date}, orient="row"))
    joined = table.join(read, on=on, how="left", maintain_order="left", nulls_equal=True)
    return joined.with_columns(
        pl.coalesce("first", "delivery_start").alias("delivery_start"), pl.coalesce("end", "delivery_end").alias("delivery_end")
    ).drop("first", "end")


def _reading(
    text: str, family: str | None, day: date, terms: ReadingTerms
) -> tuple[date | None, date | None, str | None, bool]:
    """Return first day and end of a label, or the reason why it has none; whether it depends on the trade date."""
    try:
        period = terms.period(text, seasons=terms.family(family))
    except InvalidPeriod:
        try:
            _span(text, family, day, terms)
        except InvalidPeriod as error:
            return None, None, error.detail, False
        return None, None, None, True
    return period.first, period.end, None, False


def _span(text: str, family: str | None, day: date, terms: ReadingTerms) -> tuple[date, date]:
    period = terms.period(text, seasons=terms.family(family), trade_date=day)
    return period.first, period.end


FORMAT = FileFormat(
    name="SIMPLE quotes CSV",
    datasets=(QUOTES,),
    recognise=_recognise,
    parse=_parse,
    parse_with=_parse,
    columns=(*KEYS, *FIELDS),
)
