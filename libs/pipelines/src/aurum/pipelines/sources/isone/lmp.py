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

import re
from collections.abc import Iterable
from functools import partial

import polars as pl

from aurum.pipelines.locations import distinct_locations, hold_back_exchanged_ids
from aurum.pipelines.named_content import all_of, days_in_name
from aurum.pipelines.reading.dates import day_of
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import Dataset, FileFormat, IdRule, NamedContent, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.isone.datasets import DA_LMP, PLACES, RT_LMP_FINAL, RT_LMP_PRELIM, ZONE
from aurum.pipelines.sources.isone.hours import with_instants
from aurum.pipelines.sources.isone.report import Report, comments, header_names, read_report

_DAY, _HOUR = "Date", "Hour Ending"
_PATTERNS = ("%m/%d/%Y",)
_SPELLINGS = {
    "lmp": ("Locational Marginal Price", "LMP"),
    "energy": ("Energy Component", "Energy"),
    "congestion": ("Congestion Component", "Congestion"),
    "loss": ("Marginal Loss Component", "Loss Component", "Marginal Loss", "Loss"),
}
_UNITS = ("$/mwh", "$/mwhr", "us$/mwh", "usd/mwh")
_IDS, _NAMES, _TYPE = ("Location ID", "Location"), ("Location Name", "Location"), "Location Type"


_NAME_WORDS = r"(?<![A-Za-z])(?:WW_)?(DALMP|RTLMP|lmp_da|lmp_rt_prelim|lmp_rt_final)"
_NAMED = re.compile(_NAME_WORDS, re.IGNORECASE)
_NO_FIVE_MINUTES = "five-minute prices of ISO-NE are not read"
_FIVE_MINUTES = re.compile(r"(?:5|five)[ -]?min", re.IGNORECASE)
_FILE_NAME = re.compile(r"File ?name:? *[A-Za-z_]+_(\d{8})(?!\d)", re.IGNORECASE)
_STATED = r"(\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{4}-\d\d-\d\d)"
_REPORT_FOR = re.compile(rf"Report for:? *{_STATED}(?: *(?:-|to|through) *{_STATED})?", re.IGNORECASE)


def _dataset(name: str, texts: tuple[str, ...]) -> Dataset | None:
    """Return the dataset of a report, from its comments, else from the file name; None for another report."""
    inside, outside = " ".join(texts).lower(), name.lower()
    if "day-ahead" in inside or "dalmp" in inside:
        return DA_LMP
    if "real-time" in inside or "rtlmp" in inside or "lmp_rt" in inside:
        preliminary = "prelim" in inside or ("final" not in inside and "prelim" in outside)
        return RT_LMP_PRELIM if preliminary else RT_LMP_FINAL
    return None


def _looks_similar(document: SourceFile) -> bool:
    names = set(header_names(document.head_lines(40)))
    return (
        {_DAY, _HOUR} <= names
        and not names.isdisjoint(_IDS)
        and all(not names.isdisjoint(spellings) for spellings in _SPELLINGS.values())
    )


def _problem(document: SourceFile) -> str:
    """Return why a report of hourly prices is none of the three, or cannot be told; empty for one of them."""
    texts = comments(document.head_lines(40))
    dataset, named = _dataset(document.name, texts), _NAMED.search(document.name)
    if dataset is None:
        return "the comments name neither the day-ahead nor the real-time market"
    if _FIVE_MINUTES.search(" ".join((*texts, document.name))):
        return _NO_FIVE_MINUTES
    in_name = _dataset_in_name(document.name)
    if named is not None and in_name is not None and in_name is not dataset:
        return f"name and content disagree: {document.name!r} says {in_name.name}, the comments say {dataset.name}"
    if dataset is RT_LMP_FINAL and not re.search(r"final|ww_rtlmp", " ".join((*texts, document.name)), re.IGNORECASE):
        return (
            "real-time prices that say neither preliminary nor final: ISO-NE names their files lmp_rt_prelim_YYYYMMDD.csv and "
            "lmp_rt_final_YYYYMMDD.csv"
        )
    return ""


def _dataset_in_name(name: str) -> Dataset | None:
    """Return the dataset that a file name of ISO-NE states; None for another name, and for one that two of them have."""
    match = _NAMED.search(name)
    if match is None:
        return None
    word = match[1].lower()
    if word in ("dalmp", "lmp_da"):
        return DA_LMP
    return {"lmp_rt_prelim": RT_LMP_PRELIM, "lmp_rt_final": RT_LMP_FINAL}.get(word)


def _recognise(document: SourceFile) -> bool:
    return _looks_similar(document) and not _problem(document)


def _explain(document: SourceFile) -> str:
    if _looks_similar(document):
        return _problem(document)
    texts = " ".join(comments(document.head_lines(40)))
    return _NO_FIVE_MINUTES if _FIVE_MINUTES.search(texts) and "LMP" in texts.upper() else ""


def _days_in_comment(document: SourceFile, pattern: re.Pattern[str]) -> NamedContent | None:
    """Return the days of ``Filename:`` or ``Report for: 11/04/2018 - 11/04/2018``, which a renamed report still states."""
    match = pattern.search("\n".join(comments(document.head_lines(40))))
    if match is None:
        return None
    days = [day_of(text, ("%m/%d/%Y", "%Y-%m-%d", "%Y%m%d")) for text in match.groups() if text]
    if None in days:
        raise RefusedFile(f"the comment {match[0]!r} has a day that does not exist")
    return NamedContent(days[0], days[-1], ZONE, where=f"the comment {match[0]!r}")


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    report = read_report(document, refusals)
    dataset = _dataset(document.name, report.comments)
    if dataset is None:
        raise RefusedFile("the comments name neither the day-ahead nor the real-time market", line=1)
    headers = {measure: _header(report.table, spellings) for measure, spellings in _SPELLINGS.items()}
    _refuse_other_units(report, headers.values())
    table = _located(report.table, refusals)
    table = refusals.numbers(with_instants(table, refusals, day=_DAY, hour=_HOUR, patterns=_PATTERNS), headers)
    rows = observations(table, list(headers))
    series = describe_series(dataset, rows, locations=_locations(table))
    return (Parsed(dataset, rows, series, refusals.frame(), report.rows_read, document.raw, known_at=report.generated_at),)


def _refuse_other_units(report: Report, headers: Iterable[str]) -> None:
    for header in headers:
        # The second header has a type (Number) or a unit.
        unit = report.types.get(header, "")
        if "/" in unit and unit.lower() not in _UNITS:
            raise RefusedFile(f"the unit of {header} is {unit}: prices of this report are in $/MWh")


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
    name = _header(table, _NAMES)
    if header != name:
        table = hold_back_exchanged_ids(table, name, refusals, PLACES, column=header)
    return distinct_locations(table, name, at=(_DAY, _HOUR))


def _locations(table: pl.DataFrame) -> pl.DataFrame:
    kind = pl.col(_TYPE) if _TYPE in table.columns else pl.lit("")
    name = pl.col(_header(table, _NAMES))
    return table.select("location", location_name=name, location_type=kind).unique("location", keep="last")


LMP_REPORT = FileFormat(
    "isone hourly LMP report",
    (DA_LMP, RT_LMP_PRELIM, RT_LMP_FINAL),
    _recognise,
    _parse,
    named=all_of(
        days_in_name(rf"{_NAME_WORDS}(?:_ISO)?_(?P<day>\d{{8}})", ZONE, flags=re.IGNORECASE),
        partial(_days_in_comment, pattern=_FILE_NAME),
        partial(_days_in_comment, pattern=_REPORT_FOR),
    ),
    explain=_explain,
    columns=(_DAY, _HOUR, _IDS[0], _NAMES[0], _TYPE, *(words[0] for words in _SPELLINGS.values())),
)
