"""CAISO's ``YYYYMMDD_DailyRenewablesWatch.txt``: generation by resource type, two blocks of 24 hours, MW.

    03/12/17            Hourly Breakdown of Renewable Resources (MW)
        Hour        GEOTHERMAL  BIOMASS     BIOGAS ...
        1       935     213     182 ...
                        Hourly Breakdown of Total Production by Resource Type (MW)
        Hour        RENEWABLES  NUCLEAR     THERMAL     IMPORTS     HYDRO
        1       2920        2282 ...

Columns are separated by one or two tabs, to line up on a screen, so an empty cell looks like a gap: a row with fewer
cells than its header is held back whole. Hours are hour-ending in Pacific prevailing time and 24 rows are printed whatever
the day. On the spring day hour 3 does not exist and holds error texts over several lines; on the fall-back day one row 2
stands for two hours, which look the same: both rows are refused. The file says nothing of when it was published.

Source of the description: the published files of the two clock changes of 2017; pyiso ``caiso.py`` for the column names.
"""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.markettime import hour_ending, hours_in_day
from aurum.pipelines.fuels import fuel_measures, is_word, words_of
from aurum.pipelines.named_content import days_in_name
from aurum.pipelines.reading.counts import only_counted_from_one
from aurum.pipelines.reading.dates import day_of
from aurum.pipelines.reading.numbers import whole
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.caiso.datasets import DAILY_RENEWABLES_WATCH, ZONE

_TITLE = re.compile(r"^\s*(\d{1,2}/\d{1,2}/\d{2})\s+Hourly Breakdown of Renewable Resources", re.IGNORECASE)
_TITLES = "Hourly Breakdown of"
_MEASURES = {measure.column: measure.name for measure in DAILY_RENEWABLES_WATCH.measures}
_AREA = "CAISO"
_BLOCKS = 2


def _recognise(document: SourceFile) -> bool:
    return "dailyrenewableswatch" in document.name.lower() or _TITLE.match(document.head) is not None


def _market_day(document: SourceFile) -> date:
    title = _TITLE.match(document.text)
    day = day_of(title[1] if title else None, ("%m/%d/%Y",))
    if day is None:
        raise RefusedFile("wrong header: no 'MM/DD/YY Hourly Breakdown of Renewable Resources' at the top", line=1)
    return day


def _records(document: SourceFile) -> pl.DataFrame:
    """Return the ``line`` where each record begins, its ``text`` and ``cells``; a quoted cell may span several lines.

    Blank records and titles are left out. ``block`` counts the header rows up to the record.
    """
    lines = pl.DataFrame({"text": document.lines}).with_row_index("line", offset=1)
    quotes = pl.col("text").str.count_matches('"', literal=True)
    if lines.select(quotes.sum() % 2 != 0).item():
        raise RefusedFile("truncated: a quoted cell does not end", line=lines.height)
    begins = (quotes.cum_sum() - quotes) % 2 == 0
    records = lines.group_by(begins.cum_sum().alias("record"), maintain_order=True).agg(
        pl.col("line").first(), pl.col("text").str.join("\n")
    )
    cells = pl.col("text").str.strip_chars().str.replace_all(r"\t+", "\t").str.split("\t")
    return (
        records.filter(pl.col("text").str.strip_chars() != "", ~pl.col("text").str.contains(_TITLES, literal=True))
        .with_columns(cells.list.eval(pl.element().str.strip_chars(' "')).alias("cells"))
        .with_columns((pl.col("cells").list.first() == "Hour").cum_sum().alias("block"))
        .select("line", "text", "cells", "block")
    )


def _block(records: pl.DataFrame, day: date, refusals: Refusals) -> pl.DataFrame:
    """Return the observations of one block: a header record and its hours."""
    header = _header(records)
    hours = records.slice(1)
    if hours.height not in (24, int(hours_in_day(day, ZONE))):
        raise RefusedFile(f"truncated: {hours.height} of 24 hours", line=records["line"][-1])
    if len(records["cells"][-1]) < len(header):
        raise RefusedFile("truncated: the last row of a block is cut off", line=records["line"][-1])
    detail = f"not {len(header)} cells"
    hours = refusals.rows(
        hours, pl.col("cells").list.len() != len(header), column="Hour", reason=Reason.MISSING_FIELD, detail=detail
    )
    hours = hours.with_columns(
        pl.col("cells").list.get(position, null_on_oob=True).alias(name) for position, name in enumerate(header)
    )
    hours = _interval_starts(hours, day, refusals)
    measures = {measure: name for name, measure in fuel_measures(DAILY_RENEWABLES_WATCH, header[1:]).items()}
    if len(measures) < len(header) - 1:
        raise RefusedFile("wrong header: a resource type stands there twice", line=records["line"][0])
    hours = refusals.numbers(hours, measures).with_columns(pl.lit(_AREA).alias("location"))
    return observations(hours, list(measures))


def _header(records: pl.DataFrame) -> list[str]:
    """Return the words of a block's header: the hour, and resource types."""
    header: list[str] = records["cells"][0].to_list()
    if wrong := [word for word in header[1:] if not is_word(word)]:
        raise RefusedFile(f"wrong header: no resource type: {', '.join(map(repr, wrong))}", line=records["line"][0])
    return header


def _interval_starts(hours: pl.DataFrame, day: date, refusals: Refusals) -> pl.DataFrame:
    hour = whole(pl.col("Hour"))
    hours = only_counted_from_one(
        hours,
        refusals,
        is_zero=hour == 0,
        is_last=hour == 24,
        within="block",
        column="Hour",
        what="CAISO's hours end at 1 to 24",
    )
    naive = pl.when(hour.is_between(1, 24)).then(pl.lit(day).cast(pl.Datetime("us")) + pl.duration(hours=hour - 1))
    hours = hours.with_columns(naive.alias("naive"), hour_ending(pl.lit(day), hour, ZONE).alias("ts"))
    return refusals.times(hours, pl.col("naive"), ZONE, column="Hour")


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    if not document.content.strip():
        raise RefusedFile("the file is empty")
    day = _market_day(document)
    records = _records(document)
    blocks = records.filter(pl.col("block") > 0).partition_by("block", maintain_order=True)
    if len(blocks) != _BLOCKS:
        raise RefusedFile(f"truncated: {len(blocks)} of {_BLOCKS} blocks")
    texts = dict(zip(records["line"], records["text"], strict=True))

    def raw(line: int) -> str:
        return texts.get(line, "")

    refusals = Refusals(raw)
    rows = pl.concat([_block(block, day, refusals) for block in blocks])
    words = fuel_measures(DAILY_RENEWABLES_WATCH, [word for block in blocks for word in _header(block)[1:]])
    series = describe_series(DAILY_RENEWABLES_WATCH, rows, fuels=words_of(words))
    rows_read = sum(block.height - 1 for block in blocks)
    return (Parsed(DAILY_RENEWABLES_WATCH, rows, series, refusals.frame(), rows_read, raw),)


FORMAT = FileFormat(
    name="CAISO DailyRenewablesWatch",
    datasets=(DAILY_RENEWABLES_WATCH,),
    recognise=_recognise,
    parse=_parse,
    named=days_in_name(r"(?<!\d)(?P<day>\d{8})_DailyRenewablesWatch", ZONE, flags=re.IGNORECASE),
    columns=("Hour", *_MEASURES),
)
