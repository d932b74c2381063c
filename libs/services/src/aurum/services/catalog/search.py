"""Search of series by words: mends and reads the words of a query, fills pages in the order of ``core.search.ranking``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from aurum.core.errors import InvalidParameters
from aurum.core.search.aliases import segments, shipped_aliases
from aurum.core.search.condition import Word
from aurum.core.search.groups import FACETS
from aurum.core.search.query import MOST_WORDS, Term, completing, free_words, query_words, spans_of, terms_of
from aurum.core.search.ranking import KnownNames, Step, all_terms, order, steps_of
from aurum.core.search.vocabulary import Vocabulary
from aurum.core.search.words import whole
from aurum.core.series.model import Series
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.search import Position, SeriesSearch

_SUGGESTIONS = 5
_CLOSE = 20
"""Words that are compared to mend one, the closest first."""


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """A search. ``filters``: values by the names of ``FACETS``; a series must have all of them.

    ``facets``: attributes to count the series by. ``only_all``: only series that have all words.
    """

    text: str
    filters: Mapping[str, str] = field(default_factory=dict[str, str])
    facets: Collection[str] = ()
    only_all: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A series that was found. ``terms``: how many words and phrases of the query it has. ``by``: as in ``ranking.Step``."""

    series: Series
    terms: int
    by: str


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a result in the list: its step and its position there."""

    terms: int
    by: str
    position: Position


@dataclass(frozen=True, slots=True)
class Reading:
    """How a word or phrase of the query was read.

    ``read_as``: the words that were searched for; empty for a word that nothing has. ``how``: ``word``, ``alias``, ``mended``
    or ``unknown``.
    """

    text: str
    read_as: str
    how: str


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A page of results. ``after``: the place after which the next page begins; None on the last.

    ``terms``: number of words and phrases searched for. ``mends``: whether misspelt words can be mended in this store; None
    when all words were known. ``suggestions``: known words that are close to those of a query without results. ``facets``:
    numbers of series by value, of the series with all words, or if there are none of those with the most; ``total``: their
    number. Both are None unless facets were requested.
    """

    hits: Sequence[Hit]
    after: Place | None
    terms: int
    readings: Sequence[Reading]
    mends: bool | None
    suggestions: Sequence[str]
    facets: Mapping[str, Mapping[str, int]] | None
    total: int | None


@dataclass(frozen=True, slots=True)
class _Query:
    """The words of a query after mending, and what is known of them."""

    words: Sequence[str]
    terms: Sequence[Term]
    names: KnownNames
    readings: Sequence[Reading]
    mends: bool | None


async def search_series(
    catalog: Catalog, search: SeriesSearch, question: SearchQuestion, *, after: Place | None = None, limit: int
) -> SearchAnswer:
    """Return up to ``limit`` series that match a search, the best first.

    Raises ``InvalidParameters`` for a text without words or with more than ten, and for an unknown facet.
    """
    words = _checked_words(question)
    vocabulary = await search.vocabulary()
    query = await _read(search, vocabulary, words)
    within = vocabulary.matching(question.filters)
    steps = list(steps_of(query.terms, query.words, vocabulary, query.names, within))
    if question.only_all:
        steps = [step for step in steps if step.terms == len(query.terms)]
    places = await _page(search, steps, after, limit + 1)
    shown = places[:limit]
    by_key = await catalog.series_by_key([place.position.key for place in shown])
    hits = [Hit(by_key[place.position.key], place.terms, place.by) for place in shown if place.position.key in by_key]
    facets = total = None
    if question.facets:
        most = places[0].terms if places and after is None else len(query.terms)
        facets, total = await _facets(search, vocabulary, query, within, question.facets, most=most)
    return SearchAnswer(
        hits,
        shown[-1] if len(places) > limit else None,
        len(query.terms),
        query.readings,
        query.mends,
        await _suggestions(search, vocabulary, words) if not places and after is None else (),
        facets,
        total,
    )


def _checked_words(question: SearchQuestion) -> list[str]:
    if unknown := next((name for name in question.facets if name not in FACETS), None):
        raise InvalidParameters(("facets", f"must be any of {', '.join(FACETS)}", unknown))
    words = query_words(question.text, shipped_aliases())
    if not words:
        raise InvalidParameters(("q", "has no letter or digit to search for", question.text))
    if len(words) > MOST_WORDS:
        raise InvalidParameters(("q", f"has {len(words)} words; a search takes up to {MOST_WORDS}", question.text))
    return words


async def _read(search: SeriesSearch, vocabulary: Vocabulary, words: Sequence[str]) -> _Query:
    names = await _known(search, vocabulary, words)
    unknown = [word for word in free_words(words, vocabulary.aliases) if not _is_known(word, vocabulary, names)]
    if not unknown:
        terms = terms_of(words, vocabulary.aliases)
        return _Query(words, terms, names, [_reading(term) for term in terms], None)
    resembling = await search.resembling_names(unknown)
    mended = {} if resembling is None else await _mended(search, vocabulary, words, unknown, resembling)
    replaced = [mended.get(word, "") if word in unknown else word for word in words]
    known = list(dict.fromkeys(word for word in replaced if word))
    terms = terms_of(known, vocabulary.aliases)
    repairs = [
        Reading(word, mended.get(word, ""), "mended" if word in mended else "unknown")
        for word in unknown
        if mended.get(word) != word
    ]
    names = await _known(search, vocabulary, known) if known else names
    return _Query(known, terms, names, [*map(_reading, terms), *repairs], resembling is not None)


async def _mended(
    search: SeriesSearch,
    vocabulary: Vocabulary,
    words: Sequence[str],
    unknown: Sequence[str],
    resembling: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """Return the words that take the place of unknown ones; words that nothing resembles are absent.

    A word that only phrases of the alias table have, which may be the word itself, is used only where it completes a phrase.
    """
    close = {word: vocabulary.mends(word, resembling[word], count=_CLOSE) for word in unknown}
    names = await search.known_names(sorted(set(chain.from_iterable(close.values()))), [])
    nearest = {word: next(iter(close[word]), word) for word in unknown} | completing(words, close, vocabulary.aliases)
    phrases = segments([nearest.get(word, word) for word in words], vocabulary.aliases)
    completed = set(chain.from_iterable(phrase for phrase, alias in phrases if alias is not None))
    mended: dict[str, str] = {}
    for word in unknown:
        had = (near for near in close[word] if near != word and (vocabulary.having(Word(near)) or near in names.words))
        if near := nearest[word] if nearest[word] in completed else next(had, ""):
            mended[word] = near
    return mended


async def _known(search: SeriesSearch, vocabulary: Vocabulary, words: Sequence[str]) -> KnownNames:
    """Look up all words that conditions on names may have: those of the query, whole names, those that aliases stand for."""
    terms = terms_of(words, vocabulary.aliases)
    alternatives = [alternative for term in terms for alternative in (*term.exact, *term.loose)]
    wanted = {word.text for alternative in alternatives for word in alternative if ":" not in word.text}
    wanted |= {whole(span) for span in spans_of(words)}
    beginnings = {word.text for term in terms for alternative in term.loose for word in alternative if word.is_prefix}
    return await search.known_names(sorted(wanted), sorted(beginnings))


def _is_known(word: str, vocabulary: Vocabulary, names: KnownNames) -> bool:
    begins = Word(word, is_prefix=True)
    return bool(vocabulary.having(begins)) or word in names.words or word in names.beginnings


def _reading(term: Term) -> Reading:
    if not term.is_alias:
        return Reading(term.text, term.text, "word")
    meanings = dict.fromkeys(" ".join(word.text for word in meaning) for meaning in term.exact)
    return Reading(term.text, " or ".join(meanings), "alias")


async def _page(search: SeriesSearch, steps: Sequence[Step], after: Place | None, limit: int) -> list[Place]:
    """Return the places after one, or the first. The step of ``after`` may be gone since the catalog has changed."""
    places: list[Place] = []
    for step in steps:
        position = None
        if after is not None:
            here, there = order(step.terms, step.by), order(after.terms, after.by)
            if here < there:
                continue
            position = after.position if here == there else None
        positions = await search.page(step.matches, after=position, limit=limit - len(places))
        places += [Place(step.terms, step.by, one) for one in positions]
        if len(places) >= limit:
            break
    return places


async def _facets(
    search: SeriesSearch, vocabulary: Vocabulary, query: _Query, within: int, names: Collection[str], *, most: int
) -> tuple[Mapping[str, Mapping[str, int]], int]:
    """Return the numbers of series by value, the greatest first, and their sum. ``most``: no series has more terms."""
    counts: Mapping[int, int] = {}
    for least in range(most, 0, -1):
        counts = await search.counts(all_terms(query.terms, vocabulary, query.names, within, least=least))
        if counts:
            break
    facets: dict[str, Mapping[str, int]] = {}
    for name in FACETS:
        if name in names:
            by_value: Counter[str] = Counter()
            for group in vocabulary.groups:
                by_value[getattr(group, name)] += counts.get(group.group_id, 0)
            ordered = sorted(by_value.items(), key=lambda item: (-item[1], item[0]))
            facets[name] = {value: count for value, count in ordered if value and count}
    return facets, sum(counts.values())


async def _suggestions(search: SeriesSearch, vocabulary: Vocabulary, words: Sequence[str]) -> list[str]:
    resembling = await search.resembling_names(words)
    if resembling is None:
        return []
    close = [near for word in words for near in vocabulary.closest(word, resembling[word], count=_SUGGESTIONS) if near != word]
    return list(dict.fromkeys(close))[:_SUGGESTIONS]
