"""Public addresses of GHCN-Daily: the whole history of a station in one file, the same address every day."""

from __future__ import annotations

from datetime import date


def ghcn_daily(day: date, station: str = "USW00094728") -> str:
    """The CSV of a station; of Central Park in New York, where records of its weather are longest, when none is named."""
    del day
    return f"https://www.ncei.noaa.gov/data/global-historical-climatology-network-daily/access/{station}.csv"
