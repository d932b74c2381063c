"""Documents of changed observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import polars as pl

from aurum.api.v2.changes.schemas import ChangedPointDocument, OldPointDocument
from aurum.core.catalog.quality import Quality


def point_documents(points: pl.DataFrame) -> Sequence[ChangedPointDocument]:
    """Return the documents of the points of one page, schema ``CHANGED_POINTS``."""
    return [_document(row) for row in points.iter_rows(named=True)]  # rows: at most 1,000, a document for each


def _document(row: Mapping[str, Any]) -> ChangedPointDocument:
    old = None
    if row["old_known_at"] is not None:
        old = OldPointDocument(
            value=_number(row["old_value"]), quality=_label(row["old_quality"]), known_at=row["old_known_at"]
        )
    return ChangedPointDocument(
        series=row["key"],
        start=row["ts"],
        value=_number(row["value"]),
        quality=_label(row["quality"]),
        known_at=row["known_at"],
        old=old,
    )


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def _label(code: int) -> str:
    return Quality(code).label if code in list(Quality) else ""
