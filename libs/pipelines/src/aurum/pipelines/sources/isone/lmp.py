"""Hourly LMP reports: day-ahead, real-time preliminary, real-time final; one row per hour and location.

    "H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price","Energy Component",
        "Congestion Component","Marginal Loss Component"

The three have one layout and differ in their comments: "Day-Ahead Energy Market Hourly LMP Report" or "Real-Time
Energy Market Hourly LMP Report" in the title, and "prelim" in the title or in the file's name for the preliminary one
(``lmp_rt_prelim_YYYYMMDD.csv``; the final one is ``lmp_rt_final_YYYYMMDD.csv``). A short layout of the preliminary report
has only a name for the location, which then is its id, and the headers "Location", "LMP", "Energy", "Congestion", "Loss".
Some reports have two network nodes under one id; their names tell them apart (``pipelines.locations``).

Source of the layout: a day-ahead report; for the real-time ones the clients gridstatus (``isone.py``) and elec_server
(``rt_lmp_hourly.dart``), which read them by these titles, names and headers.
"""

from __future__ import annotations

import polars as pl

from aurum.pipelines.locations import told_apart
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import Dataset, FileFormat, IdRule, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.isone.datasets import DA_LMP, RT_LMP_FINAL, RT_LMP_PRELIM
from aurum.pipelines.sources.isone.hours import with_instants
from aurum.pipelines.sources.isone.report import comments, header_names, read_report

_DAY, _HOUR = "Date", "Hour Ending"
_PATTERNS = ("%m/%d/%Y",)
_SPELLINGS = {
    "lmp": ("Locational Marginal Price", "LMP"),
    "energy": ("Energy Component", "Energy"),
    "congestion": ("Congestion Component", "Congestion"),
    "loss": ("Marginal Loss Component", "Loss Component", "Marginal Loss", "Loss"),
}
_IDS, _NAMES, _TYPE = ("Location ID", "Location"), ("Location Name", "Location"), "Location Type"


def _dataset(name: str, texts: tuple[str, ...]) -> Dataset | None:
    """Return the dataset of a report, from its comments, else from the file name; None for another report."""
    inside, outside = " ".join(texts).lower(), name.lower()
    if "day-ahead" in inside or "dalmp" in inside:
        return DA_LMP
    if "real-time" in inside or "rtlmp" in inside or "lmp_rt" in inside:
        preliminary = "prelim" in inside or ("final" not in inside and "prelim" in outside)
        return RT_LMP_PRELIM if preliminary else RT_LMP_FINAL
    return None


def _recognise(document: SourceFile) -> bool:
    lines = document.head_lines(40)
    names = set(header_names(lines))
    return (
        {_DAY, _HOUR} <= names
        and not names.isdisjoint(_IDS)
        and all(not names.isdisjoint(spellings) for spellings in _SPELLINGS.values())
        and _dataset(document.name, comments(lines)) is not None
    )


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    report = read_report(document, refusals)
    dataset = _dataset(document.name, report.comments)
    if dataset is None:
        raise RefusedFile("the comments name neither the day-ahead nor the real-time market", line=1)
    headers = {measure: _header(report.table, spellings) for measure, spellings in _SPELLINGS.items()}
    table = _located(report.table, refusals)
    table = refusals.numbers(with_instants(table, refusals, day=_DAY, hour=_HOUR, patterns=_PATTERNS), headers)
    rows = observations(table, list(headers))
    series = describe_series(dataset, rows, locations=_locations(table))
    return (Parsed(dataset, rows, series, refusals.frame(), report.rows_read, document.raw, known_at=report.generated_at),)


def _header(table: pl.DataFrame, spellings: tuple[str, ...]) -> str:
    for name in spellings:
        if name in table.columns:
            return name
    raise RefusedFile(f"wrong header: {spellings[0]!r} not among {', '.join(map(repr, table.columns))}")


def _located(table: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    header = _header(table, _IDS)
    for needed in (_DAY, _HOUR):
        _header(table, (needed,))
    # In the short layout the name is the id.
    table = with_ids(table, header, refusals, rule=DA_LMP.ids if header == _IDS[0] else IdRule.TEXT)
    return told_apart(table, _header(table, _NAMES), at=(_DAY, _HOUR))


def _locations(table: pl.DataFrame) -> pl.DataFrame:
    kind = pl.col(_TYPE) if _TYPE in table.columns else pl.lit("")
    name = pl.col(_header(table, _NAMES))
    return table.select("location", location_name=name, location_type=kind).unique("location", keep="last")


LMP_REPORT = FileFormat("isone hourly LMP report", (DA_LMP, RT_LMP_PRELIM, RT_LMP_FINAL), _recognise, _parse)
