"""OASIS answers in XML: PRC_LMP, ENE_SLRS, SLD_FCST and SLD_REN_FCST.

    OASISReport / MessageHeader / TimeDate                          when the answer was written, GMT
                / MessagePayload / RTO / REPORT_ITEM * / REPORT_HEADER  (REPORT, MKT_TYPE, UOM, ...)
                                                       / REPORT_DATA *  one number each

``REPORT_DATA`` holds DATA_ITEM, OPR_DATE, RESOURCE_NAME (wind and solar: TRADING_HUB and RENEWABLE_TYPE), INTERVAL_START_GMT,
INTERVAL_END_GMT and VALUE. A line is the position of a ``REPORT_DATA`` in the document. An answer may instead hold an
``ERROR`` (no data, too many requests): such a file is refused with OASIS' own words, as is one that is not well-formed.

Source of the description: CAISO Interface Specification for OASIS; answers of 2014.
"""

from __future__ import annotations

import re
from datetime import datetime

import polars as pl

from aurum.core.frames import REFUSED
from aurum.pipelines.reading.dates import instant_of
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.caiso import oasis
from aurum.pipelines.sources.caiso.answer_name import named, words_of_answer
from aurum.pipelines.xmltree import Element, column, markup, read_xml, text_at

_REPORTS = {report.query: report for report in oasis.REPORTS}
_REPORT = re.compile(rf"<(?:\w+:)?REPORT>\s*({'|'.join(_REPORTS)})\s*<")
_WORDS = {
    "day": "OPR_DATE",
    "start": "INTERVAL_START_GMT",
    "end": "INTERVAL_END_GMT",
    "market": "MKT_TYPE",
    "unit": "UOM",
    "item": "DATA_ITEM",
    "value": "VALUE",
}
_OF_ITEM = ("market", "unit")
_PLACE = {"location": "RESOURCE_NAME"}
_OWN = {"SLD_REN_FCST": {"location": "TRADING_HUB", "fuel": "RENEWABLE_TYPE"}}


def _recognise(document: SourceFile) -> bool:
    head = document.head
    report = _REPORT.search(head)
    words = words_of_answer(document)
    # A name of OASIS must say the report that the document is of.
    if "OASISReport" not in head or (words and report is not None and not words.startswith(f"{report[1]}_")):
        return False
    return report is not None or "ERR_CODE>" in head


def _report(items: list[Element]) -> oasis.Report:
    queries = {text_at(item, "REPORT_HEADER/REPORT") for item in items}
    query = queries.pop() if len(queries) == 1 else None
    if query not in _REPORTS:
        raise RefusedFile("not one report of " + ", ".join(_REPORTS))
    return _REPORTS[query]


def _refuse_error(root: Element) -> None:
    for error in root.iter("{*}ERROR"):
        raise RefusedFile(f"OASIS answered error {text_at(error, 'ERR_CODE')}: {text_at(error, 'ERR_DESC')}")


def _answered_at(root: Element) -> datetime | None:
    """Return ``TimeDate``, UTC; None when the header has none."""
    text = text_at(root, "MessageHeader/TimeDate")
    if text is None:
        return None
    answered = instant_of(text)
    if answered is None:
        raise RefusedFile(f"TimeDate {text!r} is not a time with an offset")
    return answered


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    root = read_xml(document)
    _refuse_error(root)
    items = list(root.iter("{*}REPORT_ITEM"))
    report = _report(items)
    words = {**_WORDS, **_OWN.get(report.query, _PLACE)}
    numbers = [(item, number) for item in items for number in item.iterfind("{*}REPORT_DATA")]
    data = [number for _, number in numbers]
    rows = pl.DataFrame(
        {
            **{words[role]: column((item for item, _ in numbers), f"REPORT_HEADER/{words[role]}") for role in _OF_ITEM},
            **{words[role]: column(data, words[role]) for role in words if role not in _OF_ITEM},
        },
        schema=dict.fromkeys(words.values(), pl.String),
    ).with_row_index("line", offset=1)

    def raw(line: int) -> str:
        return markup(data[line - 1]) if 0 < line <= len(data) else ""

    answer = oasis.Answer(rows, words, raw, pl.DataFrame(schema=REFUSED), _answered_at(root))
    return oasis.parse_answer(answer, report)


FORMAT = FileFormat(
    name="CAISO OASIS XML",
    datasets=tuple(dataset for report in oasis.REPORTS for dataset in report.datasets),
    recognise=_recognise,
    parse=_parse,
    named=named,
    columns=("OASISReport", "REPORT_ITEM", "REPORT_HEADER", "REPORT", "REPORT_DATA", "RESOURCE_NAME", *_WORDS.values()),
)
