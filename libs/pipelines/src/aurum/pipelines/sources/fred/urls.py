"""Public addresses of FRED graph downloads, which need no key."""

from __future__ import annotations

from datetime import date

DAILY = ("DHHNGSP", "DCOILWTICO", "DCOILBRENTEU")


def graph(day: date, series: tuple[str, ...] = DAILY) -> str:
    """Return the address of the CSV of some series for one day; daily energy prices when no series is named."""
    return f"https://fred.stlouisfed.org/graph/fredgraph.csv?id={','.join(series)}&cosd={day}&coed={day}"
