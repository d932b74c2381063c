"""The terms of a query, each a word or a phrase of the alias table, with what a series must have for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from aurum.core.search.aliases import LONGEST, Alias, begun_phrases, segments
from aurum.core.search.condition import Word
from aurum.core.search.words import words_of

MOST_WORDS = 10
SHORTEST_PREFIX = 2
"""Letters of a word that is searched for as the beginning of another."""
LONGEST_SHORT = 3
"""Letters of a short word, which is searched for as a beginning only if nothing has it as a whole."""
_FILLERS = frozenset({"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "per", "the", "to", "vs", "with"})
"""Words that are left out beside others. Not "is" or "me": they are names (Iceland, Maine)."""

Alternative = tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase of a query.

    ``exact``, ``loose``: alternatives. A series must have all words of one; the loose ones also accept words that
    begin with those of the query, and lesser meanings of its phrases. ``names``: the exact alternatives that name a place or a
    series.
    """

    text: str
    exact: tuple[Alternative, ...]
    loose: tuple[Alternative, ...]
    names: tuple[Alternative, ...] = ()
    is_alias: bool = False


def query_words(text: str, aliases: Mapping[tuple[str, ...], Alias]) -> list[str]:
    """Return the distinct words of a query in order, without fillers such as "of" if any other is left.

    A filler within a phrase of the alias table stays: "zone a".
    """
    words = list(dict.fromkeys(words_of(text)))
    phrases = segments(words, aliases)
    return [word for phrase, alias in phrases for word in phrase if alias is not None or word not in _FILLERS] or words


def terms_of(words: Sequence[str], aliases: Mapping[tuple[str, ...], Alias]) -> list[Term]:
    """Return the terms of a query. ``words``: those of ``query_words``, with misspelt ones replaced."""
    return [_term(phrase, alias, begun) for phrase, alias, begun in _parts(words, aliases)]


def free_words(words: Sequence[str], aliases: Mapping[tuple[str, ...], Alias]) -> list[str]:
    """Return the words that are in no phrase of the alias table."""
    return [phrase[0] for phrase, alias, begun in _parts(words, aliases) if alias is None and not begun]


def completing(
    words: Sequence[str], close: Mapping[str, Sequence[str]], aliases: Mapping[tuple[str, ...], Alias]
) -> dict[str, str]:
    """Return, for misspelt words, the close one that makes a phrase of several words complete; others are absent.

    ``close``: words that each misspelt one may be, the closest first.
    """
    complete: dict[str, str] = {}
    for word, nears in close.items():
        for near in nears:
            replaced = [near if one == word else complete.get(one, one) for one in words]
            if any(alias is not None and near in phrase and len(phrase) > 1 for phrase, alias in segments(replaced, aliases)):
                complete[word] = near
                break
    return complete


def spans_of(words: Sequence[str]) -> Collection[tuple[str, ...]]:
    """Return all sequences of neighbouring words."""
    count = len(words)
    return [tuple(words[start:end]) for start in range(count) for end in range(start + 1, count + 1)]


def _parts(
    words: Sequence[str], aliases: Mapping[tuple[str, ...], Alias]
) -> list[tuple[tuple[str, ...], Alias | None, Sequence[Alias]]]:
    """Split words as ``segments`` does; the last ones that only begin phrases of the table are one part, with those phrases."""
    parts: list[tuple[tuple[str, ...], Alias | None, Sequence[Alias]]]
    parts = [(phrase, alias, ()) for phrase, alias in segments(words, aliases)]
    for count in range(min(LONGEST, len(words)), 0, -1):
        last = tuple(words[-count:])
        # Words of a whole phrase are not torn from it.
        free = 0
        while free < len(parts) and parts[-1 - free][1] is None:
            free += 1
        if count <= free and (begun := begun_phrases(last, aliases)):
            return [*parts[: len(parts) - count], (last, None, begun)]
    return parts


def _term(phrase: tuple[str, ...], alias: Alias | None, begun_aliases: Sequence[Alias]) -> Term:
    own = tuple(Word(word) for word in phrase)
    # Of a phrase of the table, a short word is not the beginning of others: "cad" is not "CADO".
    shortest = SHORTEST_PREFIX if alias is None else LONGEST_SHORT + 1
    begun = tuple(Word(word, is_prefix=len(word) >= shortest) for word in phrase)
    meanings = alias.meanings if alias is not None else ()
    lesser = alias.lesser if alias is not None else tuple(meaning for one in begun_aliases for meaning in one.meanings)
    names = alias.names if alias is not None else ()
    if alias is not None and alias.is_exclusive:
        return Term(" ".join(phrase), meanings, (*meanings, *lesser), names, is_alias=True)
    return Term(" ".join(phrase), (own, *meanings), (begun, *meanings, *lesser), names, is_alias=alias is not None)
