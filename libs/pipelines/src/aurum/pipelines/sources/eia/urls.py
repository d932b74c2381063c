"""Public addresses of EIA. Files are whole histories (a year for wholesale power), at the same address every day.

The web service (``https://api.eia.gov/v2/``) requires a key, so it has no address here.
"""

from __future__ import annotations

from datetime import date


def henry_hub_daily(day: date) -> str:
    """Return the address of the data navigator's workbook of daily Henry Hub spot prices."""
    del day
    return "https://www.eia.gov/dnav/ng/hist_xls/RNGWHHDd.xls"


def henry_hub_weekly(day: date) -> str:
    del day
    return "https://www.eia.gov/dnav/ng/hist_xls/RNGWHHDw.xls"


def henry_hub_monthly(day: date) -> str:
    del day
    return "https://www.eia.gov/dnav/ng/hist_xls/RNGWHHDm.xls"


def gas_storage(day: date) -> str:
    del day
    return "https://ir.eia.gov/ngs/ngshistory.xls"


def wholesale(day: date) -> str:
    """Return the address of the workbook of the year of a trade date."""
    return f"https://www.eia.gov/electricity/wholesale/xls/ice_electric-{day.year}.xlsx"
