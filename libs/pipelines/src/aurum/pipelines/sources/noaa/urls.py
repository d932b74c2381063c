"""Public files of NCEI: the whole history of a station in one file, at the same address every day; no login.

A part of the query is a station; by default Central Park in New York, with the longest weather records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from aurum.pipelines.public_files import Content, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.noaa.datasets import GHCN_DAILY, PAST_WEATHER

_NCEI = "https://www.ncei.noaa.gov"
_STATIONS = ("USW00094728",)


_ALL_DAYS = 1_000_000


def ghcn_daily(wanted: Wanted) -> list[Request]:
    """Return the request of a station's CSV of GHCN-Daily."""
    return [Request(f"{_NCEI}/data/global-historical-climatology-network-daily/access/{wanted.part}.csv")]


def past_weather(wanted: Wanted) -> list[Request]:
    """Return the request of a station's CSV in US units, which the publisher calls ``data.csv``."""
    return [Request(f"{_NCEI}/access/past-weather/{wanted.part}/data.csv", name=f"{wanted.part}.csv")]


def _histories(requests: Callable[[Wanted], list[Request]], manual: str) -> PublicFiles:
    return PublicFiles(query=Query(requests, _STATIONS, longest_days=_ALL_DAYS), manual=manual, content=Content.CSV)


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        GHCN_DAILY.name: _histories(
            ghcn_daily,
            "NOAA/NCEI, Global Historical Climatology Network daily, "
            f"{_NCEI}/products/land-based-station/global-historical-climatology-network-daily",
        ),
        PAST_WEATHER.name: _histories(past_weather, f"NOAA/NCEI, Past Weather, {_NCEI}/access/past-weather/"),
    }
)
