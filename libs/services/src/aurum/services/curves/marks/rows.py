"""Rows about marks as answers show them: with their period as a document in the place of its days, instants and name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from aurum.core.curves.marks import IDENTITY, Override
from aurum.services.curves.marks.reading import SetMarks, delivery_periods
from aurum.services.curves.periods import DeliveryPeriod

_DAYS = ("delivery_start", "delivery_end")
_NAMES = ("label", "kind", "starts_at", "ends_at", "hours")


def mark_rows(frame: pl.DataFrame) -> list[Mapping[str, object]]:
    """Return rows of a frame that has the names of periods, as ``NAMED_MARKS`` does."""
    places, periods = delivery_periods(frame)
    documents = [one.document() for one in periods]
    rows = frame.drop(*_DAYS, *_NAMES).to_dicts()  # rows: of one document
    return [{**row, "period": documents[place]} for row, place in zip(rows, places.to_list(), strict=True)]


def delivery_rows(made: SetMarks, frame: pl.DataFrame) -> list[Mapping[str, object]]:
    """Return rows about deliveries of a set: findings, or changed quotes. The period of a row about a whole curve is None."""
    spans: list[tuple[str, date, date]] = frame.select(IDENTITY).rows()
    rows = frame.drop(*_DAYS).to_dicts()  # rows: of one document
    return [{**row, "period": period_document(made.periods.get(span))} for row, span in zip(rows, spans, strict=True)]


def override_row(override: Override, period: DeliveryPeriod | None) -> Mapping[str, object]:
    """Return an override. ``period``: None: unknown."""
    names = ("curve", "settle", "bid", "ask", "reason", "expires", "made_at", "made_by", "person")
    return {**{name: getattr(override, name) for name in names}, "period": period_document(period)}


def period_document(period: DeliveryPeriod | None) -> Mapping[str, object] | None:
    """Return a period as answers show it; None for None."""
    return None if period is None else period.document()
