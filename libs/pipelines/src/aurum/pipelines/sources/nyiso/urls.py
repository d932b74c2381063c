"""Public files of NYISO's Market Information System (MIS), by day and by month; no login.

A day's file stays for a week at least, and is rewritten through its day. Archives of months hold the files of the days under
their names, the running month's up to now. Source of the pattern: NYISO, Market Information System, the lists of reports P-2A,
P-2B, P-7, P-24A, P-24B, P-32, P-58B, P-58C and P-63, as the clients gridstatus (``nyiso.py``), NYISOToolkit
(``dataset_url_map.yml``) and electricitymaps (``US_NY.py``) read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from aurum.pipelines.public_files import PublicFiles
from aurum.pipelines.sources.nyiso.datasets import (
    DAMLBMP_GEN,
    DAMLBMP_ZONE,
    EXTERNAL_LIMITS_FLOWS,
    EXTRA,
    ISOLF,
    PAL,
    PAL_INTEGRATED,
    REALTIME_GEN,
    REALTIME_ZONE,
    RTC_ZONE,
    RTFUELMIX,
)

_MIS = "https://mis.nyiso.com/public"
_DAYS_ONLINE = 7
"""Days for which gridstatus requests the files of days; they stay for about ten."""


def _files(folder: str, report: str, page: str) -> PublicFiles:
    def of_day(day: date) -> str:
        return f"{_MIS}/csv/{folder}/{day:%Y%m%d}{report}.csv"

    def of_month(month: date) -> str:
        return f"{_MIS}/csv/{folder}/{month:%Y%m}01{report}_csv.zip"

    manual = f"NYISO, Market Information System, report {page}, {_MIS}/{page}list.htm"
    return PublicFiles(day=of_day, month=of_month, days_online=_DAYS_ONLINE, manual=manual)


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        DAMLBMP_ZONE.name: _files("damlbmp", "damlbmp_zone", "P-2A"),
        DAMLBMP_GEN.name: _files("damlbmp", "damlbmp_gen", "P-2B"),
        REALTIME_ZONE.name: _files("realtime", "realtime_zone", "P-24A"),
        REALTIME_GEN.name: _files("realtime", "realtime_gen", "P-24B"),
        PAL.name: _files("pal", "pal", "P-58B"),
        PAL_INTEGRATED.name: _files("palIntegrated", "palIntegrated", "P-58C"),
        ISOLF.name: _files("isolf", "isolf", "P-7"),
        RTFUELMIX.name: _files("rtfuelmix", "rtfuelmix", "P-63"),
        EXTERNAL_LIMITS_FLOWS.name: _files("ExternalLimitsFlows", "ExternalLimitsFlows", "P-32"),
    }
)
WITHOUT: Mapping[str, str] = MappingProxyType(
    {
        **{extra.name: f"its values are in the file of {name}: download that" for name, extra in EXTRA.items()},
        RTC_ZONE.name: "NYISO exports it on request only (Custom Reports, Real Time Commitment Zonal LBMP)",
    }
)
