"""Names of brokers' workbooks: ``EOD_EUGP_20250917_1430.xlsx`` states the broker, the trade date and the time of writing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from aurum.pipelines.reading.dates import day_of, local_instant_of, time_of
from aurum.pipelines.reading.numbers import whole_of
from aurum.pipelines.source import RefusedFile, SourceFile

_NAME = re.compile(
    r"(?:^|[/ ._-])(EUGP|RP|PW)[ _-](\d{8})(?:[ _-](\d{2})(\d{2})(?:\d{2})?)?(?!\d)[^/]*\.xls[xmb]?$", re.IGNORECASE
)
_DAYS = ("%Y-%m-%d", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y")
_MOMENT = ("%Y-%m-%d %H:%M:%S",)
_FIRST_SERIAL = date(1899, 12, 30)
_MOST_DAYS = 100_000


@dataclass(frozen=True, slots=True)
class WorkbookName:
    """The statements of a name. ``known_at``: UTC; None without a time, or with one that the clock does not have."""

    trade_date: date
    known_at: datetime | None
    notice: str = ""


def venue_in(document: SourceFile) -> str:
    """Return the broker that the name of a file states, in capitals; empty for other names."""
    match = _NAME.search(document.name)
    return match[1].upper() if match is not None else ""


def read_name(document: SourceFile, zone: str) -> WorkbookName:
    """Return what the name states. ``zone``: the clock of its time. Raises ``RefusedFile`` when its digits are not a date."""
    match = _NAME.search(document.name)
    if match is None:
        raise RefusedFile("the name states no broker and no trade date, as EOD_EUGP_20250917_1430.xlsx does")
    trade_date = day_of(match[2], ("%Y%m%d",))
    if trade_date is None:
        raise RefusedFile(f"the name states the trade date {match[2]}, which is not a date")
    if match[3] is None:
        return WorkbookName(trade_date, None)
    known_at = local_instant_of(f"{trade_date} {match[3]}:{match[4]}", ("%Y-%m-%d %H:%M",), zone)
    unread = f"the name states the time {match[3]}{match[4]}, which is not a time of {zone}: the usual time counts"
    return WorkbookName(trade_date, known_at, "" if known_at is not None else unread)


def readings_of_date(text: str) -> frozenset[date]:
    """Return every date that the text of a date cell can mean: two for ``03/04/2025``, none for a text that is not a date."""
    moment = time_of(text, _MOMENT)
    if moment is not None:
        return frozenset({moment.date()})
    serial = whole_of(text)
    if serial is not None:
        # A date cell without its format shows the number of days.
        return frozenset({_FIRST_SERIAL + timedelta(days=serial)}) if 0 < serial < _MOST_DAYS else frozenset()
    return frozenset(day for pattern in _DAYS if (day := day_of(text, (pattern,))) is not None)
