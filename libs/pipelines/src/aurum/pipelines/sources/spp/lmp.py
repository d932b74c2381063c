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
from aurum.pipelines.named_content import days_in_name, first_of
from aurum.pipelines.reading.dates import read_once, time_of, times
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.reading.two_times import hold_to_second_time, local_clock
from aurum.pipelines.sampling import is_within_hours, numeric_share, sample_of
from aurum.pipelines.source import Dataset, FileFormat, NamedContent, Parsed, SourceFile, describe_series
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
_HALF = 0.5
_BY_BUS = re.compile(r"-LMP-(?:DAILY-|MONTHLY-)?B(?![A-Z])")
_INTERVAL = re.compile(r"RTBM-LMP-SL-(\d{12})(?!\d)", re.IGNORECASE)
_STAMPS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M")
_PRICES = ("lmp", "energy", "congestion", "loss")


def _columns(header: str) -> dict[str, str]:
    """Return the header words by role; unknown words are left out."""
    words = [word.strip() for word in next(csv.reader([header]), list[str]())]
    return {_SPELLINGS[plain]: word for word in words if (plain := re.sub(r"[^a-z]", "", word.lower())) in _SPELLINGS}


def _market(document: SourceFile) -> str | None:
    """Return ``DA`` or ``RTBM``, from the file name, else from the content; None for other files."""
    named = _NAME.search(document.name.upper())
    if named is not None:
        return named[1] if not _problem(document) else None
    return _market_by_intervals(document) if _looks_similar(document) and not _problem(document) else None


def _looks_similar(document: SourceFile) -> bool:
    return _columns(document.head_lines(1)[0]).keys() >= _WORDS.keys()


def _problem(document: SourceFile) -> str:
    """Return why a file of prices is not of this market, or of another one than its name says; empty where it is.

    The Western Energy Imbalance Service (``WEIS-RTBM-LMP-SL``) is another market in the layout of the real-time one, which has
    had a column ``BAA`` since the service ended. Prices by bus (``-LMP-B-``) are not read.
    """
    name, named = document.name.upper(), _NAME.search(document.name.upper())
    if "WEIS" in name:
        return "prices of the Western Energy Imbalance Service are another market and are not read"
    if _BY_BUS.search(name):
        return "SPP's prices by bus (LMP-B) are not read"
    columns, within = _columns(document.head_lines(1)[0]), _within_hours(document)
    if "location" in columns and numeric_share(sample_of(document).column(columns["location"])) > _HALF:
        return "the settlement locations are numbers: the columns are not those that their headers say"
    if named is not None and within is not None and len(_stamps(document)) > 1 and within is (named[1] == "DA"):
        return f"name and content disagree: {document.name!r}, and rows of {'five minutes' if within else 'whole hours'}"
    if named is not None and named[1] == "DA" and within:
        return f"name and content disagree: {document.name!r}, and intervals that do not end on the hour"
    if named is None and within and "baa" not in columns:
        return "five-minute prices may be of SPP or of its Western Energy Imbalance Service: SPP's are named RTBM-LMP-SL-..."
    if named is None and within is False and len(_stamps(document)) < 2:
        return "one hour of prices may be day-ahead or real-time: SPP names them DA-LMP-SL-... and RTBM-LMP-SL-..."
    return ""


def _stamps(document: SourceFile) -> set[str]:
    sample, columns = sample_of(document), _columns(document.head_lines(1)[0])
    return set(sample.column(columns["end"])) if "end" in columns else set()


def _within_hours(document: SourceFile) -> bool | None:
    return is_within_hours(_stamps(document))


def _market_by_intervals(document: SourceFile) -> str | None:
    within = _within_hours(document)
    return None if within is None else "RTBM" if within else "DA"


def _explain(document: SourceFile) -> str:
    return _problem(document) if _looks_similar(document) else ""


def _interval_in_name(document: SourceFile) -> NamedContent | None:
    """Return the day in which the interval begins that ends at the time in a name, ``RTBM-LMP-SL-202503310000``."""
    match = _INTERVAL.search(document.name)
    end = time_of(match[1] if match is not None else None, ("%Y%m%d%H%M",))
    if end is None:
        return None
    day = (end - timedelta(minutes=5)).date()
    return NamedContent(day, day, ZONE)


def _interval_starts(table: pl.DataFrame, columns: dict[str, str], step: timedelta, refusals: Refusals) -> pl.DataFrame:
    end = times(pl.col(columns["end"]), _STAMPS).dt.replace_time_zone("UTC")
    table = read_once(table, columns["end"], (end - step).alias("ts"))
    table = refusals.rows(table, pl.col("ts").is_null(), column=columns["end"], reason=Reason.INVALID_TIME)
    return hold_to_second_time(
        table,
        refusals,
        first=columns["end"],
        second=[columns["interval"]],
        label=times(pl.col(columns["interval"]), _STAMPS),
        # Around a clock change SPP labels the end by either clock: 02:00 for 07:00Z in fall, 03:00 for 08:00Z in spring.
        expected=[local_clock(pl.col("ts") + step, ZONE), local_clock(pl.col("ts"), ZONE) + step],
    )


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
    named=days_in_name(r"DA-LMP-SL-(?P<day>\d{8})\d{4}(?!\d)", ZONE, flags=re.IGNORECASE),
    explain=_explain,
    columns=tuple(_WORDS.values()),
)

RTBM_FORMAT = FileFormat(
    name="SPP RTBM-LMP-SL CSV",
    datasets=(RTBM_LMP_SL,),
    recognise=lambda document: _market(document) == "RTBM",
    parse=partial(_parse, dataset=RTBM_LMP_SL),
    named=first_of(_interval_in_name, days_in_name(r"RTBM-LMP-DAILY-SL-(?P<day>\d{8})(?!\d)", ZONE, flags=re.IGNORECASE)),
    explain=_explain,
    columns=tuple(_WORDS.values()),
)
