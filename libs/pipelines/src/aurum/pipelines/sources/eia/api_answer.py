"""Answers of EIA's web service, version 2: JSON to a frame of text.

``response`` holds ``frequency``, ``dateFormat``, ``total`` and ``data``, a list of flat records: ``period``, facets (an id, and
often a name beside it), value columns (a number, or the same as text; null where nothing was published) with their units in
``units`` or ``<column>-units``. An answer carries 5,000 records at most: a long query comes in pages, each a file of its own.

Source of the description: EIA API v2 technical documentation; an answer of electricity/rto/interchange-data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from aurum.pipelines.reading.json_text import as_json, read_json
from aurum.pipelines.reading.numbers import whole_of
from aurum.pipelines.source import RefusedFile, SourceFile

_HEAD = re.compile(r'"response"\s*:\s*\{')
_PERIOD = re.compile(r'"period"\s*:')
_FREQUENCY = re.compile(r'"(?:frequency|dateFormat)"\s*:')


@dataclass(frozen=True, slots=True)
class Answer:
    """``frequency`` as stated. ``records``: String columns by key, and ``line``: the 1-based position in ``data``.

    ``notices``: the answer's own warnings, and how much of the query's total it holds when that is not all.
    """

    frequency: str
    records: pl.DataFrame
    data: list[Mapping[str, Any]]
    notices: tuple[str, ...] = ()

    def raw(self, line: int) -> str:
        """Return the text of the record at a 1-based position."""
        return as_json(self.data[line - 1]) if 0 < line <= len(self.data) else ""


def is_answer(document: SourceFile) -> bool:
    head = document.head
    described = head.lstrip().startswith("{") and bool(_HEAD.search(head)) and bool(_FREQUENCY.search(head))
    # An answer whose records are past the head has their fields in its description or in none.
    return described and (_PERIOD.search(document.text) is not None or '"data"' in head)


def read_answer(document: SourceFile) -> Answer:
    """Return the records of an answer. Raises ``RefusedFile`` when it is not JSON, not an answer, or has no data."""
    response = _response(document)
    data = response.get("data")
    if not isinstance(data, list):
        raise RefusedFile("not an answer of the web service: no list 'response.data'")
    if not data:
        raise RefusedFile("the answer holds no data")
    for position, record in enumerate(cast("list[object]", data), start=1):
        if not isinstance(record, dict):
            raise RefusedFile(f"record {position} is not an object", line=position)
    records = cast("list[Mapping[str, Any]]", data)
    return Answer(str(response.get("frequency") or ""), _frame(records), records, _notices(response, len(records)))


def _notices(response: Mapping[str, Any], count: int) -> tuple[str, ...]:
    warnings = response.get("warnings")
    listed = cast("list[object]", warnings) if isinstance(warnings, list) else []
    said = [cast("Mapping[str, object]", one) for one in listed if isinstance(one, dict)]
    texts = [f"EIA warns: {': '.join(str(one[key]) for key in ('warning', 'description') if key in one)}" for one in said]
    total = whole_of(response.get("total"))
    if total is not None and total > count:
        texts.append(f"incomplete: {count} of the {total} records of the query; load the other pages too")
    return tuple(texts)


def _response(document: SourceFile) -> Mapping[str, Any]:
    answer = read_json(document)
    response: object = cast("dict[str, object]", answer).get("response") if isinstance(answer, dict) else None
    if not isinstance(response, dict):
        raise RefusedFile("not an answer of the web service: no object 'response'")
    return cast("Mapping[str, Any]", response)


def _frame(records: list[Mapping[str, Any]]) -> pl.DataFrame:
    names = dict.fromkeys(name for record in records for name in record)
    columns = {name: [None if (cell := record.get(name)) is None else str(cell) for record in records] for name in names}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
    return frame.with_columns(pl.all().str.strip_chars().replace("", None)).with_row_index("line", offset=1)


def to_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return records with ``location``, ``measure``, ``ts`` and ``number`` (Float64) as ``PARSED`` rows without nulls."""
    return frame.filter(pl.col("number").is_not_null()).select(
        "location",
        "measure",
        "ts",
        pl.col("number").alias("value"),
        pl.lit(0, dtype=pl.Int16).alias("quality"),
        pl.lit(0, dtype=pl.Int16).alias("version"),
        "line",
    )
