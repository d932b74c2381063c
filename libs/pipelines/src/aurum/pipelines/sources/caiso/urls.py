"""Addresses of CAISO for a local day: OASIS ``SingleZip`` (a zip with one CSV; no login) and the renewables watch folder.

OASIS takes the interval in GMT, answers at most 31 days, and asks for five seconds between requests of one client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from aurum.core.markettime import day_bounds
from aurum.pipelines.sources.caiso.datasets import ZONE

_SINGLE_ZIP = "https://oasis.caiso.com/oasisapi/SingleZip"


def oasis(query: str, **parameters: str) -> Callable[[date], str]:
    """Return the function from a Pacific day (23, 24 or 25 hours) to the address of a query's zipped CSV.

    >>> oasis("SLD_FCST", market_run_id="DAM")(date(2025, 11, 2)).partition("SLD_FCST&")[2]
    'startdatetime=20251102T07:00-0000&enddatetime=20251103T08:00-0000&version=1&market_run_id=DAM'
    """

    def address(day: date) -> str:
        start, end = (f"{instant:%Y%m%dT%H:%M}-0000" for instant in day_bounds(day, ZONE))
        query_parameters = {"version": "1", **parameters}
        further = "".join(f"&{name}={value}" for name, value in query_parameters.items())
        return f"{_SINGLE_ZIP}?resultformat=6&queryname={query}&startdatetime={start}&enddatetime={end}{further}"

    return address


def renewables_watch(day: date) -> str:
    """Return the address of a day's DailyRenewablesWatch file; CAISO has stopped writing them for recent days."""
    return f"http://content.caiso.com/green/renewrpt/{day:%Y%m%d}_DailyRenewablesWatch.txt"


def _run(query: str, run: str, **parameters: str) -> Callable[[date], str]:
    return oasis(query, market_run_id=run, **parameters)


_EVERYWHERE = {"tac_zone_name": "ALL", "schedule": "ALL"}

URLS: Mapping[str, Callable[[date], str]] = {
    # Version 12 asks for every pricing node at once; version 1 wants nodes by name.
    "prc_lmp_dam": _run("PRC_LMP", "DAM", version="12", grp_type="ALL"),
    "ene_slrs_dam": _run("ENE_SLRS", "DAM", **_EVERYWHERE),
    "ene_slrs_ruc": _run("ENE_SLRS", "RUC", **_EVERYWHERE),
    "ene_slrs_hasp": _run("ENE_SLRS", "HASP", **_EVERYWHERE),
    "ene_slrs_rtm": _run("ENE_SLRS", "RTM", **_EVERYWHERE),
    "sld_fcst_7da": _run("SLD_FCST", "7DA"),
    "sld_fcst_2da": _run("SLD_FCST", "2DA"),
    "sld_fcst_dam": _run("SLD_FCST", "DAM"),
    "sld_fcst_rtpd": _run("SLD_FCST", "RTM", execution_type="RTPD"),
    "sld_fcst_rtd": _run("SLD_FCST", "RTM", execution_type="RTD"),
    "sld_fcst_actual": _run("SLD_FCST", "ACTUAL"),
    "sld_ren_fcst_dam": _run("SLD_REN_FCST", "DAM"),
    "sld_ren_fcst_hasp": _run("SLD_REN_FCST", "HASP"),
    "sld_ren_fcst_rtpd": _run("SLD_REN_FCST", "RTPD"),
    "sld_ren_fcst_rtd": _run("SLD_REN_FCST", "RTD"),
    "sld_ren_fcst_actual": _run("SLD_REN_FCST", "ACTUAL"),
    "daily_renewables_watch": renewables_watch,
}
"""Function from local day to address, by dataset name."""
