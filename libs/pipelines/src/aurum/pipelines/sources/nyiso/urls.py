"""Addresses of a local day's files on NYISO's public Market Information System; no login.

Source of the pattern: the report list at ``https://mis.nyiso.com/public/``. A file is there for about ten days; older days
are in monthly archives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType


def _file(folder: str, report: str) -> Callable[[date], str]:
    def url(day: date) -> str:
        return f"https://mis.nyiso.com/public/csv/{folder}/{day:%Y%m%d}{report}.csv"

    return url


BY_DATASET: Mapping[str, Callable[[date], str]] = MappingProxyType(
    {
        "damlbmp_zone": _file("damlbmp", "damlbmp_zone"),
        "damlbmp_gen": _file("damlbmp", "damlbmp_gen"),
        "realtime_zone": _file("realtime", "realtime_zone"),
        "realtime_gen": _file("realtime", "realtime_gen"),
        "pal": _file("pal", "pal"),
        "pal_integrated": _file("palIntegrated", "palIntegrated"),
        "isolf": _file("isolf", "isolf"),
        "rtfuelmix": _file("rtfuelmix", "rtfuelmix"),
        "external_limits_flows": _file("ExternalLimitsFlows", "ExternalLimitsFlows"),
    }
)
