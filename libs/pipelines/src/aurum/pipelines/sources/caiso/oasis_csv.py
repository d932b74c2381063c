"""OASIS answers in CSV (``resultformat=6``): PRC_LMP, ENE_SLRS, SLD_FCST and SLD_REN_FCST.

One row per interval, place and item, in no order; a later ``GROUP`` repeats nothing. In PRC_LMP the price is in the column
``MW`` (``VALUE`` or ``PRC`` in other vintages), one row per ``LMP_TYPE``.

OASIS names an answer ``<from>_<to>_<query>_<run>_<YYYYMMDD>_<HH>_<MM>_<SS>_v1.csv``. The last stamp is the Pacific time at
which OASIS wrote the answer, as ``TimeDate`` is in XML, and so the known time that the file states: from then on these numbers
were public for certain. The file does not say when the market first published them; for that the dataset has a schedule.
A renamed file states nothing. (The stamp equals the time, without a zone, of the member in the zip that OASIS serves.)
"""

from __future__ import annotations

import csv
import re
from datetime import datetime
from functools import partial

from aurum.pipelines.reading.dates import local_instant_of
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import FileFormat, Parsed, SourceFile
from aurum.pipelines.sources.caiso import oasis
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
_LABELS = {"day": "OPR_DT", "hour": "OPR_HR"}
_VALUES = ("MW", "VALUE", "PRC")
_ANSWERED = re.compile(r"_(\d{8}_\d{2}_\d{2}_\d{2})_v\d+\.csv$", re.IGNORECASE)


def _words(line: str) -> list[str]:
    return [word.strip() for word in next(csv.reader([line]), list[str]())]


def _recognise(document: SourceFile, report: oasis.Report) -> bool:
    if re.search(rf"(?<![A-Z])_{report.query}_[A-Z0-9]+_\d{{8}}_", document.name, re.IGNORECASE):
        return True
    header, first, *_ = [*document.head_lines(2), ""]
    words = _words(header)
    if not {*_COMMON.values(), *_OWN[report.query].values()} <= {*words, "XML_DATA_ITEM"}:
        return False
    # Five-minute and 15-minute prices have the layout of the day-ahead ones; the market run tells them apart.
    return report is not oasis.PRC_LMP or dict(zip(words, _words(first), strict=False)).get("MARKET_RUN_ID") == "DAM"


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
    answer = oasis.Answer(rows, words, document.raw, refusals.frame(), answered_at(document.name))
    return oasis.parse_answer(answer, report)


FORMATS = tuple(
    FileFormat(
        name=f"CAISO OASIS {report.query} CSV",
        datasets=report.datasets,
        recognise=partial(_recognise, report=report),
        parse=partial(_parse, report=report),
    )
    for report in oasis.REPORTS
)
