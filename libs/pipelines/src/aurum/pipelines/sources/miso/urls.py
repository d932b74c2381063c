"""Public files of MISO by market day (market reports folder; no login).

Source of the pattern: MISO, Market Reports, Day-Ahead, as the client gridstatus (``miso.py``) reads it. Older years are in
archives of quarters in another layout, which is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from aurum.pipelines.public_files import PublicFiles
from aurum.pipelines.sources.miso.datasets import DA_EXPOST_LMP

_MANUAL = (
    "MISO, Market Reports, Day-Ahead ExPost LMPs, "
    "https://www.misoenergy.org/markets-and-operations/real-time--market-data/market-reports/"
)


def day_ahead_expost(day: date) -> str:
    """Return the address of a market day's ``da_expost_lmp`` file.

    >>> day_ahead_expost(date(2025, 11, 2))
    'https://docs.misoenergy.org/marketreports/20251102_da_expost_lmp.csv'
    """
    return f"https://docs.misoenergy.org/marketreports/{day:%Y%m%d}_da_expost_lmp.csv"


FILES: Mapping[str, PublicFiles] = MappingProxyType({DA_EXPOST_LMP.name: PublicFiles(day=day_ahead_expost, manual=_MANUAL)})
