"""Parameters that the routes about forward curves have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator, StringConstraints

from aurum.api.contract.text import Day, Text
from aurum.api.http.problems import InvalidParameters
from aurum.api.pictures import form
from aurum.core.curves.period_labels import YEARS
from aurum.core.curves.periods import PeriodKind
from aurum.core.curves.quotes import FIELDS
from aurum.core.markettime import InvalidInstant, parse_day
from aurum.services.curves import LATEST, PREVIOUS

Layout = Literal["rows", "columns"]
_OTHER_YEARS = f"must be in a year from {YEARS[0]} to {YEARS[-1]}"

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
Curves = Annotated[
    ListText,
    Query(description="Keys of curves, separated by commas; in a pattern `*` stands for any text.", examples=["power:DE:*"]),
]
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
CURRENCY = (
    "Convert prices to this currency (ISO 4217 code), at the ECB's reference rate of each trade date as known at `as_of`; on a "
    "weekend or a holiday of TARGET, when there is none, at that of the last day before. If another trade date lacks its rate, "
    "the whole request is refused: a 422 names the pair and the first such date. Default: that of the curve."
)
CurrencyCode = Annotated[Text | None, Query(description=CURRENCY, examples=["USD"])]
Roll = Annotated[
    Text,
    Query(
        description="Rule of rolls. `calendar`: a period is the front as long as it begins after the trade date. "
        "`last_trading_day`: up to the last trading day of the contract, for products whose `expiry` is read as a rule. "
        "`days_before:n`: n sessions earlier than that; without such a rule, and of a contract that trades on while it "
        "delivers, n sessions before the last one ahead of delivery. Default: `calendar`.",
        examples=["calendar"],
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
Earlier = Annotated[
    Text,
    Query(
        description="Earlier trade date: YYYY-MM-DD; `previous`, the newest with data before `b`; or `latest`. "
        "Default: `previous`.",
        examples=["2024-10-11"],
    ),
]
Later = Annotated[
    Text,
    Query(
        description="Later trade date: YYYY-MM-DD; `latest`, the newest with data of any of the curves; or `previous`. "
        "Default: `latest`.",
        examples=["2024-10-14"],
    ),
]
PriceField = Annotated[
    Text,
    Query(
        description="Price: `settle`, `bid`, `ask`, `mid` ... Default: `price`, the settlement, and where a quote has none "
        "the mean of bid and ask.",
        examples=["settle"],
    ),
]


@dataclass(frozen=True, slots=True)
class Output:
    """The format of a response that may be a picture, the layout of a JSON document, and the form of a picture."""

    format: str | None
    layout: Layout
    picture: form.PictureForm


async def _output(
    format: form.Format = None,
    layout: LayoutOfRows = "rows",
    width: form.Width = None,
    height: form.Height = None,
    theme: form.ThemeName = None,
) -> Output:
    return Output(format, layout, form.picture_form(width, height, theme))


RowsOrPicture = Annotated[Output, Depends(_output)]
"""The parameters of every route whose rows can be drawn."""


def trade_day(name: str, text: str) -> date | str:
    """Return the date of a parameter, or ``latest`` or ``previous``. Raises ``InvalidParameters``."""
    try:
        return _trade_day(text)
    except ValueError as error:
        raise InvalidParameters((name, str(error), text)) from error


def _trade_day(value: object) -> date | str:
    """Return the date of a text, or ``latest`` or ``previous``. Raises ``ValueError``."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    text = value if isinstance(value, str) else str(value)
    if text in (LATEST, PREVIOUS):
        return text
    try:
        day = parse_day(text)
    except InvalidInstant as error:
        raise ValueError(f"must be a date YYYY-MM-DD, {LATEST} or {PREVIOUS}: {error.detail}") from error
    if day.year not in YEARS:
        raise ValueError(_OTHER_YEARS)
    return day


TradeDay = Annotated[Day | Literal["latest", "previous"], BeforeValidator(_trade_day)]
"""The trade date of a body: the validator before the union reads both forms, so that a wrong one is a single error."""


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
        raise InvalidParameters((name, _OTHER_YEARS, text))
    return day


def several(text: str | None) -> tuple[str, ...]:
    """Return the text of an optional parameter that lists names, for a question that takes several."""
    return () if text is None else (text,)
