"""Public addresses of GHCN-Daily: the whole history of a station in one file, at the same address every day."""

from __future__ import annotations

from datetime import date


def ghcn_daily(day: date, station: str = "USW00094728") -> str:
    """Return the address of the CSV of a station; by default Central Park in New York, with the longest weather records."""
    del day
    return f"https://www.ncei.noaa.gov/data/global-historical-climatology-network-daily/access/{station}.csv"
