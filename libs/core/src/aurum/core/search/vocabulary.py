"""The words of all groups of series, for look-ups by word, by the beginning of a word, and by resemblance."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from aurum.core.catalog.dimensions import location_type_as_compared
from aurum.core.search.aliases import Alias
from aurum.core.search.condition import Word
from aurum.core.search.groups import FACETS, SearchGroup
from aurum.core.search.near import closest, mends, similar, trigrams


class Vocabulary:
    """Groups of series by their words. A set of groups is a number, whose bit n stands for ``groups[n]``."""

    def __init__(self, groups: Sequence[SearchGroup], aliases: Mapping[tuple[str, ...], Alias]) -> None:
        self.groups = groups
        self.aliases = aliases
        self.everything = (1 << len(groups)) - 1
        masks: defaultdict[str, int] = defaultdict(int)
        for place, group in enumerate(groups):
            bit = 1 << place
            for word in group.words:
                masks[word] |= bit
        self._masks = dict(masks)
        self._words = sorted(word for word in masks if ":" not in word)

    def having(self, word: Word) -> int:
        """Return the groups that have a word."""
        if not word.is_prefix:
            return self._masks.get(word.text, 0)
        groups = 0
        for place in range(bisect_left(self._words, word.text), len(self._words)):
            if not self._words[place].startswith(word.text):
                break
            groups |= self._masks[self._words[place]]
        return groups

    def matching(self, filters: Mapping[str, str]) -> int:
        """Return the groups whose attributes have the values of all filters, whose names are among ``FACETS``."""
        groups = self.everything
        for name, value in filters.items():
            assert name in FACETS, name
            groups &= sum(1 << place for place, group in enumerate(self.groups) if _has(group, name, value))
        return groups

    def members(self, groups: int) -> Iterator[SearchGroup]:
        """Yield the groups of a set."""
        while groups:
            lowest = groups & -groups
            yield self.groups[lowest.bit_length() - 1]
            groups ^= lowest

    def resembling(self, word: str) -> list[str]:
        """Return the words of groups and of the alias table that share the most trigrams with a word."""
        return similar(word, self._trigrams)

    def closest(self, word: str, names: Sequence[str], *, count: int = 1) -> list[str]:
        """Return the words that are few edits away from a word. ``names``: words of names of places that resemble it."""
        return closest(word, self._resembling(word, names), count=count)

    def mends(self, word: str, names: Sequence[str], *, count: int = 1) -> list[str]:
        """Return the words that a word may be a misspelling of, as ``near.mends`` says. ``names``: as for ``closest``."""
        return mends(word, self._resembling(word, names), count=count)

    def _resembling(self, word: str, names: Sequence[str]) -> Iterable[str]:
        # A short word with two letters exchanged has hardly a trigram in common with the right one.
        exchanged = self._by_letters.get("".join(sorted(word)), [])
        return chain(self.resembling(word), exchanged, names)

    @cached_property
    def _all_words(self) -> list[str]:
        return sorted({*self._words, *chain.from_iterable(self.aliases)})

    @cached_property
    def _trigrams(self) -> list[tuple[str, frozenset[str]]]:
        return [(word, trigrams(word)) for word in self._all_words]

    @cached_property
    def _by_letters(self) -> dict[str, list[str]]:
        """Words by their letters in order of the alphabet."""
        words: defaultdict[str, list[str]] = defaultdict(list)
        for word in self._all_words:
            words["".join(sorted(word))].append(word)
        return dict(words)


def _has(group: SearchGroup, name: str, value: str) -> bool:
    own: str = getattr(group, name)
    return location_type_as_compared(own) == location_type_as_compared(value) if name == "location_type" else own == value
