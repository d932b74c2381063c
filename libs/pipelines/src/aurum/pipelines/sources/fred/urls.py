"""Public addresses of FRED graph downloads, which need no key."""

from __future__ import annotations

from datetime import date

DAILY = ("DHHNGSP", "DCOILWTICO", "DCOILBRENTEU")


def graph(day: date, series: tuple[str, ...] = DAILY) -> str:
    """The CSV of one day of some series; of daily energy prices, when none are named."""
    return f"https://fred.stlouisfed.org/graph/fredgraph.csv?id={','.join(series)}&cosd={day}&coed={day}"
