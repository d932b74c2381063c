"""Addresses of a local day's report on ISO New England's site; no login.

Source of the pattern: the links of the report pages (Markets and Operations, ISO Express, Pricing Reports).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType


def _report(folder: str, name: str) -> Callable[[date], str]:
    def url(day: date) -> str:
        return f"https://www.iso-ne.com/histRpts/{folder}/{name}_{day:%Y%m%d}.csv"

    return url


BY_DATASET: Mapping[str, Callable[[date], str]] = MappingProxyType(
    {
        "da_lmp": _report("da-lmp", "WW_DALMP_ISO"),
        "rt_lmp_prelim": _report("rt-lmp", "lmp_rt_prelim"),
        "rt_lmp_final": _report("rt-lmp", "lmp_rt_final"),
    }
)
