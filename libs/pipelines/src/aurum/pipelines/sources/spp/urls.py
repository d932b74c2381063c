"""Public files of SPP by local day, in the file browser of its portal (no login).

Daily files are there for the running and the past year; older ones are in archives of years, several gigabytes each, which
are not requested. The daily real-time file follows after about five days. Until then a file exists for each five-minute
interval, named after the local end of the interval, with a ``d`` behind it in the repeated hour of the fall-back day, in the
folder of the day in which the interval begins; of the running day only the newest interval is requested. Source of the
pattern: SPP, Markets Public Data Guide, as the client gridstatus (``spp.py``) reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from aurum.core.markettime import day_bounds
from aurum.pipelines.public_files import Content, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.spp.datasets import DA_LMP_SL, RTBM_LMP_SL, ZONE

_DOWNLOAD = "https://portal.spp.org/file-browser-api/download"
_MANUAL = "SPP, Markets Public Data Guide (spp.org/documents/37657), https://portal.spp.org/pages"
_DAY_AHEAD, _REAL_TIME = "da-lmp-by-settlement-location", "rtbm-lmp-by-location"
_STEP = timedelta(minutes=5)
_JOINED_AFTER = timedelta(days=6)
"""Age from which a day has one real-time file."""


def _file(page: str, folder: str, name: str) -> Request:
    # The address ends in the page, which does not tell SPP's prices from those of its other market.
    return Request(f"{_DOWNLOAD}/{page}?path={folder}/{name}", name=name)


def _day_ahead(wanted: Wanted) -> list[Request]:
    day = wanted.first
    return [_file(_DAY_AHEAD, f"/{day:%Y/%m}/By_Day", f"DA-LMP-SL-{day:%Y%m%d}0100.csv")]


def _real_time(wanted: Wanted) -> list[Request]:
    day = wanted.first
    if day >= wanted.today:
        return [_file(_REAL_TIME, "", "RTBM-LMP-SL-latestInterval.csv")] if day == wanted.today else []
    if wanted.today - day < _JOINED_AFTER:
        return [_file(_REAL_TIME, f"/{day:%Y/%m}/By_Interval/{day:%d}", name) for name in interval_names(day)]
    return [_file(_REAL_TIME, f"/{day:%Y/%m}/By_Day", f"RTBM-LMP-DAILY-SL-{day:%Y%m%d}.csv")]


def interval_names(day: date) -> list[str]:
    """Return the names of the files of the 276, 288 or 300 intervals of a local day.

    >>> interval_names(date(2025, 11, 2))[22:25]
    ['RTBM-LMP-SL-202511020155.csv', 'RTBM-LMP-SL-202511020100d.csv', 'RTBM-LMP-SL-202511020105d.csv']
    """
    start, end = day_bounds(day, ZONE)
    zone = ZoneInfo(ZONE)
    ends = [(start + _STEP * (number + 1)).astimezone(zone) for number in range((end - start) // _STEP)]
    return [f"RTBM-LMP-SL-{at:%Y%m%d%H%M}{'d' if at.fold else ''}.csv" for at in ends]


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        DA_LMP_SL.name: PublicFiles(query=Query(_day_ahead), content=Content.CSV, manual=f"{_MANUAL}/{_DAY_AHEAD}"),
        RTBM_LMP_SL.name: PublicFiles(query=Query(_real_time), content=Content.CSV, manual=f"{_MANUAL}/{_REAL_TIME}"),
    }
)
