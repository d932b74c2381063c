"""Samples of quotes that brokers and desks write: end-of-day workbooks and SIMPLE CSV. All numbers are invented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from aurum.pipelines.testing.broker_workbook import BID_ASK, MID, Labels, price_sheet, two_sided
from aurum.pipelines.testing.workbook import Cell

from .sample import Sample, csv

_TRADED = date(2025, 7, 4)
_MONTHS = (date(2025, 8, 1), date(2025, 9, 1), date(2025, 10, 1))
_STRIPS = ("Calendar 2026", "Winter 2025", "Summer 2026")
_EUROPE: Sequence[Labels] = (
    ("Germany", "Germany", "Power", "Base"),
    ("Germany", "Germany", "Power", "Peak"),
    ("Great_Britian", "Great Britain", "Power", "Peak"),
    ("Netherlands", "TTF", "Natural Gas", ""),
    ("UK", "NBP", "Natural Gas", ""),
)


def _mid(tenors: Sequence[Cell], columns: int) -> list[tuple[Cell, list[Cell]]]:
    return [
        (tenor, [round(30 + 7.125 * place + 1.25 * row, 3) for place in range(columns)]) for row, tenor in enumerate(tenors)
    ]


def _around(tenors: Sequence[Cell], columns: int) -> list[tuple[Cell, list[Cell]]]:
    marks = [[30 + 7.125 * place + 1.25 * row for place in range(columns)] for row in range(len(tenors))]
    return [
        (tenor, [two_sided(mark - 0.25, mark + 0.25 if mark < 60 else None) for mark in row])
        for tenor, row in zip(tenors, marks, strict=True)
    ]


def _europe(venue: str) -> Sample:
    width = len(_EUROPE)
    sheets = {
        "Fixed Prices": price_sheet(_EUROPE, MID, _mid(_MONTHS, width), trade_date=_TRADED),
        "Fixed Prices BA": price_sheet(_EUROPE, BID_ASK, _around(_MONTHS, width), trade_date=_TRADED),
        "Strips": price_sheet(_EUROPE, MID, _mid(_STRIPS, width), trade_date=_TRADED),
        "Strips BA": price_sheet(_EUROPE, BID_ASK, _around(_STRIPS, width), trade_date=_TRADED),
        "Germany": price_sheet(_EUROPE[:2], MID, _mid(_MONTHS[:2], 2), trade_date=_TRADED),
    }
    return Sample((f"eod_workbook:{venue.lower()}",), f"EOD_{venue}_20250704_1430.xlsx", neutral=False, sheets=sheets)


def _us() -> Sample:
    columns: Sequence[Labels] = (("PJM", "Western Hub", "Real-Time", "5x16"), ("PJM", "Western Hub", "Real-Time", "Off-Peak"))
    rows = price_sheet(columns, MID, _mid((*_MONTHS, "Jul-Aug 26", "Calendar 2026"), 2), trade_date=_TRADED)
    return Sample(("eod_workbook:pw",), "EOD_PW_20250704_1430.xlsx", neutral=False, sheets={"Power": rows})


_SIMPLE = Sample(
    ("simple:quotes",),
    "desk_marks.csv",
    csv(
        ["trade_date", "product", "period", "settle", "bid", "ask"],
        [
            ["2025-07-04", "power:DE:base:EEX", "Aug-25", "88.25", "88.125", "88.375"],
            ["2025-07-04", "power:DE:base:EEX", "Q4-25", "94.5", "94.375", "94.625"],
            ["2025-07-04", "power:DE:peak:EEX", "W32-25", "91.75", "", ""],
            ["2025-07-04", "power:DE:peak:EEX", "Sep-25", "87.875", "87.75", "88.0"],
        ],
    ),
    stamps=("%Y-%m-%d",),
    ids=("power:DE:base:EEX", "power:DE:peak:EEX"),
    numbers=("94.5",),
    exchange=("bid", "ask"),
    odd=("product", "settle"),
)

DESKS = (_europe("EUGP"), _europe("RP"), _us(), _SIMPLE)
