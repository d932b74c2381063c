"""Sheets of brokers' end-of-day workbooks for tests: the layout of real ones, with invented numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import cycle, islice

from aurum.pipelines.testing.workbook import Cell, workbook

Labels = tuple[str, str, str, str]

BID_ASK = "Bid   /   Ask"
MID = "Mid"
TRADE_DATE = date(2025, 9, 17)


def price_sheet(
    columns: Sequence[Labels],
    price_type: str | Sequence[str],
    rows: Sequence[tuple[Cell, Sequence[Cell]]],
    *,
    trade_date: Cell = TRADE_DATE,
    titles: Sequence[str] = ("", "", "", ""),
) -> list[list[Cell]]:
    """Return the rows of a sheet: the date in row 5, four rows of labels, the price types, a blank row, a row for each tenor.

    ``columns``: the four labels of each column. ``rows``: of each tenor its text or month and the cells. ``titles``: cells of
    the label rows above the tenors.
    """
    types = [price_type] * len(columns) if isinstance(price_type, str) else price_type
    head: list[list[Cell]] = [["Invented broker"], [], [], [], ["Date:", trade_date]]
    labels: list[list[Cell]] = [[titles[place], *(column[place] for column in columns)] for place in range(4)]
    return [*head, *labels, ["", *types], [], *([tenor, *cells] for tenor, cells in rows)]


def two_sided(bid: float | None, ask: float | None) -> str:
    """Return bid and ask in one cell, as brokers write them; None: the side is missing."""
    sides = ["" if side is None else f"{side:.3f}" for side in (bid, ask)]
    return "   /   ".join(sides).strip()


_COUNTRIES = (
    "Germany",
    "France",
    "Netherlands",
    "Belgium",
    "Austria",
    "Switzerland",
    "Italy",
    "Spain",
    "Poland",
    "Hungary",
    "UK",
)
_HUBS: tuple[Labels, ...] = (("Netherlands", "TTF", "Gas", ""), ("UK", "NBP", "Gas", ""), ("Germany", "THE", "Gas", ""))


def large_workbook(*, rows: int = 61, columns: int = 367, trade_date: date = TRADE_DATE) -> bytes:
    """Return a workbook of the size of a broker's: four sheets, months and strips, mid and two-sided, columns that repeat.

    ``rows``, ``columns``: of each sheet, the date, the labels and the tenors included.
    """
    power: list[Labels] = [(place, place, "Power", block) for place in _COUNTRIES for block in ("Base", "Peak", "Off-Peak")]
    different = (*power, *_HUBS)
    labels = list(islice(cycle(different), columns - 1))
    months = [date(2025 + (9 + month) // 12, (9 + month) % 12 + 1, 1) for month in range(rows - 11)]
    years = range(2026, 2026 + rows)
    strips = [f"{name} {year}" for year in years for name in ("Calendar", "Summer", "Winter")][: rows - 11]

    def mark(row: int, column: int) -> float:
        return round(40 + row / 7 + column % len(different) / 3, 3)

    def sheet(tenors: Sequence[Cell], price_type: str, cell: Callable[[float], Cell]) -> list[list[Cell]]:
        body = [(tenor, [cell(mark(row, column)) for column in range(columns - 1)]) for row, tenor in enumerate(tenors)]
        return price_sheet(labels, price_type, body, trade_date=trade_date)

    def both(price: float) -> str:
        return two_sided(price - 0.125, price + 0.125)

    return workbook(
        {
            "Fixed Prices": sheet(months, MID, lambda price: price),
            "Fixed Prices BA": sheet(months, BID_ASK, both),
            "Strips": sheet(strips, MID, lambda price: price),
            "Strips BA": sheet(strips, BID_ASK, both),
        }
    )
