"""Rows as version 1 writes CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import orjson

Format = Literal["json", "csv"]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A list as a file to download. ``columns``: its header, which an empty list has too."""

    name: str
    columns: Sequence[str]


def csv_bytes(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> bytes:
    """Return rows as CSV: nothing for null, ISO 8601 times, numbers without exponents, JSON for nested values."""
    names = list(rows[0]) if rows else list(columns)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return format(Decimal(repr(value)), "f")
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case dict() | list():
            return orjson.dumps(value).decode()
        case _:
            return str(value)
