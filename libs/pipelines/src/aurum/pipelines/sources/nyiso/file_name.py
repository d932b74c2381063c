"""Reads the names of NYISO's public files, ``YYYYMMDD<report>.csv``: the local day and the report.

Reports of one layout are told apart by their names: day-ahead, real-time and time-weighted hourly prices, of zones and of
generators.
"""

from __future__ import annotations

import re

from aurum.pipelines.named_content import Named, days_in_name
from aurum.pipelines.source import SourceFile
from aurum.pipelines.sources.nyiso.datasets import ZONE

_REPORT = re.compile(
    r"(?<![A-Za-z])(damlbmp|realtime|rtlbmp|rtd|hamlbmp|palintegrated|pal|isolf|zonalbidload|rtfuelmix|externallimitsflows|ancillary|"
    r"btmactualforecast|btmdaforecast|lfweather|outsched|dam)(?:_(zone|gen|refbus))?(?![a-z])",
    re.IGNORECASE,
)


def report_in_name(document: SourceFile) -> tuple[str, str]:
    """Return the report that a name says, in small letters, and ``zone`` or ``gen`` where it says that; empty where not."""
    match = _REPORT.search(document.name)
    return (match[1].lower(), (match[2] or "").lower()) if match is not None else ("", "")


def named(report: str, *, after: int = 0) -> Named:
    """Return the reader of the day in names of a report. ``after``: days beyond it that the file holds."""
    return days_in_name(rf"(?<!\d)(?P<day>\d{{8}}){report}(?![A-Za-z])", ZONE, after=after, flags=re.IGNORECASE)
