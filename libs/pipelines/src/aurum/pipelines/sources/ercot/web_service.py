"""Answers of ERCOT's public web service for settlement point prices, JSON (NP4-190-CD day-ahead, NP6-905-CD real-time).

``fields`` names the columns of ``data``, a list of rows; ``_meta`` says how many records the query has and how they are
paged, which shows a cut answer. Times are labels in Central prevailing time; ``DSTFlag`` is true on the second of the two
repeated hours (see ``settlement``). The service needs a key, so no day has a public address. A line is a record's
position in ``data``. The answer does not say when the prices were posted.

Source of the description: a complete day-ahead answer of 2025-11-02; ERCOT's list of fields for the real-time product.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import polars as pl

from aurum.pipelines.reading.json_text import as_json, read_json
from aurum.pipelines.reading.numbers import whole_of
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import Dataset, FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.ercot.datasets import DAM_SPP, RTM_SPP
from aurum.pipelines.sources.ercot.settlement import DAM_COLUMNS, RTM_COLUMNS, PriceTable, dataset_of, parse_prices, words_of

_FIELD = re.compile(r'"name"\s*:\s*"(\w+)"')


def _recognise(document: SourceFile, dataset: Dataset) -> bool:
    if not document.head.lstrip().startswith("{"):
        return False
    # An answer may have the fields before or after the data.
    return dataset_of(words_of(_FIELD.findall(document.head) + _FIELD.findall(document.tail))) is dataset


def _answer(document: SourceFile) -> dict[str, Any]:
    answer = read_json(document)
    if not isinstance(answer, dict):
        raise RefusedFile("not an answer of the web service: no JSON object")
    return cast("dict[str, Any]", answer)


def _records(answer: dict[str, Any]) -> tuple[list[str], list[Sequence[Any]]]:
    """Return field names and records. Raises ``RefusedFile`` when they do not fit together or the page is not complete."""
    fields, data = answer.get("fields"), answer.get("data")
    if not isinstance(fields, list) or not isinstance(data, list):
        raise RefusedFile("not an answer of the web service: no 'fields' and 'data'")
    described = cast("list[object]", fields)
    if not all(isinstance(field, dict) for field in described):
        raise RefusedFile("not an answer of the web service: 'fields' does not describe fields")
    names = [str(cast("dict[str, object]", field).get("name")) for field in described]
    records = cast("list[Sequence[Any]]", data)
    widths = [len(record) if isinstance(record, list) else 0 for record in records]
    if set(widths) - {len(names)}:
        position = next(place for place, width in enumerate(widths, start=1) if width != len(names))
        raise RefusedFile(f"record {position} does not have the {len(names)} fields", line=position)
    expected = _page_length(answer.get("_meta"))
    if expected is not None and expected != len(records):
        raise RefusedFile(f"cut off: {len(records)} of {expected} records of this page")
    return names, records


def _page_length(meta: object) -> int | None:
    """Return how many records a page must have according to ``_meta``; None when it does not say."""
    if not isinstance(meta, dict):
        return None
    paging = [whole_of(cast("dict[str, object]", meta).get(key)) for key in ("totalRecords", "pageSize", "currentPage")]
    total, size, page = paging
    if total is None or size is None or page is None:
        return None
    return max(0, min(size, total - size * (page - 1)))


def _parse(document: SourceFile, dataset: Dataset) -> tuple[Parsed, ...]:
    names, records = _records(_answer(document))
    words = words_of(names)
    if dataset_of(words) is not dataset:
        raise RefusedFile(f"wrong fields: {', '.join(names)}")
    columns = zip(*records, strict=True) if records else ((),) * len(names)
    rows = pl.DataFrame(
        [pl.Series(name, values, dtype=pl.String, strict=False) for name, values in zip(names, columns, strict=True)]
    ).with_row_index("line", offset=1)

    def raw(line: int) -> str:
        return as_json(records[line - 1]) if 0 < line <= len(records) else ""

    table = PriceTable(rows, words, Refusals(raw), len(records), raw)
    return (parse_prices(table, dataset),)


DAM_FORMAT = FileFormat(
    name="ERCOT NP4-190-CD JSON",
    datasets=(DAM_SPP,),
    recognise=partial(_recognise, dataset=DAM_SPP),
    parse=partial(_parse, dataset=DAM_SPP),
    columns=DAM_COLUMNS,
)

RTM_FORMAT = FileFormat(
    name="ERCOT NP6-905-CD JSON",
    datasets=(RTM_SPP,),
    recognise=partial(_recognise, dataset=RTM_SPP),
    parse=partial(_parse, dataset=RTM_SPP),
    columns=RTM_COLUMNS,
)
