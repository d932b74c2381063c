"""Public files of ERCOT's Market Information System (MIS): a list of documents, then those that hold the days; no login.

A list names every posting that is still on display, each as CSV and as XML: day-ahead prices for about a month, one a day;
real-time prices for about a week, one each quarter of an hour. Days before the oldest posting are in the workbook of their
year, which has hubs and load zones only. Source: ERCOT, Data Product Details of NP4-190-CD, NP6-905-CD, NP4-180-ER and
NP6-785-ER, whose pages request these lists, as the client gridstatus (``ercot.py``) does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType
from typing import cast

import polars as pl

from aurum.pipelines.public_files import PublicFiles, Query, Request, Wanted
from aurum.pipelines.reading.dates import times
from aurum.pipelines.reading.json_text import read_json
from aurum.pipelines.source import RefusedFile, SourceFile
from aurum.pipelines.sources.ercot.datasets import DAM_SPP, RTM_SPP

_LIST = "https://www.ercot.com/misapp/servlets/IceDocListJsonWS?reportTypeId={report}"
_DOCUMENT = "https://www.ercot.com/misdownload/servlets/mirDownload?doclookupId={id}"
_PRODUCT = "https://www.ercot.com/mp/data-products/data-product-details?id="

_POSTING = re.compile(
    r"cdr\.(?P<report>\d{8})\.\d{16}\.(?P<posted>\d{8}\.\d{6})\d*(?:xhr)?\."
    r"(?:DAMSPNP4190|SPPHLZNP6905_(?:retry_)?(?P<interval>\d{8}_\d{4})(?:xhr)?)_csv\.zip"
)
_WORKBOOK = re.compile(r"rpt\.(?P<report>\d{8})\.\d{16}\.(?:\d{8}\.\d{6,9}\.)?(?:DAM|RTM)LZHBSPP_(?P<year>\d{4})\.zip")
_NUMBER = re.compile(r"[0-9]{1,18}")
_LONGEST_DAYS = 31
_ON_DISPLAY = timedelta(days=4)
"""Age of a day up to which every posting of it is in the list for certain."""


@dataclass(frozen=True, slots=True)
class Report:
    """Report types of a dataset: of its postings, and of its workbooks of years."""

    posting: int
    workbook: int


def documents(content: bytes, *, first: date, last: date, report: Report) -> list[Request]:
    """Return the requests of the postings of some local days that a list names, oldest first.

    Raises ``ValueError`` for content that is not a list of documents.
    """
    wanted = _postings(content, report).filter(pl.col("day").is_between(first, last)).sort("name")
    return [Request(_DOCUMENT.format(id=number), name=name) for name, number in wanted.select("name", "number").rows()]


def older(content: bytes, *, first: date, last: date, report: Report) -> list[Request]:
    """Return the request for the workbooks of those local days that are before every posting that a list names, if any are.

    Raises ``ValueError`` for content that is not a list of documents.
    """
    oldest = cast("date | None", _postings(content, report)["day"].min())
    if oldest is not None and first >= oldest:
        return []
    end = last if oldest is None else min(last, oldest - timedelta(days=1))
    years = range(first.year, end.year + 1)
    return [Request(_LIST.format(report=report.workbook), listing=partial(workbooks, years=years, report=report))]


def workbooks(content: bytes, *, years: Iterable[int], report: Report) -> list[Request]:
    """Return the requests of the workbooks of some years that a list names; of several of a year, that of the newest number.

    Raises ``ValueError`` for content that is not a list of documents.
    """
    newest: dict[int, tuple[str, int]] = {}
    for name, number in _listed(content):
        match = _WORKBOOK.fullmatch(name)
        if match is not None and int(match["report"]) == report.workbook:
            year = int(match["year"])
            newest[year] = max(newest.get(year, (name, number)), (name, number), key=lambda entry: entry[1])
    chosen = [newest[year] for year in years if year in newest]
    return [Request(_DOCUMENT.format(id=number), name=name) for name, number in chosen]


def _postings(content: bytes, report: Report) -> pl.DataFrame:
    """Return the postings of a report as CSV that a list names: ``name``, ``number``, ``day`` (the local day of the prices)."""
    matches = [(name, number, match) for name, number in _listed(content) if (match := _POSTING.fullmatch(name)) is not None]
    rows = [
        (name, number, match["posted"], match["interval"])
        for name, number, match in matches
        if int(match["report"]) == report.posting
    ]
    schema = {"name": pl.String, "number": pl.Int64, "posted": pl.String, "interval": pl.String}
    # The name of a real-time posting has the end of the interval. Day-ahead prices that are posted before ten are late.
    end = times(pl.col("interval"), ("%Y%m%d_%H%M",)) - pl.duration(minutes=15)
    before = times(pl.col("posted"), ("%Y%m%d.%H%M%S",)) + pl.duration(hours=14)
    day = pl.when(pl.col("interval").is_null()).then(before).otherwise(end).dt.date()
    return pl.DataFrame(rows, schema=schema, orient="row").select("name", "number", day=day).drop_nulls("day")


def _listed(content: bytes) -> list[tuple[str, int]]:
    """Return name and number of each document of a list. Raises ``ValueError``."""
    try:
        answer = read_json(SourceFile("documents.json", content))
    except RefusedFile as error:
        raise ValueError(error.reason) from error
    response = _member(answer, "ListDocsByRptTypeRes")
    if not isinstance(response, dict):
        raise ValueError("no ListDocsByRptTypeRes: not a list of documents")
    listed = _member(cast("object", response), "DocumentList")
    entries = cast("list[object]", listed) if isinstance(listed, list) else [] if listed is None else [listed]
    documents = [_member(entry, "Document") for entry in entries]
    named = [(str(_member(document, "ConstructedName")), str(_member(document, "DocID"))) for document in documents]
    return [(name, int(number)) for name, number in named if _NUMBER.fullmatch(number)]


def _member(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _files(report: Report, product: str) -> PublicFiles:
    def requests(wanted: Wanted) -> list[Request]:
        address = _LIST.format(report=report.posting)
        parts = [documents] if wanted.today - wanted.first <= _ON_DISPLAY else [older, documents]
        days = {"first": wanted.first, "last": wanted.last}
        return [Request(address, listing=partial(part, **days, report=report)) for part in parts]

    manual = f"ERCOT, Data Product Details {product}, {_PRODUCT}{product}"
    return PublicFiles(query=Query(requests, longest_days=_LONGEST_DAYS), manual=manual)


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        DAM_SPP.name: _files(Report(posting=12331, workbook=13060), "NP4-190-CD"),
        RTM_SPP.name: _files(Report(posting=12301, workbook=13061), "NP6-905-CD"),
    }
)
