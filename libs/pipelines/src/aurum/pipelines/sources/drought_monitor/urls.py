"""Public addresses of the Drought Monitor's web service, which answers in CSV: the week that holds a day, of the nation."""

from __future__ import annotations

from calendar import TUESDAY
from datetime import date, timedelta

_SERVICE = "https://usdmdataservices.unl.edu/api/USStatistics"


def cumulative(day: date) -> str:
    return _week("GetDroughtSeverityStatisticsByAreaPercent", day, 1)


def categorical(day: date) -> str:
    return _week("GetDroughtSeverityStatisticsByAreaPercent", day, 2)


def dsci(day: date) -> str:
    return _week("GetDSCI", day, 1)


def _week(what: str, day: date, kind: int) -> str:
    tuesday = day - timedelta(days=(day.weekday() - TUESDAY) % 7)
    start = f"{tuesday.month}/{tuesday.day}/{tuesday.year}"
    return f"{_SERVICE}/{what}?aoi=conus&startdate={start}&enddate={start}&statisticsType={kind}"
