"""Shortens the reasons of refusals: a reason may quote a file, and a file may hold cells of any length."""

from __future__ import annotations

import re

_LONGEST = 800
"""Characters of a reason."""
_LONG_WORD = re.compile(r"\S{121,}")


def brief(reason: str) -> str:
    """Return a reason of at most about 800 characters, with words of more than 120 cut."""
    if len(reason) > 4 * _LONGEST:
        reason = reason[: 4 * _LONGEST]
    reason = _LONG_WORD.sub(lambda word: f"{word[0][:80]}... ({len(word[0])} characters)", reason)
    return reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}..."
