"""Delivery periods: half-open spans of delivery days with the label and the kind that the market gives them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from aurum.core.errors import Invalid


class InvalidPeriod(Invalid):
    """A text that names no period, or two different ones. Facts: ``period``."""

    def __init__(self, period: str, why: str) -> None:
        super().__init__(f"period {period!r}: {why}", period=period)


class PeriodKind(StrEnum):
    """Kind of a delivery period."""

    DAY = "day"
    WEEKEND = "weekend"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    SEASON = "season"
    HALF = "half"
    YEAR = "year"
    BOM = "bom"
    """The rest of a month after a trade date."""
    BOY = "boy"
    """The rest of a year."""
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Period:
    """A delivery period ``[first, end)`` in delivery days. ``label``: canonical, as ``Q1-25``, ``W03-25``, ``2025``."""

    label: str
    kind: PeriodKind
    first: date
    end: date
