"""Regular expressions written by callers, matched in time that is linear in the length of the text.

Python's own engine backtracks: a pattern such as ``(a+)+b`` can take exponential time over thirty letters, and cannot be
interrupted. Polars uses the engine of Rust (https://docs.rs/regex), which never backtracks and has no back references and no
look-around.
"""

from __future__ import annotations

import re

import polars as pl

_LONGEST = 500
_LONGEST_TEXT = 1_000
_HALF = re.compile("[\\ud800-\\udfff]")
"""One half of a surrogate pair: JSON can express it, and UTF-8 cannot."""


class BadPattern(ValueError):
    """A pattern that is not a regular expression, or is refused. The text gives the reason."""


def refuse_bad(pattern: str) -> None:
    """Raise ``BadPattern`` for a pattern that the engine cannot use, or of more than 500 characters."""
    if len(pattern) > _LONGEST:
        raise BadPattern(f"has more than {_LONGEST} characters")
    try:
        for expression in (pattern, _anchored(pattern)):
            _contains(expression, "")
    except pl.exceptions.ComputeError as error:
        reason = str(error).partition("\n\nThis error")[0].splitlines()[-1].removeprefix("error: ")
        raise BadPattern(reason) from error


def is_match(pattern: str, text: str) -> bool:
    """Return whether a pattern matches the whole text.

    Texts of more than 1,000 characters, and texts that UTF-8 cannot express, match no pattern.
    """
    return len(text) <= _LONGEST_TEXT and _HALF.search(text) is None and _contains(_anchored(pattern), text)


def _anchored(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _contains(pattern: str, text: str) -> bool:
    return bool(pl.Series([text]).str.contains(pattern)[0])
