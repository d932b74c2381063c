"""Words that resemble a misspelt one: candidates by trigrams, the best of them by the number of edits."""

from __future__ import annotations

from collections.abc import Iterable

_CANDIDATES = 20
_SHORT = 4
"""Letters of a word that is mended by an exchange of two neighbours or one other letter only."""
_TRADED = frozenset(
    {
        *(
            "allowance",
            "allowances",
            "auction",
            "basis",
            "bid",
            "ask",
            "call",
            "calls",
            "carbon",
            "co2",
            "crack",
            "curve",
            "dark",
        ),
        *("emission", "emissions", "eua", "euas", "forward", "forwards", "future", "futures", "margin", "option", "options"),
        *("position", "put", "puts", "rggi", "rin", "rins", "spark", "spread", "spreads", "strip", "swap", "swaps", "ukas"),
        *("uranium", "volatility"),
    }
)
"""Words of the trade, which are spelt right though a store may have none of their series."""
LEAST_SIMILARITY = 0.2
"""Share of common trigrams below which a word is not considered; that of ``pg_trgm`` for the same two words."""


def trigrams(word: str) -> frozenset[str]:
    """Return the trigrams of a word as ``pg_trgm`` cuts them: after two blanks, and before one.

    >>> sorted(trigrams("cat"))
    ['  c', ' ca', 'at ', 'cat']
    """
    padded = f"  {word} "
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of common trigrams, 0 to 1."""
    return len(one & other) / len(one | other)


def similar(word: str, candidates: Iterable[tuple[str, frozenset[str]]]) -> list[str]:
    """Return the candidates with the most common trigrams, at most twenty. ``candidates``: words with their trigrams."""
    own = trigrams(word)
    scored = [(-similarity(own, other), text) for text, other in candidates if not own.isdisjoint(other)]
    return [text for score, text in sorted(scored)[:_CANDIDATES] if -score >= LEAST_SIMILARITY]


def closest(word: str, candidates: Iterable[str], *, count: int = 1) -> list[str]:
    """Return the candidates that are few edits away from a word, fewest first, then by common trigrams and alphabet.

    A word of up to three letters may differ by one edit, of up to seven by two, a longer one by three; its first letter counts
    like any other. Words with digits have no close ones: ``61761`` is not a misspelt ``61762``.

    >>> closest("westren", ["west", "western", "eastern"]), closest("congeston", ["congestion"])
    (['western'], ['congestion'])
    """
    if any(character.isdigit() for character in word):
        return []
    own = trigrams(word)
    most = 1 if len(word) <= 3 else 2 if len(word) <= 7 else 3
    scored = [
        (distance, -similarity(own, trigrams(candidate)), candidate)
        for candidate in set(candidates)
        if abs(len(candidate) - len(word)) <= most and (distance := edits(word, candidate)) <= most
    ]
    return [candidate for _, _, candidate in sorted(scored)[:count]]


def mends(word: str, candidates: Iterable[str], *, count: int = 1) -> list[str]:
    """Return the candidates that a word may be a misspelling of: the close ones, exchanged neighbours before other edits.

    The first letter is right unless it is exchanged with the second. A word of up to four letters has two letters exchanged or
    one letter replaced. Words of the trade are never misspelt.

    >>> mends("laod", ["load", "loan", "lad"]), mends("spark", ["park"]), mends("eua", ["eu"])
    (['load'], [], [])
    """
    if word in _TRADED:
        return []
    close = closest(word, (candidate for candidate in candidates if _may_be_meant(word, candidate)), count=_CANDIDATES)
    return sorted(close, key=lambda candidate: not _is_exchanged(word, candidate))[:count]


def _may_be_meant(word: str, candidate: str) -> bool:
    if _is_exchanged(word, candidate):
        return True
    if word[:1] != candidate[:1]:
        return word[:2] == candidate[1::-1]
    return len(word) > _SHORT or (len(word) == len(candidate) and edits(word, candidate) == 1)


def _is_exchanged(word: str, candidate: str) -> bool:
    """Return whether two neighbouring letters are exchanged, and nothing else differs."""
    return word != candidate and sorted(word) == sorted(candidate) and edits(word, candidate) == 1


def edits(one: str, other: str) -> int:
    """Return the number of insertions, deletions, replacements and exchanges of neighbours that make one word the other.

    >>> edits("westren", "western"), edits("lpm", "lmp"), edits("gas", "gasoline")
    (1, 1, 5)
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, against in enumerate(other, start=1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]
