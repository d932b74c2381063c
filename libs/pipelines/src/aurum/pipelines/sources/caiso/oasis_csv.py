"""OASIS answers in CSV (``resultformat=6``): PRC_LMP, ENE_SLRS, SLD_FCST and SLD_REN_FCST.

One row per interval, place and item, in no order; a later ``GROUP`` repeats nothing. In PRC_LMP the price is in the column
``MW`` (``VALUE`` or ``PRC`` in other vintages), one row per ``LMP_TYPE``.

OASIS names an answer ``<from>_<to>_<query>_<run>_<YYYYMMDD>_<HH>_<MM>_<SS>_v1.csv``. The last stamp is the Pacific time at
which OASIS wrote the answer, as ``TimeDate`` is in XML: from then on these numbers were public for certain. The file does not
say when the market first published them, which may be years earlier; for that the dataset has a rule. A renamed file states
nothing. (The stamp equals the time, without a zone, of the member in the zip that OASIS serves.)
"""

from __future__ import annotations

import csv
import re
from datetime import datetime
from functools import partial

from aurum.pipelines.reading.dates import local_instant_of
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.sampling import header_of, sample_of
from aurum.pipelines.source import FileFormat, Parsed, SourceFile
from aurum.pipelines.sources.caiso import oasis
from aurum.pipelines.sources.caiso.answer_name import named, names_query, words_of_answer
from aurum.pipelines.sources.caiso.datasets import ZONE

_COMMON = {
    "start": "INTERVALSTARTTIME_GMT",
    "end": "INTERVALENDTIME_GMT",
    "market": "MARKET_RUN_ID",
    "item": "XML_DATA_ITEM",
}
_OWN = {
    "PRC_LMP": {"location": "NODE_ID", "item": "LMP_TYPE"},
    "ENE_SLRS": {"location": "TAC_ZONE_NAME"},
    "SLD_FCST": {"location": "TAC_AREA_NAME"},
    "SLD_REN_FCST": {"location": "TRADING_HUB", "fuel": "RENEWABLE_TYPE"},
}
_RUNS = {
    "PRC_LMP": {"DAM"},
    "ENE_SLRS": {"DAM", "RUC", "HASP", "RTM"},
    "SLD_FCST": {"7DA", "2DA", "DAM", "RTM", "RTPD", "RTD", "ACTUAL"},
    "SLD_REN_FCST": {"DAM", "HASP", "RTPD", "RTD", "ACTUAL"},
}
"""Market runs of the reports, as names of answers say them."""
_ALIASES = {"RTPD": {"RTPD", "RTM"}, "RTD": {"RTD", "RTM"}}
"""One answer of the real-time market holds several runs."""
_FOREIGN = {"TIE", "TIE_NAME", "FUEL_REGION_ID", "CONSTRAINT_ID"}
"""Columns of other reports that have those of a report, too."""
_LABELS = {"day": "OPR_DT", "hour": "OPR_HR"}
_UNIT = "UOM"
_VALUES = ("MW", "VALUE", "PRC")
_ANSWERED = re.compile(r"_(\d{8}_\d{2}_\d{2}_\d{2})_v\d+\.csv$", re.IGNORECASE)


def _words(line: str) -> list[str]:
    return [word.strip() for word in next(csv.reader([line]), list[str]())]


def _looks_similar(document: SourceFile, report: oasis.Report) -> bool:
    return {*_COMMON.values(), *_OWN[report.query].values()} <= {*header_of(document), "XML_DATA_ITEM"}


def _problem(document: SourceFile, report: oasis.Report) -> str:
    """Return why an answer with a report's columns is not of that report; empty for one that is.

    Prices of other markets and of scheduling points have the columns of day-ahead prices, and system loads those of others.
    """
    words, sample = words_of_answer(document), sample_of(document)
    if words and not names_query(words, report.query, _RUNS[report.query]):
        return f"OASIS answers {words} are not read; the columns are similar to those of {report.query}"
    if strange := sorted(_FOREIGN & set(sample.header)):
        return f"{report.query} has no column {', '.join(strange)}"
    roles = {**_COMMON, **_OWN[report.query]}
    cells = [sample.column(roles[role]) for role in report.by]
    codes = [tuple(cell.upper() for cell in row) for row in zip(*cells, strict=False)]
    known = [code for code in codes if code in report.codes]
    if codes and len(known) * 2 < len(codes):
        return f"{report.query} has no {' '.join(next(code for code in codes if code not in report.codes))}"
    runs = {report.codes[code][0].name.rsplit("_", 1)[1].upper() for code in known}
    if words and known and not any(names_query(words, report.query, _ALIASES.get(run, {run})) for run in runs):
        return f"name and content disagree: {document.name!r} says {words}, the rows are of {', '.join(sorted(runs))}"
    return ""


def _recognise(document: SourceFile, report: oasis.Report) -> bool:
    if not _looks_similar(document, report):
        # An answer that is empty or cut is refused as such, by the report that its name says.
        named_csv = document.name.lower().endswith(".csv")
        return named_csv and names_query(words_of_answer(document), report.query, _RUNS[report.query])
    return not _problem(document, report)


def _explain(document: SourceFile, report: oasis.Report) -> str:
    words = words_of_answer(document)
    if _looks_similar(document, report):
        return _problem(document, report)
    known = any(names_query(words, query, runs) for query, runs in _RUNS.items())
    return f"OASIS answers {words} are not read" if words and not known else ""


def answered_at(name: str) -> datetime | None:
    """Return the time in an answer's name, UTC; None where the name has none.

    Nothing marks the repeated hour in a name. An answer was known no later than the second reading, which is taken.
    """
    stamp = _ANSWERED.search(name)
    return local_instant_of(stamp[1] if stamp else None, ("%Y%m%d_%H_%M_%S",), ZONE, second=True)


def _parse(document: SourceFile, report: oasis.Report) -> tuple[Parsed, ...]:
    header = _words(document.lines[0])
    words = {**_COMMON, **_OWN[report.query], "value": next((word for word in _VALUES if word in header), _VALUES[0])}
    refusals = Refusals(document.raw)
    rows = read_table(document, [words[role] for role in ("start", "end", "location", "value", *report.by)], refusals)
    if set(_LABELS.values()) <= set(header):
        words.update(_LABELS)
    if _UNIT in header:
        words["unit"] = _UNIT
    answer = oasis.Answer(rows, words, document.raw, refusals.frame(), answered_at(document.name))
    return oasis.parse_answer(answer, report)


FORMATS = tuple(
    FileFormat(
        name=f"CAISO OASIS {report.query} CSV",
        datasets=report.datasets,
        recognise=partial(_recognise, report=report),
        parse=partial(_parse, report=report),
        named=named,
        explain=partial(_explain, report=report),
        columns=tuple({**_COMMON, **_OWN[report.query]}.values()),
    )
    for report in oasis.REPORTS
)
