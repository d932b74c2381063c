"""Types of parameters that arrive as text: their length, characters and format, checked before they are used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, JsonValue, StringConstraints

from aurum.common.json_values import refuse_unstorable
from aurum.core.markettime import InvalidInstant, parse_day, parse_moment

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
"""A short text without NUL, which PostgreSQL cannot hold."""


def _day_as_written(value: object) -> object:
    """Return the day of a text of the grammar in ``core.markettime.instants``; Pydantic alone reads numbers, too."""
    return value if isinstance(value, date) and not isinstance(value, datetime) else _parsed(parse_day, value)


def _moment_as_written(value: object) -> object:
    """Return the instant of a text of the same grammar, with an offset, in UTC."""
    return value if isinstance(value, datetime) else _parsed(parse_moment, value)


def _parsed(parse: Callable[[str], date], value: object) -> date:
    try:
        return parse(value if isinstance(value, str) else str(value))
    except InvalidInstant as error:
        raise ValueError(error.detail) from error


Day = Annotated[date, BeforeValidator(_day_as_written)]
"""A date in the form YYYY-MM-DD."""

Moment = Annotated[AwareDatetime, BeforeValidator(_moment_as_written)]
"""An instant in UTC, from an RFC 3339 date-time with any offset."""


def _storable(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    refuse_unstorable(value)
    return value


Members = Annotated[dict[str, JsonValue], AfterValidator(_storable)]
"""A JSON object that PostgreSQL can hold."""
