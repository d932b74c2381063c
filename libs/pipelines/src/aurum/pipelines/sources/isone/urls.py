"""Public files of ISO New England by local day: the hourly price reports of ISO Express; no login.

Source of the pattern: the report pages of ISO Express, as the clients gridstatus (``isone.py``) and elec-server
(``rt_lmp_hourly.dart``) read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from aurum.pipelines.public_files import PublicFiles
from aurum.pipelines.sources.isone.datasets import DA_LMP, HOURLYLMP, RT_LMP_FINAL, RT_LMP_PRELIM, SMD_HOURLY

_PAGES = "https://www.iso-ne.com/isoexpress/web/reports/pricing/-/tree"


def _report(folder: str, name: str, page: str) -> PublicFiles:
    def of_day(day: date) -> str:
        return f"https://www.iso-ne.com/static-transform/csv/histRpts/{folder}/{name}_{day:%Y%m%d}.csv"

    return PublicFiles(day=of_day, manual=f"ISO New England, ISO Express, Pricing Reports, {_PAGES}/{page}")


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        DA_LMP.name: _report("da-lmp", "WW_DALMP_ISO", "lmps-da-hourly"),
        RT_LMP_PRELIM.name: _report("rt-lmp", "lmp_rt_prelim", "lmps-rt-hourly-prelim"),
        RT_LMP_FINAL.name: _report("rt-lmp", "lmp_rt_final", "lmps-rt-hourly-final"),
    }
)
WITHOUT: Mapping[str, str] = MappingProxyType(
    {
        HOURLYLMP.name: "the web service needs an account of ISO Express; the reports da_lmp and rt_lmp_final have its prices",
        SMD_HOURLY.name: "the address of a year's workbook has a number that only the page 'Energy, Load, and Demand Reports, "
        "Zonal Information' shows",
    }
)
