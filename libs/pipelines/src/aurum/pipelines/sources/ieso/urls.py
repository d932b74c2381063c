"""Addresses of the IESO report that holds a local day (public reports; no login): one file per year."""

from __future__ import annotations

from datetime import date


def gen_output_by_fuel_hourly(day: date) -> str:
    """Return the address of the report of the day's year; a file has several MB.

    >>> gen_output_by_fuel_hourly(date(2016, 1, 7))
    'https://reports-public.ieso.ca/public/GenOutputbyFuelHourly/PUB_GenOutputbyFuelHourly_2016.xml'
    """
    return f"https://reports-public.ieso.ca/public/GenOutputbyFuelHourly/PUB_GenOutputbyFuelHourly_{day:%Y}.xml"
