"""Identifiers of EEX's power futures: ``EEX_POWER_FUT_DE_BASE_M``, area, block and kind of period."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from aurum.core.curves.keys import CurveKey
from aurum.core.curves.periods import PeriodKind
from aurum.pipelines.sources.eex.datasets import VENUE

_IDENTIFIER = re.compile(r"EEX_POWER_FUT_(?P<area>[A-Z]{2,}(?:_[A-Z0-9]+)?)_(?P<block>BASE|PEAK|OFF_?PEAK)_(?P<kind>[A-Z]+)")
_KINDS: Mapping[str, PeriodKind] = MappingProxyType(
    {
        "D": PeriodKind.DAY,
        "DAY": PeriodKind.DAY,
        "WE": PeriodKind.WEEKEND,
        "WEEKEND": PeriodKind.WEEKEND,
        "W": PeriodKind.WEEK,
        "WEEK": PeriodKind.WEEK,
        "M": PeriodKind.MONTH,
        "MONTH": PeriodKind.MONTH,
        "Q": PeriodKind.QUARTER,
        "QUARTER": PeriodKind.QUARTER,
        "S": PeriodKind.SEASON,
        "SEASON": PeriodKind.SEASON,
        "Y": PeriodKind.YEAR,
        "YEAR": PeriodKind.YEAR,
        "CAL": PeriodKind.YEAR,
    }
)
BASE, PEAK, OFF_PEAK = "base", "peak", "off_peak"
_BLOCKS: Mapping[str, str] = MappingProxyType({"BASE": BASE, "PEAK": PEAK, "OFFPEAK": OFF_PEAK, "OFF_PEAK": OFF_PEAK})
FORM = f"EEX_POWER_FUT_<area>_<BASE|PEAK|OFFPEAK>_<{'|'.join(_KINDS)}>"


@dataclass(frozen=True, slots=True)
class Future:
    """The meaning of an identifier. ``key``: key of the product."""

    key: str
    block: str
    kind: PeriodKind


def future_of(identifier: str | None) -> Future | None:
    """Return the meaning of an identifier; None for a text that is not one."""
    match = _IDENTIFIER.fullmatch(identifier or "")
    if match is None or match["kind"] not in _KINDS:
        return None
    block = _BLOCKS[match["block"]]
    return Future(str(CurveKey("power", match["area"].replace("_", "-"), block, VENUE)), block, _KINDS[match["kind"]])


def identifier_in(name: str) -> str | None:
    """Return the identifier in the name of a file; None where it has none."""
    match = _IDENTIFIER.match(name)
    return match[0] if match is not None and future_of(match[0]) is not None else None


def is_of_kind(kind: str, block: str) -> pl.Expr:
    """Return whether ``delivery_start`` to ``delivery_end`` is a period of the kind in a column; ``block``: column as well.

    The week of a block without weekends may end with its last day.
    """
    start, end = pl.col("delivery_start"), pl.col("delivery_end")
    days, weekday = (end - start).dt.total_days(), start.dt.weekday()
    is_first = start.dt.day() == 1
    month = start.dt.month()
    week = (weekday == 1) & ((days == 7) | ((days == 5) & (pl.col(block) == PEAK)))
    tests: Mapping[PeriodKind, pl.Expr] = {
        PeriodKind.DAY: days == 1,
        PeriodKind.WEEKEND: (weekday == 6) & (days == 2),
        PeriodKind.WEEK: week,
        PeriodKind.MONTH: is_first & (end == start.dt.offset_by("1mo")),
        PeriodKind.QUARTER: is_first & month.is_in([1, 4, 7, 10]) & (end == start.dt.offset_by("3mo")),
        PeriodKind.SEASON: is_first & month.is_in([4, 10]) & (end == start.dt.offset_by("6mo")),
        PeriodKind.YEAR: is_first & (month == 1) & (end == start.dt.offset_by("12mo")),
    }
    return pl.any_horizontal((pl.col(kind) == str(one)) & test for one, test in tests.items())
