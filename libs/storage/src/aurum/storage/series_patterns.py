"""Patterns of series keys, in which ``*`` stands for any text, also for none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

ANY = "*"


def is_pattern(text: str) -> bool:
    """Return whether a text is a pattern, and not a key."""
    return ANY in text


class SeriesPatterns:
    """Keys and patterns, which clients choose. A key is matched in one pass for each pattern, however many ``*`` it has.

    >>> SeriesPatterns(["nyiso:*:lmp"]).matches("nyiso:rt:1:lmp")
    True
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = frozenset(patterns)
        self._keys = frozenset(one for one in patterns if not is_pattern(one))
        self._pieces = [_pieces(one) for one in patterns - self._keys]

    def matches(self, key: str) -> bool:
        """Return whether at least one of the patterns matches the whole key."""
        return key in self._keys or any(_has_pieces(key, *pieces) for pieces in self._pieces)


def _pieces(pattern: str) -> tuple[str, tuple[str, ...], str]:
    """Return the text before the first ``*`` of a pattern, the texts between two, and the text after the last."""
    first, *middle, last = pattern.split(ANY)
    return first, tuple(filter(None, middle)), last


def _has_pieces(key: str, first: str, middle: tuple[str, ...], last: str) -> bool:
    end = len(key) - len(last)
    if end < len(first) or not key.startswith(first) or not key.endswith(last):
        return False
    at = len(first)
    for piece in middle:
        # The earliest place leaves the most text for the next pieces, so no other place has to be tried.
        start = key.find(piece, at, end)
        if start < 0:
            return False
        at = start + len(piece)
    return True


def like(pattern: str) -> str:
    """Return the pattern for LIKE of SQL, with the escape character ``/``.

    >>> like("a_b:*")
    'a/_b:%'
    """
    return re.sub(r"([%_/])", r"/\1", pattern).replace(ANY, "%")


def datasets_of(patterns: Sequence[str]) -> list[tuple[str, str]] | None:
    """Return the datasets whose series the patterns can match; None when a pattern leaves that open.

    >>> datasets_of(["nyiso:rt:*"]), datasets_of(["nyiso:*"])
    ([('nyiso', 'rt')], None)
    """
    datasets: set[tuple[str, str]] = set()
    for pattern in patterns:
        parts = pattern.split(ANY)[0].split(":")
        if len(parts) < 3:
            return None
        datasets.add((parts[0], parts[1]))
    return sorted(datasets)
