"""The alias table: other names of places, markets, measures and series, and what they stand for (``aliases.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aurum.core.errors import Invalid
from aurum.core.search.condition import Word
from aurum.core.search.words import words_of

LONGEST = 5
"""Words of the longest phrase."""
_BEGINNING = 3
"""Letters of a word that is the beginning of the last word of a phrase."""


class InvalidAlias(Invalid):
    """An entry of the alias table that means nothing. Facts: ``phrase``."""

    def __init__(self, phrase: str, why: str) -> None:
        super().__init__(f"alias {phrase!r}: {why}", phrase=phrase)


@dataclass(frozen=True, slots=True)
class Alias:
    """A phrase and what it stands for: any of ``meanings``. A series must have all words of one.

    ``lesser``: what it also stands for, found after all of ``meanings``. ``is_exclusive``: the words of the phrase are not
    searched for themselves.
    """

    phrase: tuple[str, ...]
    meanings: tuple[tuple[Word, ...], ...]
    is_exclusive: bool = False
    lesser: tuple[tuple[Word, ...], ...] = ()

    @property
    def names(self) -> tuple[tuple[Word, ...], ...]:
        """The meanings that name a place or a series: a whole name, or a word of names of one source."""
        return tuple(meaning for meaning in self.meanings if _is_name(meaning))


def parse_aliases(text: str) -> Mapping[tuple[str, ...], Alias]:
    """Return the aliases of a TOML document by the words of their phrase. A phrase in several entries has all their meanings.

    Raises ``InvalidAlias`` for a phrase without words or of more than five, and for an entry without a meaning.
    """
    aliases: dict[tuple[str, ...], Alias] = {}
    for entry in tomllib.loads(text)["alias"]:
        meanings = tuple(tuple(Word(word) for word in meaning.split()) for meaning in entry["means"])
        lesser = tuple(tuple(Word(word) for word in meaning.split()) for meaning in entry.get("lesser", []))
        for phrase in entry["phrases"]:
            words = tuple(words_of(phrase))
            if not words or len(words) > LONGEST:
                raise InvalidAlias(phrase, f"has {len(words)} words instead of 1 to {LONGEST}")
            if not meanings or not all((*meanings, *lesser)):
                raise InvalidAlias(phrase, "stands for nothing")
            before = aliases.get(words)
            exclusive = entry.get("exclusive", False)
            if before is not None:
                meanings_of = tuple(dict.fromkeys((*before.meanings, *meanings)))
                lesser_of = tuple(dict.fromkeys((*before.lesser, *lesser)))
                aliases[words] = Alias(words, meanings_of, before.is_exclusive and exclusive, lesser_of)
            else:
                aliases[words] = Alias(words, meanings, exclusive, lesser)
    return aliases


@cache
def shipped_aliases() -> Mapping[tuple[str, ...], Alias]:
    """Return the aliases that Aurum ships, by the words of their phrase."""
    return parse_aliases(files("aurum.core.search").joinpath("aliases.toml").read_text("utf-8"))


def segments(words: Sequence[str], aliases: Mapping[tuple[str, ...], Alias]) -> list[tuple[tuple[str, ...], Alias | None]]:
    """Split words into phrases of the table and single words; at each place the longest phrase counts."""
    split: list[tuple[tuple[str, ...], Alias | None]] = []
    place = 0
    while place < len(words):
        lengths = range(min(LONGEST, len(words) - place), 0, -1)
        phrases = (tuple(words[place : place + length]) for length in lengths)
        phrase = next((phrase for phrase in phrases if phrase in aliases), (words[place],))
        split.append((phrase, aliases.get(phrase)))
        place += len(phrase)
    return split


def begun_phrases(words: Sequence[str], aliases: Mapping[tuple[str, ...], Alias]) -> Sequence[Alias]:
    """Return the aliases whose phrases are these words with a longer last one: ``long island`` for ``long isl``.

    The last word needs three letters, and a phrase of one word five.
    """
    *first, last = words
    if len(last) < (_BEGINNING if first else _BEGINNING + 2):
        return []
    start = tuple(first)
    return [
        alias
        for phrase, alias in aliases.items()
        if len(phrase) == len(words) and phrase[:-1] == start and phrase[-1].startswith(last) and phrase[-1] != last
    ]


def _is_name(meaning: Sequence[Word]) -> bool:
    texts = [word.text for word in meaning]
    is_of_source = any(text.startswith(("source:", "dataset:")) for text in texts)
    return any(text.startswith("=") or (is_of_source and ":" not in text) for text in texts)
