"""Euro reference rates as CSV: the history ``eurofxref-hist.csv`` and the last day ``eurofxref.csv``.

One row per working day, newest first, one column per currency: how much of it one euro costs. ``N/A``: no rate that day, before
a currency was quoted or after it was gone. Lines end in a comma. The history writes ``2025-05-09``; the file of the last day
writes ``09 May 2025`` and a blank after each comma. Location: the pair, ``EURUSD``; unit: units of the currency per euro,
``USD/EUR``.

Source of the description: ECB, Euro foreign exchange reference rates; a history of 2025.
"""

from __future__ import annotations

import re

import polars as pl

from aurum.core.frames import PARSED
from aurum.pipelines.reading.bounds import fields_of
from aurum.pipelines.reading.dates import with_days
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.sampling import is_daily, numbers_of, sample_of
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.ecb.bounds import BOUNDS, hold_to_bounds, problem_of
from aurum.pipelines.sources.ecb.datasets import REFERENCE_RATES, ZONE

_CODE = re.compile(r"[A-Z]{3}")
_NAME = "eurofxref"
_DAYS = ("%Y-%m-%d", "%d %B %Y")


def _header(document: SourceFile) -> list[str]:
    return [name.strip().strip('"') for name in document.head_lines(1)[0].split(",")]


def _looks_similar(document: SourceFile) -> bool:
    header = _header(document)
    codes = [name for name in header[1:] if name]
    return header[0] == "Date" and {"USD", "JPY"} <= set(codes) and all(_CODE.fullmatch(code) for code in codes)


def _problem(document: SourceFile) -> str:
    """Return why a table of a date and currencies is not the ECB's; empty for one that is.

    Any base has such tables. The ECB's is the euro, so it has no column EUR, and every currency costs what a euro can cost in
    it. The krone, pegged to the euro, shows the base; a cut without it is the ECB's by its name only.
    """
    sample = sample_of(document)
    if "EUR" in sample.header:
        return "not the ECB's rates: their base is the euro, and this table has a column EUR"
    rates = {code: numbers_of(sample.column(code)) for code in sample.header if code in BOUNDS}
    if reason := problem_of(rates):
        return f"not the ECB's rates, or columns are exchanged or shifted: {reason}"
    krone, dollar = rates.get("DKK"), rates.get("USD", [])
    if len(set(dollar)) == 1 and len(dollar) > 2:
        return f"not the ECB's rates: the dollar is {dollar[0]} in every row"
    if not is_daily(sample.column("Date")):
        return "not the ECB's rates: they are daily, and most of these dates are farther apart"
    if not krone and _NAME not in document.name.lower():
        return "rates without the krone do not show their base: the ECB's are named eurofxref.csv or eurofxref-hist.csv"
    return ""


def _recognise(document: SourceFile) -> bool:
    return _looks_similar(document) and not _problem(document)


def _explain(document: SourceFile) -> str:
    return _problem(document) if _looks_similar(document) else ""


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table = read_table(document, ["Date", "USD"], refusals)
    count = table.height + refusals.frame().height
    codes = [name.strip() for name in fields_of(document.raw(1), 1) if _CODE.fullmatch(name.strip())]
    if len(codes) != len(set(codes)):
        raise RefusedFile("a currency has two columns", line=1)
    frame = with_days(table, "Date", refusals, zone=ZONE, patterns=_DAYS)
    frame = refusals.numbers(frame, {code: code for code in codes}, missing=("N/A",))
    rows = _rows(hold_to_bounds(frame, codes, refusals, zone=ZONE), codes)
    series = describe_series(REFERENCE_RATES, rows).with_columns(
        currency=pl.col("location").str.slice(3),
        unit=pl.format("{}/EUR", pl.col("location").str.slice(3)),
        location_name=pl.format("Euro in {}", pl.col("location").str.slice(3)),
        location_type=pl.lit("currency pair"),
    )
    return (Parsed(REFERENCE_RATES, rows, series, refusals.frame(), count, document.raw),)


def _rows(frame: pl.DataFrame, codes: list[str]) -> pl.DataFrame:
    long = frame.select("ts", "line", *codes).unpivot(on=codes, index=["ts", "line"], variable_name="code")
    return (
        long.drop_nulls("value")
        .with_columns(
            location=pl.format("EUR{}", "code"),
            measure=pl.lit("rate"),
            quality=pl.lit(0, dtype=pl.Int16),
            version=pl.lit(0, dtype=pl.Int16),
        )
        .select(list(PARSED))
    )


FORMAT = FileFormat(
    "ECB reference rates CSV",
    (REFERENCE_RATES,),
    _recognise,
    _parse,
    explain=_explain,
    columns=("Date", "USD", "JPY", "GBP", "CHF"),
)
