"""Public files of the Drought Monitor: answers of its web service, CSV where a client asks for no other kind; no login.

A part of the query is an area: ``conus`` and ``us`` for the nation, the two digits of a state, the five of a county. The
service wants dates without leading zeros. Source: US Drought Monitor, Web Service Information.
"""

from __future__ import annotations

from calendar import TUESDAY
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from aurum.pipelines.public_files import Content, Problem, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.drought_monitor.datasets import CATEGORICAL, CUMULATIVE, DSCI

_SERVICE = "https://usdmdataservices.unl.edu/api"
_MANUAL = "US Drought Monitor, Web Service Information, https://droughtmonitor.unl.edu/DmData/DataDownload/WebServiceInfo.aspx"
_AREA_KINDS = {2: "StateStatistics", 5: "CountyStatistics"}
_LONGEST_DAYS = 366
_NO_AREA, _PEEK = b"area of interest not recognized", 100


def _tuesday(day: date) -> str:
    """Return the date of the map whose week holds a day."""
    tuesday = day - timedelta(days=(day.weekday() - TUESDAY) % 7)
    return f"{tuesday.month}/{tuesday.day}/{tuesday.year}"


def problem(content: bytes) -> Problem | None:
    """Return that the service knows no such area, which it answers with status 200 and a sentence."""
    return Problem("area of interest not recognized") if _NO_AREA in content[:_PEEK].lower() else None


def _maps(statistics: str, kind: int) -> PublicFiles:
    def requests(wanted: Wanted) -> list[Request]:
        area = wanted.part
        areas = _AREA_KINDS.get(len(area), "USStatistics") if area.isdecimal() else "USStatistics"
        dates = f"startdate={_tuesday(wanted.first)}&enddate={_tuesday(wanted.last)}"
        url = f"{_SERVICE}/{areas}/{statistics}?aoi={area}&{dates}&statisticsType={kind}"
        # The statistics' name tells percent of area from percent of population.
        return [Request(url, name=f"{statistics}_{area}.csv")]

    query = Query(requests, parts=("conus",), longest_days=_LONGEST_DAYS)
    return PublicFiles(query=query, manual=_MANUAL, content=Content.CSV, problem=problem)


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        CUMULATIVE.name: _maps("GetDroughtSeverityStatisticsByAreaPercent", 1),
        CATEGORICAL.name: _maps("GetDroughtSeverityStatisticsByAreaPercent", 2),
        DSCI.name: _maps("GetDSCI", 1),
    }
)
