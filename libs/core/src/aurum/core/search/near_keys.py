"""Existing keys that resemble a key without a series."""

from __future__ import annotations

from collections.abc import Iterable

from aurum.core.search.near import similarity, trigrams
from aurum.core.search.words import words_of

_MOST = 5
_LEAST_SIMILARITY = 0.3
"""Share of common trigrams below which the key of another source is not suggested."""


def nearest_keys(key: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Return up to five candidates that resemble a key: those of its source first, then by shared words, then by letters.

    >>> nearest_keys("pjm:da_lmp:51288:lmp", ["nyiso:da_lmp:51288:lmp", "pjm:lmps:51217:lmp", "pjm:lmps:51288:lmp"])
    ('pjm:lmps:51288:lmp', 'pjm:lmps:51217:lmp', 'nyiso:da_lmp:51288:lmp')
    """
    own_source, own_words, own_letters = key.partition(":")[0], set(words_of(key)), trigrams(key.casefold())
    scored: list[tuple[bool, int, float, str]] = []
    for candidate in candidates:
        is_same = candidate.partition(":")[0] == own_source
        alike = similarity(own_letters, trigrams(candidate.casefold()))
        if is_same or alike >= _LEAST_SIMILARITY:
            scored.append((not is_same, -len(own_words.intersection(words_of(candidate))), -alike, candidate))
    return tuple(candidate for *_, candidate in sorted(scored)[:_MOST])
