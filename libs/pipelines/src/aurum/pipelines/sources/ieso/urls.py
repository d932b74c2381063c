"""Where IESO keeps the report that holds a local day (public reports; no login): one file a year."""

from __future__ import annotations

from datetime import date


def gen_output_by_fuel_hourly(day: date) -> str:
    """The address of the year's report. A year is some MB, whichever day of it is wanted.

    >>> gen_output_by_fuel_hourly(date(2016, 1, 7))
    'https://reports-public.ieso.ca/public/GenOutputbyFuelHourly/PUB_GenOutputbyFuelHourly_2016.xml'
    """
    return f"https://reports-public.ieso.ca/public/GenOutputbyFuelHourly/PUB_GenOutputbyFuelHourly_{day:%Y}.xml"
