"""Addresses of a local day's files in the file browser of SPP's portal (no login).

The real-time file of a day appears the next morning; until then only five-minute files exist, one per interval.
"""

from __future__ import annotations

from datetime import date

_DOWNLOAD = "https://portal.spp.org/file-browser-api/download"


def day_ahead(day: date) -> str:
    """Return the address of a market day's ``DA-LMP-SL`` file.

    >>> day_ahead(date(2025, 3, 19)).partition("path=")[2]
    '/2025/03/By_Day/DA-LMP-SL-202503190100.csv'
    """
    return f"{_DOWNLOAD}/da-lmp-by-settlement-location?path=/{day:%Y/%m}/By_Day/DA-LMP-SL-{day:%Y%m%d}0100.csv"


def real_time(day: date) -> str:
    """Return the address of a market day's ``RTBM-LMP-DAILY-SL`` file."""
    return f"{_DOWNLOAD}/rtbm-lmp-by-location?path=/{day:%Y/%m}/By_Day/RTBM-LMP-DAILY-SL-{day:%Y%m%d}.csv"
