"""Suggestions for a name that is not valid."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str], *, count: int = 5) -> tuple[str, ...]:
    """Return up to ``count`` candidates that are similar to a name, closest first, ignoring case.

    >>> nearest("on_peek", ["ON_PEAK", "OFF_PEAK", "7x8"], count=2)
    ('ON_PEAK', 'OFF_PEAK')
    """
    by_folded: dict[str, dict[str, None]] = {}
    for candidate in candidates:
        by_folded.setdefault(candidate.casefold(), {})[candidate] = None
    close = difflib.get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.5)
    return tuple(candidate for folded in close for candidate in by_folded[folded])[:count]
