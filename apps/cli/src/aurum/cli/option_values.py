"""Values of options. A value that cannot be used is refused with the name of its option."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    from datetime import date

Choice = TypeVar("Choice", bound=StrEnum)


@overload
def day_of(text: str, option: str) -> date: ...


@overload
def day_of(text: None, option: str) -> None: ...


def day_of(text: str | None, option: str) -> date | None:
    """Return the date of an option; None without one. Raises ``InvalidParameters``."""
    from aurum.core.errors import InvalidParameters
    from aurum.core.markettime import InvalidInstant, parse_day

    if text is None:
        return None
    try:
        return parse_day(text)
    except InvalidInstant as error:
        raise InvalidParameters((option, error.detail, text)) from error


def choice(kind: type[Choice], text: str, option: str) -> Choice:
    """Return the member of an enumeration that an option names. Raises ``InvalidParameters``."""
    from aurum.core.errors import InvalidParameters

    if text not in list(kind):
        raise InvalidParameters((option, f"must be one of {', '.join(kind)}", text))
    return kind(text)


def name_and_value(text: str, option: str) -> tuple[str, str]:
    """Return the parts of an option such as ``NAME=VALUE``. Raises ``InvalidParameters``."""
    from aurum.core.errors import InvalidParameters

    name, separator, value = (part.strip() for part in text.partition("="))
    if not (name and separator and value):
        raise InvalidParameters((option, "write it as NAME=VALUE", text))
    return name, value
