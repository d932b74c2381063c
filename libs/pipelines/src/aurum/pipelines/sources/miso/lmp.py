"""MISO ``da_expost_lmp`` files: one row per node and price component, one column per hour, USD/MWh.

    Day Ahead Market ExPost LMPs
    11/02/2025
    [blank]
    ,,,All Hours-Ending are Eastern Standard Time (EST)
    Node,Type,Value,HE 1,HE 2, ... ,HE 24

Title lines are padded with commas or not and the blank one may be missing, so the header is looked for. ``Value`` is LMP,
MCC or MLC; the energy component is not published and is computed where all three are: MEC = LMP - MCC - MLC. Hours are
Eastern Standard Time all year: 24 on the days on which US clocks change; a file whose titles state another clock is refused.
No publication time is in the file.

Source of the description: the published files; BPM-002 for the hours; gridstatus ``miso.py`` for the four title lines.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.frames import PARSED
from aurum.core.markettime import hour_ending
from aurum.pipelines.named_content import days_in_name
from aurum.pipelines.reading.dates import day_of
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.sampling import numeric_share, sample_of
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.miso.datasets import DA_EXPOST_LMP, ZONE

_TITLE = "day ahead market expost lmps"
_HALF = 0.5
_ANY_TITLE = re.compile(r"[\", ]*(?:day.?ahead|real.?time)[^,]*LMP", re.IGNORECASE)
_ANY_CLOCK = re.compile(r"hours?.ending|\btime\b|\bzone\b", re.IGNORECASE)
_OWN_CLOCK = re.compile(r"\bEST\b|Eastern Standard", re.IGNORECASE)
_OTHER_CLOCK = re.compile(
    r"\b(?:[CMP][SDP]?T|E[DP]?T|AST|UTC|GMT|CEN?T|Central|Mountain|Pacific|Prevailing|Daylight)\b", re.IGNORECASE
)
_REPORT = re.compile(r"(?<![A-Za-z])((?:da|rt)_[a-z_]*?(?:expost|exante|final|prelim|rt|pr)|rt|da)_lmp", re.IGNORECASE)
_HEADER = re.compile(r'^"?Node"?,"?Type"?,"?Value"?,"?HE 1"?(,|$)', re.IGNORECASE)
_HOURS = [f"HE {hour}" for hour in range(1, 25)]
_MEASURES = {"LMP": "lmp", "MCC": "congestion", "MLC": "loss"}
_TITLE_LINES = 10
_DECIMALS = 6
"""Decimals of a price: more than the two that MISO publishes, few enough to round off the error of binary floats."""


def _titles(document: SourceFile) -> list[str]:
    """Return the lines above the header that are titles of reports of prices, in small letters."""
    return [line.strip(', "').lower() for line in document.head_lines(_TITLE_LINES) if _ANY_TITLE.match(line)]


def _problem(document: SourceFile) -> str:
    """Return why a report of the layout is not the day-ahead ex-post one; empty for that one, and where nothing tells."""
    report, titles = _REPORT.search(document.name), _titles(document)
    if report is not None and report[1].lower() != "da_expost":
        return f"{document.name!r} says MISO's report {report[1].lower()}_lmp, which is not read"
    if strange := [title for title in titles if not title.startswith(_TITLE)]:
        return f"MISO's report {strange[0]!r} is not read"
    header = next((n for n, line in enumerate(document.head_lines(_TITLE_LINES), start=1) if _HEADER.match(line)), 0)
    if header and numeric_share(sample_of(document, header_line=header).column("Node")) > _HALF:
        return "the nodes are numbers: the columns are not those that their headers say"
    return ""


def _looks_similar(document: SourceFile) -> bool:
    return bool(_titles(document)) or any(_HEADER.match(line) for line in document.head_lines(_TITLE_LINES))


def _recognise(document: SourceFile) -> bool:
    named = "da_expost_lmp" in document.name.lower()
    is_similar = bool(_titles(document)) or (named and (not document.content.strip() or _looks_similar(document)))
    return is_similar and not _problem(document)


def _explain(document: SourceFile) -> str:
    if not _looks_similar(document):
        return ""
    return (
        _problem(document)
        or "neither a title nor the name says which of MISO's reports of prices it is: YYYYMMDD_da_expost_lmp.csv"
    )


def _header_line(document: SourceFile) -> int:
    if not document.content.strip():
        raise RefusedFile("the file is empty")
    for number, line in enumerate(document.lines[:_TITLE_LINES], start=1):
        if _HEADER.match(line):
            return number
    raise RefusedFile(f"wrong header: no line 'Node,Type,Value,HE 1,...' among the first {_TITLE_LINES}")


def _market_day(document: SourceFile, header_line: int) -> date:
    for line in document.lines[: header_line - 1]:
        day = day_of(line.strip(', "'), ("%m/%d/%Y",))
        if day is not None:
            return day
    raise RefusedFile("no market day (M/D/YYYY) above the header", line=header_line)


def _refuse_other_clock(document: SourceFile, header_line: int) -> None:
    """Raise ``RefusedFile`` where a line above the header states another clock than the one by which hours are read."""
    for number, line in enumerate(document.lines[: header_line - 1], start=1):
        text = line.strip(', "')
        is_of_clock = _ANY_CLOCK.search(text) and not _ANY_TITLE.match(text)
        if _OTHER_CLOCK.search(text) or (is_of_clock and not _OWN_CLOCK.search(text)):
            raise RefusedFile(f"{text[:100]!r}: the hours of this report are Eastern Standard Time (EST)", line=number)


def _with_energy(prices: pl.DataFrame) -> pl.DataFrame:
    """Return LMP, congestion and loss in long form, and the energy price of each LMP that has both components.

    Where one of the three occurs twice with different values, the right one is unknown, so the energy price is missing.
    """
    key = ["location", "ts", "measure"]
    plain = prices.unique([*key, "value"], keep="first").unique(key, keep="none")
    parts = [plain.filter(pl.col("measure") == name).rename({"value": name}).drop("measure") for name in _MEASURES.values()]
    lmp, congestion, loss = parts
    derived = (
        lmp.join(congestion.drop("line"), on=["location", "ts"])
        .join(loss.drop("line"), on=["location", "ts"])
        .with_columns(
            pl.lit("energy").alias("measure"),
            (pl.col("lmp") - pl.col("congestion") - pl.col("loss")).round(_DECIMALS).alias("value"),
        )
        .sort("line", "ts")
    )
    return pl.concat([prices, derived.select(prices.columns)])


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    header_line = _header_line(document)
    day = _market_day(document, header_line)
    _refuse_other_clock(document, header_line)
    refusals = Refusals(document.raw)
    table = read_table(document, ["Node", "Type", "Value", *_HOURS], refusals, header_line=header_line)
    rows_read = table.height + refusals.frame().height
    table = with_ids(table, "Node", refusals, rule=DA_EXPOST_LMP.ids)
    measure = pl.col("Value").str.to_uppercase().replace_strict(_MEASURES, default=None, return_dtype=pl.String)
    table = table.with_columns(measure.alias("measure"))
    table = refusals.rows(
        table, pl.col("measure").is_null(), column="Value", reason=Reason.UNKNOWN_CODE, detail=pl.col("Value")
    )
    table = refusals.numbers(table, {f"h{hour}": f"HE {hour}" for hour in range(1, 25)})
    prices = (
        table.select("line", "measure", "location", *(f"h{hour}" for hour in range(1, 25)))
        .unpivot(index=["location", "measure", "line"], variable_name="hour", value_name="value")
        .drop_nulls("value")
        .with_columns(hour_ending(pl.lit(day), whole(pl.col("hour").str.slice(1)), ZONE).alias("ts"))
        .select("location", "measure", "ts", "value", "line")
    )
    rows = _with_energy(prices).with_columns(
        pl.lit(0, dtype=pl.Int16).alias("quality"), pl.lit(0, dtype=pl.Int16).alias("version")
    )
    names = table.select("location", pl.col("Type").str.to_lowercase().alias("location_type"))
    series = describe_series(DA_EXPOST_LMP, rows, locations=names).with_columns(
        pl.when(pl.col("measure") == "energy")
        .then(pl.lit('{"derived":"lmp - congestion - loss"}'))
        .otherwise("labels")
        .alias("labels")
    )
    rows = rows.select(list(PARSED))
    return (Parsed(DA_EXPOST_LMP, rows, series, refusals.frame(), rows_read, document.raw, column=_column),)


def _column(start: datetime) -> str:
    """Return the header of the hour that begins at an instant."""
    return f"HE {start.astimezone(ZoneInfo(ZONE)).hour + 1}"


FORMAT = FileFormat(
    name="MISO da_expost_lmp CSV",
    datasets=(DA_EXPOST_LMP,),
    recognise=_recognise,
    parse=_parse,
    named=days_in_name(r"(?<!\d)(?P<day>\d{8})_da_expost_lmp", ZONE, flags=re.IGNORECASE),
    explain=_explain,
    columns=("Node", "Type", "Value", *_HOURS),
)
