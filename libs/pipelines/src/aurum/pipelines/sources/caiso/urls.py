"""Public files of CAISO: answers of OASIS ``SingleZip`` (a zip with one CSV; no login) and the renewables watch folder.

OASIS takes the interval in GMT and answers at most 31 days. What it has no data for, or refuses, it answers with status 200
and a zip of one XML document, ``ERR_CODE`` and ``ERR_DESC``. It keeps about three years. Source: CAISO, Interface
Specification for OASIS, as the clients gridstatus (``caiso.py``) and pyiso (``caiso.py``) use it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from aurum.core.markettime import day_bounds
from aurum.pipelines.public_files import Content, Politeness, Problem, PublicFiles, Query, Request, Wanted
from aurum.pipelines.reading.archive import first_member
from aurum.pipelines.sources.caiso.datasets import ZONE

_SINGLE_ZIP = "https://oasis.caiso.com/oasisapi/SingleZip"
_MANUAL = (
    "CAISO, Interface Specification for OASIS, version 5.1.8, {query}, "
    "https://www.caiso.com/Documents/OASIS-InterfaceSpecification_v5_1_8Clean_Independent2019Release.pdf"
)
_LONGEST_DAYS = 31
_ERROR = re.compile(rb"ERR_CODE>\s*(\d+)\s*<.*?ERR_DESC>\s*([^<]*?)\s*<", re.DOTALL)
_NO_DATA = {1000, 1001}
_PASSING = {1003, 1015}
"""A query that took too long, and a file that is being written."""
_PEEK = 8192

POLITENESS = (
    Politeness(
        "oasis.caiso.com",
        5.0,
        "CAISO OASIS answers a second request within five seconds with status 429; gridstatus waits five seconds between two",
    ),
)


def oasis_address(query: str, first: date, last: date, **parameters: str) -> str:
    """Return the address of a query's zipped CSV for Pacific days, each of 23, 24 or 25 hours.

    >>> oasis_address("SLD_FCST", date(2025, 11, 2), date(2025, 11, 2), market_run_id="DAM").partition("SLD_FCST&")[2]
    'startdatetime=20251102T07:00-0000&enddatetime=20251103T08:00-0000&version=1&market_run_id=DAM'
    """
    bounds = (day_bounds(first, ZONE)[0], day_bounds(last, ZONE)[1])
    start, end = (f"{instant:%Y%m%dT%H:%M}-0000" for instant in bounds)
    query_parameters = {"version": "1", **parameters}
    further = "".join(f"&{name}={value}" for name, value in query_parameters.items())
    return f"{_SINGLE_ZIP}?resultformat=6&queryname={query}&startdatetime={start}&enddatetime={end}{further}"


def problem(content: bytes) -> Problem | None:
    """Return what an answer reports instead of data: a zip of one XML document with an error."""
    member = first_member(content, most=_PEEK)
    error = _ERROR.search(member[1]) if member is not None and member[0].lower().endswith(".xml") else None
    if error is None:
        return None
    code = int(error[1])
    reason = f"OASIS answered error {code}: {error[2].decode(errors='replace')}"
    return Problem(reason, is_absent=code in _NO_DATA, is_passing=code in _PASSING)


def renewables_watch(day: date) -> str:
    """Return the address of a day's DailyRenewablesWatch file; CAISO has stopped writing them for recent days."""
    return f"http://content.caiso.com/green/renewrpt/{day:%Y%m%d}_DailyRenewablesWatch.txt"


def _run(query: str, run: str, longest_days: int = _LONGEST_DAYS, **parameters: str) -> PublicFiles:
    def requests(wanted: Wanted) -> list[Request]:
        return [Request(oasis_address(query, wanted.first, wanted.last, market_run_id=run, **parameters))]

    return PublicFiles(
        query=Query(requests, longest_days=longest_days),
        manual=_MANUAL.format(query=query),
        content=Content.ZIP,
        problem=problem,
    )


def _schedules(run: str, longest_days: int = _LONGEST_DAYS) -> PublicFiles:
    return _run("ENE_SLRS", run, longest_days, tac_zone_name="ALL", schedule="ALL")


_WEEK = 7
"""Days of one answer in five-minute steps."""

FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        # Version 12 asks for every pricing node at once, of one day; version 1 wants nodes by name.
        "prc_lmp_dam": _run("PRC_LMP", "DAM", 1, version="12", grp_type="ALL"),
        "ene_slrs_dam": _schedules("DAM"),
        "ene_slrs_ruc": _schedules("RUC"),
        "ene_slrs_hasp": _schedules("HASP"),
        "ene_slrs_rtm": _schedules("RTM", _WEEK),
        "sld_fcst_7da": _run("SLD_FCST", "7DA"),
        "sld_fcst_2da": _run("SLD_FCST", "2DA"),
        "sld_fcst_dam": _run("SLD_FCST", "DAM"),
        "sld_fcst_rtpd": _run("SLD_FCST", "RTM", execution_type="RTPD"),
        "sld_fcst_rtd": _run("SLD_FCST", "RTM", _WEEK, execution_type="RTD"),
        "sld_fcst_actual": _run("SLD_FCST", "ACTUAL"),
        "sld_ren_fcst_dam": _run("SLD_REN_FCST", "DAM"),
        "sld_ren_fcst_hasp": _run("SLD_REN_FCST", "HASP"),
        "sld_ren_fcst_rtpd": _run("SLD_REN_FCST", "RTPD"),
        "sld_ren_fcst_rtd": _run("SLD_REN_FCST", "RTD", _WEEK),
        "sld_ren_fcst_actual": _run("SLD_REN_FCST", "ACTUAL"),
        "daily_renewables_watch": PublicFiles(
            day=renewables_watch,
            content=Content.CSV,
            manual="CAISO, Daily Renewables Watch, http://content.caiso.com/green/renewrpt/",
        ),
    }
)
