"""Answers of EIA's web service, version 2: JSON to a frame of text.

``response`` holds ``frequency``, ``dateFormat``, ``total`` and ``data``, a list of flat records: ``period``, facets (an id, and
often a name beside it), value columns (a number, or the same as text; null where nothing was published) with their units in
``units`` or ``<column>-units``. An answer carries 5,000 records at most: a long query comes in pages, each a file of its own.

Source of the description: EIA API v2 technical documentation; an answer of electricity/rto/interchange-data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from aurum.pipelines.source import RefusedFile, SourceFile

_HEAD = re.compile(r'"response"\s*:\s*\{')
_FREQUENCY = re.compile(r'"(?:frequency|dateFormat)"\s*:')


@dataclass(frozen=True, slots=True)
class Answer:
    """``frequency`` as stated. ``records``: String columns by key, and ``line``: the 1-based position in ``data``."""

    frequency: str
    records: pl.DataFrame
    data: list[Mapping[str, Any]]

    def raw(self, line: int) -> str:
        """Return the text of the record at a 1-based position."""
        return json.dumps(self.data[line - 1]) if 0 < line <= len(self.data) else ""


def is_answer(document: SourceFile) -> bool:
    head = document.head
    return head.lstrip().startswith("{") and bool(_HEAD.search(head)) and bool(_FREQUENCY.search(head))


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
    return Answer(str(response.get("frequency") or ""), _frame(records), records)


def _response(document: SourceFile) -> Mapping[str, Any]:
    try:
        answer: object = json.loads(document.text)
    except json.JSONDecodeError as error:
        raise RefusedFile(f"not well-formed JSON: {error.msg}", line=error.lineno) from error
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
