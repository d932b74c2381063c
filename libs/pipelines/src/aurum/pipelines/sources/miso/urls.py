"""Addresses of MISO's report of a market day (market reports folder; no login)."""

from __future__ import annotations

from datetime import date


def day_ahead_expost(day: date) -> str:
    """Return the address of a market day's ``da_expost_lmp`` file.

    >>> day_ahead_expost(date(2025, 11, 2))
    'https://docs.misoenergy.org/marketreports/20251102_da_expost_lmp.csv'
    """
    return f"https://docs.misoenergy.org/marketreports/{day:%Y%m%d}_da_expost_lmp.csv"
