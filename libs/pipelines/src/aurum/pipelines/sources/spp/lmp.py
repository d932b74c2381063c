"""SPP ``DA-LMP-SL`` and ``RTBM-LMP-SL`` files: one row per interval and settlement location, four prices in USD/MWh.

    Interval,GMTIntervalEnd[,BAA],Settlement Location,Pnode,LMP,MLC,MCC,MEC

``GMTIntervalEnd`` is the end of the interval in UTC and the only column that distinguishes the two hours of the fall-back
day; ``Interval`` is the same end in Central prevailing time and is used as a check on it. Both markets have one header,
so the intervals tell the market of a renamed file. From 2026 on files carry a ``BAA`` column, the header comes in two
spellings (``SETTLEMENT_LOCATION``, the daily real-time file's ``Settlement Location Name``) and stamps may lack seconds
and leading zeros. LMP = MEC + MCC + MLC. No publication time is in the file.

Source of the description: the published files, and gridstatus ``spp.py`` for the spellings without a sample.
"""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from functools import partial

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.dates import read_once, times
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.source import Dataset, FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.spp.datasets import DA_LMP_SL, RTBM_LMP_SL, ZONE

_WORDS = {
    "interval": "Interval",
    "end": "GMTIntervalEnd",
    "location": "Settlement Location",
    "pnode": "Pnode",
    "lmp": "LMP",
    "loss": "MLC",
    "congestion": "MCC",
    "energy": "MEC",
}
"""Usual header word of each role of a column."""

_SPELLINGS = {
    **{re.sub(r"[^a-z]", "", word.lower()): role for role, word in _WORDS.items()},
    "gmtinterval": "end",
    "settlementlocationname": "location",
    "pnodename": "pnode",
    "baa": "baa",
}
_NAME = re.compile(r"(?<![A-Z0-9])(DA|RTBM)-LMP(?:-DAILY|-MONTHLY)?-SL(?![A-Z])")
_STAMP = re.compile(r"\d+/\d+/\d+ \d+:(?P<minute>\d\d)")
_STAMPS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M")
_PRICES = ("lmp", "energy", "congestion", "loss")


def _columns(header: str) -> dict[str, str]:
    """Return the header words by role; unknown words are left out."""
    words = [word.strip() for word in next(csv.reader([header]), list[str]())]
    return {_SPELLINGS[plain]: word for word in words if (plain := re.sub(r"[^a-z]", "", word.lower())) in _SPELLINGS}


def _market(document: SourceFile) -> str | None:
    """Return ``DA`` or ``RTBM``, from the file name, else from the content; None for other files.

    The Western Energy Imbalance Service (``WEIS-RTBM-LMP-SL``) is another market in the same layout.
    """
    name = document.name.upper()
    if "WEIS" in name:
        return None
    named = _NAME.search(name)
    return named[1] if named else _market_by_intervals(document)


def _market_by_intervals(document: SourceFile) -> str | None:
    header, first, *_ = [*document.head_lines(2), ""]
    begins = _STAMP.search(first)
    if not _columns(header).keys() >= _WORDS.keys() or begins is None:
        return None
    if begins["minute"] != "00":
        return "RTBM"
    # Several whole hours mean a day-ahead file; a single hour could be of either market, so it is not recognised.
    ends = _STAMP.search(document.tail.rstrip().rsplit("\n", 1)[-1])
    return "DA" if ends is not None and ends[0] != begins[0] else None


def _interval_starts(table: pl.DataFrame, columns: dict[str, str], step: timedelta, refusals: Refusals) -> pl.DataFrame:
    end = times(pl.col(columns["end"]), _STAMPS).dt.replace_time_zone("UTC")
    label = times(pl.col(columns["interval"]), _STAMPS)
    table = read_once(table, [columns["end"], columns["interval"]], (end - step).alias("ts"), label.alias("__label"))
    table = refusals.rows(table, pl.col("ts").is_null(), column=columns["end"], reason=Reason.INVALID_TIME)
    local_start, local_end = (
        (pl.col("ts") + ahead).dt.convert_time_zone(ZONE).dt.replace_time_zone(None) for ahead in (timedelta(), step)
    )
    # Around a clock change SPP labels the end by either clock: 02:00 for 07:00Z in fall, 03:00 for 08:00Z in spring.
    label = pl.col("__label")
    agrees = ((label == local_end) | (label == local_start + step)).fill_null(False)
    stated = pl.col(columns["interval"]).is_not_null()
    detail = "the local label does not name the instant of the GMT column"
    return refusals.rows(table, stated & ~agrees, column=columns["interval"], reason=Reason.INVALID_TIME, detail=detail)


def _locations(table: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    labels = [pl.col(columns[role]).fill_null("").alias(role) for role in ("pnode", "baa") if role in columns]
    return table.select("location", pl.struct(labels).struct.json_encode().alias("labels")).unique("location", keep="last")


def _parse(document: SourceFile, dataset: Dataset) -> tuple[Parsed, ...]:
    columns = {**_WORDS, **_columns(document.lines[0])}
    refusals = Refusals(document.raw)
    table = read_table(document, [columns[role] for role in _WORDS], refusals)
    rows_read = table.height + refusals.frame().height
    table = with_ids(table, columns["location"], refusals, rule=dataset.ids)
    step = dataset.frequency.step
    assert step is not None
    table = _interval_starts(table, columns, step, refusals)
    table = refusals.numbers(table, {measure: columns[measure] for measure in _PRICES})
    rows = observations(table, _PRICES)
    series = describe_series(dataset, rows).drop("labels")
    series = series.join(_locations(table, columns), on="location", how="left", maintain_order="left")
    return (Parsed(dataset, rows, series, refusals.frame(), rows_read, document.raw),)


DA_FORMAT = FileFormat(
    name="SPP DA-LMP-SL CSV",
    datasets=(DA_LMP_SL,),
    recognise=lambda document: _market(document) == "DA",
    parse=partial(_parse, dataset=DA_LMP_SL),
)

RTBM_FORMAT = FileFormat(
    name="SPP RTBM-LMP-SL CSV",
    datasets=(RTBM_LMP_SL,),
    recognise=lambda document: _market(document) == "RTBM",
    parse=partial(_parse, dataset=RTBM_LMP_SL),
)
