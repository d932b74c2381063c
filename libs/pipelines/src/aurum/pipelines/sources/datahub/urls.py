"""Public files of the data sets: whole histories, at the same address every day.

A file that does not name its commodity is stored under a name that does. Source: the core data sets of datahub.io, whose
files are in the repositories ``github.com/datasets/...``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aurum.pipelines.public_files import Content, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.datahub.datasets import CPI, EXCHANGE_RATES, GAS_DAILY, GAS_MONTHLY, OIL_DAILY

_FILES = "https://raw.githubusercontent.com/datasets"
_MANUAL = "datahub.io, Core Data Sets, https://datahub.io/collections/core-datasets"


_ALL_DAYS = 1_000_000


def _history(address: str, *, name: str = "", parts: tuple[str, ...] = ("",)) -> PublicFiles:
    """Return the files of a data set. ``address``: with ``{part}`` where it has several files."""

    def requests(wanted: Wanted) -> list[Request]:
        return [Request(f"{_FILES}/{address.format(part=wanted.part)}", name=name)]

    return PublicFiles(query=Query(requests, parts, longest_days=_ALL_DAYS), manual=_MANUAL, content=Content.CSV)


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        GAS_DAILY.name: _history("natural-gas/main/data/daily.csv", name="henry_hub_daily.csv"),
        GAS_MONTHLY.name: _history("natural-gas/main/data/monthly.csv", name="henry_hub_monthly.csv"),
        OIL_DAILY.name: _history("oil-prices/main/data/{part}-daily.csv", parts=("wti", "brent")),
        CPI.name: _history("cpi-us/main/data/cpiai.csv"),
        EXCHANGE_RATES.name: _history("exchange-rates/main/data/monthly.csv"),
    }
)
