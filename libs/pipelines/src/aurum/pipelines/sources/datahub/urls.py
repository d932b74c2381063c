"""Public addresses of the data sets: whole histories, the same address every day.

Gas has none here: its files are called ``daily.csv`` and ``monthly.csv``, names that do not say the commodity.
"""

from __future__ import annotations

from datetime import date

_FILES = "https://raw.githubusercontent.com/datasets"


def wti(day: date) -> str:
    """Return the address of the daily history of WTI; Brent's is ``brent-daily.csv`` beside it."""
    del day
    return f"{_FILES}/oil-prices/main/data/wti-daily.csv"


def cpi(day: date) -> str:
    del day
    return f"{_FILES}/cpi-us/main/data/cpiai.csv"


def exchange_rates(day: date) -> str:
    del day
    return f"{_FILES}/exchange-rates/main/data/monthly.csv"
