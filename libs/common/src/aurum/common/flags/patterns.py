"""Regular expressions that strangers to this process write: searched in time that grows evenly with the text.

Python's own can take longer than the universe is old over thirty letters, ``(a+)+b`` for one, and nothing can stop them.
Polars has the engine of Rust (https://docs.rs/regex), which knows no back references and no look-around, and never goes back.
"""

from __future__ import annotations

import re

import polars as pl

_LONGEST = 500
_LONGEST_TEXT = 1_000
_HALF = re.compile("[\\ud800-\\udfff]")
"""Of a surrogate pair: JSON can hold one, and UTF-8 cannot."""


class BadPattern(ValueError):
    """No regular expression, or one that is refused. The text says why."""


def refuse_bad(pattern: str) -> None:
    """Raises ``BadPattern``."""
    if len(pattern) > _LONGEST:
        raise BadPattern(f"has more than {_LONGEST} characters")
    try:
        for one in (pattern, _whole(pattern)):
            _finds(one, "")
    except pl.exceptions.ComputeError as error:
        reason = str(error).partition("\n\nThis error")[0].splitlines()[-1].removeprefix("error: ")
        raise BadPattern(reason) from error


def is_match(pattern: str, text: str) -> bool:
    """Whether a pattern is that of the whole text. Texts of more than 1,000 characters, or that are none, fit no pattern."""
    return len(text) <= _LONGEST_TEXT and _HALF.search(text) is None and _finds(_whole(pattern), text)


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _finds(pattern: str, text: str) -> bool:
    return bool(pl.Series([text]).str.contains(pattern)[0])
