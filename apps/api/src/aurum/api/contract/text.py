"""Types of parameters that arrive as text: their length, characters and format, checked before they are used."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, JsonValue, StringConstraints

from aurum.common.json_values import refuse_unstorable

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
"""A short text without NUL, which PostgreSQL cannot hold."""

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _as_written(value: object) -> object:
    """Refuse a text that is not ``YYYY-MM-DD``: Pydantic alone also accepts a number, as seconds since 1970."""
    if isinstance(value, str) and not _ISO_DAY.fullmatch(value):
        raise ValueError("must be a date written YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_as_written)]
"""A date in the form YYYY-MM-DD of ISO 8601."""


_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def _in_rfc_3339(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and not _RFC_3339.fullmatch(value)):
        raise ValueError("must be an RFC 3339 date-time such as 2025-11-02T14:00:00Z or 2025-11-02T14:00:00-05:00")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from error


Moment = Annotated[AwareDatetime, BeforeValidator(_in_rfc_3339), AfterValidator(_in_utc)]
"""An instant in UTC, from an RFC 3339 date-time with any offset.

Pydantic alone also accepts seconds since 1970, as a number or, in a query, as its text.
"""


def _storable(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    refuse_unstorable(value)
    return value


Members = Annotated[dict[str, JsonValue], AfterValidator(_storable)]
"""A JSON object that PostgreSQL can hold."""
