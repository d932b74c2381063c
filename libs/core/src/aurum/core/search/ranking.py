"""The order of results: conditions for each place in it, the best first.

1. all terms as whole words, and the query holds the whole name of a place, its id, or an alias of it (what a phrase of the
   alias table stands for counts, not a place that happens to have the phrase as its name);
2. all terms, as whole words;
3. all terms, some of them as beginnings of words, or as what a phrase means less often;
4. all terms but one, then all but two, and so on to one term, each in the order of 1 to 3.

A word of up to three letters is the beginning of others only if nothing has it as a whole word.

Within each of these: totals of prices, then other quantities, then details such as the components of prices; a source's main
datasets before its other exports and before copies of other sources' numbers; then the key. A
misspelt word has been replaced before, so a result by resemblance never stands before one that has the word itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from aurum.core.search.condition import ALWAYS, NEVER, Condition, Word, all_of, any_of
from aurum.core.search.groups import SearchGroup
from aurum.core.search.query import LONGEST_SHORT, Alternative, Term, spans_of
from aurum.core.search.vocabulary import Vocabulary
from aurum.core.search.words import whole

NAME, WORDS, BEGINNINGS = "name", "words", "beginnings"


@dataclass(frozen=True, slots=True)
class Match:
    """The series of some groups whose names satisfy a condition, and not another one."""

    groups: tuple[SearchGroup, ...]
    condition: Condition
    excluding: Condition = NEVER


@dataclass(frozen=True, slots=True)
class Step:
    """Results that are equally good. ``terms``: number of terms that they have. ``by``: NAME, WORDS or BEGINNINGS."""

    matches: tuple[Match, ...]
    terms: int
    by: str


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The words of a query that names of places have.

    ``words``: words that a name has, whole names included. ``beginnings``: words with which a longer word of a name begins.
    """

    words: Collection[str]
    beginnings: Collection[str]

    def condition(self, word: Word) -> Condition:
        """Return the simplest condition for a word, which never holds if no name has it."""
        if word.is_prefix and word.text in self.beginnings:
            return word
        return Word(word.text) if word.text in self.words else NEVER


def order(terms: int, by: str) -> tuple[int, int]:
    """Return a key that sorts steps, the best first. ``terms``, ``by``: as in ``Step``.

    >>> order(2, WORDS) < order(2, BEGINNINGS) < order(1, NAME)
    True
    """
    return -terms, (NAME, WORDS, BEGINNINGS).index(by)


def steps_of(
    terms: Sequence[Term], words: Sequence[str], vocabulary: Vocabulary, names: KnownNames, within: int
) -> Iterator[Step]:
    """Yield the steps of a search, the best first; steps without any possible result are left out.

    ``words``: of the query. ``within``: the set of groups that the filters leave.
    """
    if not terms:
        return
    terms = _without_short_beginnings(terms, vocabulary, names)
    phrases = {term.text for term in terms if term.is_alias}
    spans = [span for span in spans_of(words) if " ".join(span) not in phrases]
    whole_names = [Word(whole(span)) for span in spans if whole(span) in names.words]
    classes = [_Class(terms, held, groups, whole_names, names) for groups, held in _classes(terms, vocabulary, within)]
    places = [(count, by) for count in range(len(terms), 0, -1) for by in (NAME, WORDS, BEGINNINGS)]
    for count, by in places:
        matches = tuple(
            Match(tuple(vocabulary.members(one.groups)), *conditions)
            for one in classes
            if (conditions := one.next(count, by)) is not None
        )
        if matches:
            yield Step(matches, count, by)


def all_terms(terms: Sequence[Term], vocabulary: Vocabulary, names: KnownNames, within: int, *, least: int) -> list[Match]:
    """Return the series that have at least ``least`` terms, in one set of matches, for counting."""
    terms = _without_short_beginnings(terms, vocabulary, names)
    classes = [_Class(terms, held, groups, (), names) for groups, held in _classes(terms, vocabulary, within)]
    return [
        Match(tuple(vocabulary.members(one.groups)), condition)
        for one in classes
        if (condition := one.at_least(least)) != NEVER
    ]


def _without_short_beginnings(terms: Sequence[Term], vocabulary: Vocabulary, names: KnownNames) -> list[Term]:
    """Return the terms in which short words that something has as a whole are no longer beginnings."""

    def whole_if_known(word: Word) -> Word:
        is_short = word.is_prefix and len(word.text) <= LONGEST_SHORT
        return Word(word.text) if is_short and (word.text in names.words or vocabulary.having(Word(word.text))) else word

    return [replace(term, loose=tuple(tuple(map(whole_if_known, words)) for words in term.loose)) for term in terms]


def _classes(terms: Sequence[Term], vocabulary: Vocabulary, within: int) -> Iterator[tuple[int, frozenset[Word]]]:
    """Yield disjoint sets of groups that have the same of the terms' words, with those words."""
    words = {word for term in terms for alternative in (*term.exact, *term.loose) for word in alternative}
    classes: list[tuple[int, frozenset[Word]]] = [(within, frozenset())] if within else []
    for word in words:
        having = vocabulary.having(word) & within
        if not having:
            continue
        split = [(groups & having, held | {word}) for groups, held in classes]
        split += [(groups & ~having, held) for groups, held in classes]
        classes = [(groups, held) for groups, held in split if groups]
    yield from classes


class _Class:
    """Groups that have the same of the terms' words, and the conditions on the names of their series."""

    def __init__(
        self, terms: Sequence[Term], held: frozenset[Word], groups: int, whole_names: Sequence[Word], names: KnownNames
    ) -> None:
        self.groups = groups
        self._held = held
        self._known = names
        self._exact = [self._condition(term.exact) for term in terms]
        self._loose = [self._condition(term.loose) for term in terms]
        self._name = any_of([*whole_names, *(self._condition(term.names) for term in terms)])
        self._more: Condition = NEVER
        self._before: Condition = NEVER

    def next(self, count: int, by: str) -> tuple[Condition, Condition] | None:
        """Return the condition of the next step and that of all before; None if nothing is new."""
        if by == BEGINNINGS:
            condition = self.at_least(count)
        else:
            condition = _at_least(count, self._exact)
            condition = all_of([condition, self._name]) if by == NAME else condition
        before = any_of([self._more, self._before])
        is_new = condition not in (NEVER, self._more, self._before) and before != ALWAYS
        # The beginnings include the words, and those the names.
        self._more, self._before = (condition, NEVER) if by == BEGINNINGS else (self._more, condition)
        return (condition, before) if is_new else None

    def at_least(self, count: int) -> Condition:
        """Return the condition that a series has at least ``count`` terms, some as beginnings of words."""
        return _at_least(count, self._loose)

    def _condition(self, alternatives: Sequence[Alternative]) -> Condition:
        return any_of(all_of(self._word(word) for word in alternative) for alternative in alternatives)

    def _word(self, word: Word) -> Condition:
        return ALWAYS if word in self._held else self._known.condition(word)


def _at_least(count: int, conditions: Sequence[Condition]) -> Condition:
    """Return the condition that at least ``count`` of some conditions hold."""
    open_ones = [condition for condition in conditions if condition not in (ALWAYS, NEVER)]
    missing = count - sum(condition == ALWAYS for condition in conditions)
    if missing <= 0:
        return ALWAYS
    return any_of(all_of(some) for some in combinations(open_ones, missing))
