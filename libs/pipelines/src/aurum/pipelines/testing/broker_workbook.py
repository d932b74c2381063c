"""Sheets of brokers' end-of-day workbooks for tests: the layout of real ones, with invented numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from aurum.pipelines.testing.workbook import Cell

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
