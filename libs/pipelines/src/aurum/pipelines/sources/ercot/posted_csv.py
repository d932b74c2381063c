"""ERCOT's posted CSV files: DAM settlement point prices (NP4-190-CD) and real-time 15-minute ones (NP6-905-CD).

    DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag
    DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SettlementPointPrice,DSTFlag

ERCOT names a posting ``cdr.<report>.0000000000000000.<YYYYMMDD>.<HHMMSS>.<file>.csv`` with the Central time at which it was
posted: that is the known time. In the repeated hour of the fall day the second one is marked, ``20251102.011502xhr``. A renamed
file has none.

No real sample of these two is at hand; written from the columns ERCOT lists for both products, the DST flag and time labels
of its web service and workbooks, and gridstatus ``ercot.py`` and its tests.
"""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from functools import partial

from aurum.pipelines.reading.dates import local_instant_of, time_of
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import Dataset, FileFormat, NamedContent, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.ercot.datasets import DAM_SPP, RTM_SPP, ZONE
from aurum.pipelines.sources.ercot.settlement import DAM_COLUMNS, RTM_COLUMNS, PriceTable, dataset_of, parse_prices, words_of

_NAMES = {DAM_SPP: re.compile(r"NP4190[^/]*\.csv$", re.IGNORECASE), RTM_SPP: re.compile(r"NP6905[^/]*\.csv$", re.IGNORECASE)}
_PRODUCTS = {DAM_SPP: "4190", RTM_SPP: "6905"}
_REPORTS = {DAM_SPP: "00012331", RTM_SPP: "00012301"}
_PRODUCT = re.compile(r"NP(\d{4})(?!\d)")
_POSTED = re.compile(r"^cdr\.(\d{8})\.\d{16}\.(\d{8}\.\d{6})(xhr)?\.", re.IGNORECASE)


def _header(line: str) -> list[str]:
    return [word.strip() for word in next(csv.reader([line]), list[str]())]


def _problem(document: SourceFile, dataset: Dataset) -> str:
    """Return what the name says that is not this product; empty for a name that says it, or nothing."""
    product, report = _PRODUCT.search(document.name), _POSTED.match(document.name)
    if (product is not None and product[1] != _PRODUCTS[dataset]) or (report is not None and report[1] != _REPORTS[dataset]):
        return f"name and content disagree: {document.name!r} is not a name of NP{_PRODUCTS[dataset]}, whose columns it has"
    return ""


def _recognise(document: SourceFile, dataset: Dataset) -> bool:
    by_header = dataset_of(words_of(_header(document.head_lines(1)[0])))
    if by_header is None:
        return _NAMES[dataset].search(document.name) is not None
    return by_header is dataset and not _problem(document, dataset)


def _explain(document: SourceFile, dataset: Dataset) -> str:
    by_header = dataset_of(words_of(_header(document.head_lines(1)[0])))
    return _problem(document, dataset) if by_header is dataset else ""


def _named(document: SourceFile, dataset: Dataset) -> NamedContent | None:
    """Return the days in a posting's name: day-ahead prices are of the day after, real-time ones of the minutes before."""
    posted = _POSTED.match(document.name)
    at = time_of(posted[2] if posted is not None else None, ("%Y%m%d.%H%M%S",))
    if at is None:
        return None
    if dataset is DAM_SPP:
        return NamedContent(at.date(), at.date() + timedelta(days=1), ZONE)
    return NamedContent((at - timedelta(hours=1)).date(), at.date(), ZONE)


def posted_at(name: str) -> datetime | None:
    """Return the posting time in a file's name, UTC; None where the name has none. ``xhr`` marks the second repeated hour."""
    stamp = _POSTED.match(name)
    second = stamp is not None and stamp[3] is not None
    return local_instant_of(stamp[2] if stamp else None, ("%Y%m%d.%H%M%S",), ZONE, second=second)


def _parse(document: SourceFile, dataset: Dataset) -> tuple[Parsed, ...]:
    words = words_of(_header(document.lines[0]))
    refusals = Refusals(document.raw)
    required = ["DeliveryDate", "SettlementPointPrice"] if dataset_of(words) is None else list(words.values())
    rows = read_table(document, required, refusals)
    if dataset_of(words) is not dataset:
        raise RefusedFile(f"wrong header: {document.lines[0].strip()!r}", line=1)
    table = PriceTable(rows, words, refusals, rows.height + refusals.frame().height, document.raw)
    return (parse_prices(table, dataset, known_at=posted_at(document.name)),)


DAM_FORMAT = FileFormat(
    name="ERCOT DAM settlement point prices CSV",
    datasets=(DAM_SPP,),
    recognise=partial(_recognise, dataset=DAM_SPP),
    parse=partial(_parse, dataset=DAM_SPP),
    named=partial(_named, dataset=DAM_SPP),
    explain=partial(_explain, dataset=DAM_SPP),
    columns=DAM_COLUMNS,
)

RTM_FORMAT = FileFormat(
    name="ERCOT real-time settlement point prices CSV",
    datasets=(RTM_SPP,),
    recognise=partial(_recognise, dataset=RTM_SPP),
    parse=partial(_parse, dataset=RTM_SPP),
    named=partial(_named, dataset=RTM_SPP),
    explain=partial(_explain, dataset=RTM_SPP),
    columns=RTM_COLUMNS,
)
