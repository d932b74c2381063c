"""Parameters that the routes about forward curves have in common."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import StringConstraints

from aurum.api.contract.text import Text
from aurum.api.http.problems import InvalidParameters
from aurum.core.curves.period_labels import YEARS
from aurum.core.curves.periods import PeriodKind
from aurum.core.curves.quotes import FIELDS
from aurum.core.markettime import InvalidInstant, parse_day
from aurum.services.curves import LATEST, PREVIOUS

Layout = Literal["rows", "columns"]

Key = Annotated[
    Text,
    Path(description="Key of the curve: `commodity:area:block:venue`; see `/v2/curves`.", examples=["power:DE:base:EEX"]),
]
TradeDate = Annotated[
    Text | None,
    Query(
        description="Trade date: YYYY-MM-DD; `latest`, the newest with data; or `previous`, the one before. Default: `latest`.",
        examples=["2024-10-14"],
    ),
]
From = Annotated[
    Text | None,
    Query(alias="from", description="First trade date, inclusive. Default: the first with data.", examples=["2024-10-01"]),
]
To = Annotated[
    Text | None, Query(description="Last trade date, inclusive. Default: the last with data.", examples=["2024-10-14"])
]
AsOf = Annotated[
    Text | None,
    Query(
        description="Point in time: quotes as they were known at this instant, that instant included. An RFC 3339 date-time, a "
        "date, or a relative time such as `-7d`; read in UTC. Default: as known now.",
        examples=["2024-10-14T18:00:00Z"],
    ),
]
AsLoaded = Annotated[
    Text | None,
    Query(
        description="Read the store with the files committed up to this instant, whatever was loaded since. Formats of "
        "`as_of`. Default: the store as it is now.",
        examples=["2026-11-28T00:00:00Z"],
    ),
]
Kind = Annotated[
    Text | None,
    Query(
        description=f"Only periods of these kinds, separated by commas: {', '.join(PeriodKind)}. Default: all.",
        examples=["month,quarter"],
    ),
]
_MOST_CHARACTERS = 8_000
"""Characters of a list in a query: 300 keys of curves. Longer addresses are refused by proxies; bodies take longer lists."""
ListText = Annotated[str, StringConstraints(min_length=1, max_length=_MOST_CHARACTERS, pattern=r"^[^\x00]*$")]
Periods = Annotated[
    ListText,
    Query(
        description="Delivery periods, separated by commas: `Jan-25`, `Q1-25`, `2025`, `Win-25`, `W03-25`, a day, or "
        "`2025-01-01..2025-04-01`, half-open.",
        examples=["Q1-25,2025"],
    ),
]
Fields = Annotated[
    Text | None,
    Query(
        description=f"Only these fields, separated by commas: {', '.join(FIELDS)}, or `mid`, derived from bid and ask. "
        "Default: all published ones.",
        examples=["settle,volume_mwh"],
    ),
]
UnitText = Annotated[
    Text | None,
    Query(
        description="Convert prices to this unit; see `/v2/catalog/units`. Default: that of the curve.", examples=["USD/MMBtu"]
    ),
]
CurrencyCode = Annotated[
    Text | None,
    Query(
        description="Convert prices to this currency (ISO 4217 code), at the ECB's reference rate of each trade date as known "
        "at `as_of`. Default: that of the curve.",
        examples=["USD"],
    ),
]
Format = Annotated[
    Literal["json", "ndjson", "csv", "arrow", "parquet"] | None,
    Query(description="Format of the response; takes precedence over the `Accept` header. Default: by `Accept`, else `json`."),
]
LayoutOfRows = Annotated[
    Layout,
    Query(
        description="Layout of a JSON document: `rows` is one object per row, `columns` one array per field. Default: `rows`."
    ),
]


def trade_day(name: str, text: str) -> date | str:
    """Return the date of a parameter, or ``latest`` or ``previous``. Raises ``InvalidParameters``."""
    if text in (LATEST, PREVIOUS):
        return text
    try:
        return _checked(name, parse_day(text), text)
    except InvalidInstant as error:
        why = f"must be a date YYYY-MM-DD, {LATEST} or {PREVIOUS}: {error.detail}"
        raise InvalidParameters((name, why, text)) from error


def trade_day_or_none(name: str, text: str | None) -> date | str | None:
    """Return the trade date of an optional parameter. Raises ``InvalidParameters``."""
    return None if text is None else trade_day(name, text)


def day_or_none(name: str, text: str | None) -> date | None:
    """Return the date of an optional parameter. Raises ``InvalidParameters``."""
    if text is None:
        return None
    try:
        return _checked(name, parse_day(text), text)
    except InvalidInstant as error:
        raise InvalidParameters((name, error.detail, text)) from error


def _checked(name: str, day: date, text: str) -> date:
    """Return a date. Raises ``InvalidParameters`` for one in a year that no label names, near which days cannot be counted."""
    if day.year not in YEARS:
        raise InvalidParameters((name, f"must be in a year from {YEARS[0]} to {YEARS[-1]}", text))
    return day


def several(text: str | None) -> tuple[str, ...]:
    """Return the text of an optional parameter that lists names, for a question that takes several."""
    return () if text is None else (text,)
