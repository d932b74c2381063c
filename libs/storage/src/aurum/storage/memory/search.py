"""Search of series in memory: groups and words are made from the state at each read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from aurum.core.search.aliases import shipped_aliases
from aurum.core.search.condition import NEVER, holds
from aurum.core.search.groups import IDENTITY, SearchGroup, attributes_of, described, group_words
from aurum.core.search.near import similar, trigrams
from aurum.core.search.ranking import KnownNames, Match
from aurum.core.search.vocabulary import Vocabulary
from aurum.core.search.words import name_words, plain_words
from aurum.core.series.model import Series
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.search import Position


class MemorySearch:
    """``SeriesSearch`` in memory. ``mends``: whether it has trigrams, which a server may lack."""

    def __init__(self, state: MemoryState, *, mends: bool = True) -> None:
        self._state = state
        self._mends = mends

    async def vocabulary(self) -> Vocabulary:
        return Vocabulary(
            [self._group(number, attributes, len(members)) for number, attributes, members in self._groups()], shipped_aliases()
        )

    async def known_names(self, words: Sequence[str], beginnings: Sequence[str]) -> KnownNames:
        names = self._names()
        begun = frozenset(
            beginning for beginning in beginnings if any(name.startswith(beginning) and name != beginning for name in names)
        )
        return KnownNames(names.intersection(words), begun)

    async def resembling_names(self, words: Sequence[str]) -> Mapping[str, Sequence[str]] | None:
        if not self._mends:
            return None
        candidates = [(name, trigrams(name)) for name in plain_words(self._names()) if name.isalpha()]
        return {word: similar(word, candidates) for word in words}

    async def page(self, matches: Sequence[Match], *, after: Position | None, limit: int) -> Sequence[Position]:
        positions = sorted(Position(group.rank, str(series.key)) for group, series in self._matching(matches))
        return [position for position in positions if after is None or position > after][:limit]

    async def counts(self, matches: Sequence[Match]) -> Mapping[int, int]:
        counts: defaultdict[int, int] = defaultdict(int)
        for group, _ in self._matching(matches):
            counts[group.group_id] += 1
        return counts

    def _matching(self, matches: Sequence[Match]) -> Iterator[tuple[SearchGroup, Series]]:
        members = {number: series for number, _, series in self._groups()}
        for match in matches:
            for group in match.groups:
                for series in members[group.group_id]:
                    words = _words(series)
                    if holds(match.condition, words) and (match.excluding == NEVER or not holds(match.excluding, words)):
                        yield group, series

    def _groups(self) -> Iterator[tuple[int, Mapping[str, str], Sequence[Series]]]:
        """Yield number, attributes and series of each group."""
        groups: defaultdict[tuple[str, ...], list[Series]] = defaultdict(list)
        for _, series in sorted(self._state.series.items()):
            groups[attributes_of(series.spec)].append(series)
        for number, (identity, members) in enumerate(sorted(groups.items())):
            yield number, dict(zip(IDENTITY, identity, strict=True)), members

    def _group(self, number: int, attributes: Mapping[str, str], series: int) -> SearchGroup:
        source = self._state.sources.get(attributes["source"])
        about = described(source, self._state.datasets.get((attributes["source"], attributes["dataset"])))
        facets = {name: value for name, value in attributes.items() if name not in ("frequency", "fuel_detail")}
        words = frozenset(group_words(attributes, about))
        return SearchGroup(
            number, **facets, words=words, rank=about.rank(attributes["measure"], attributes["kind"]), series=series
        )

    def _names(self) -> set[str]:
        return set(chain.from_iterable(_words(series) for series in self._state.series.values()))


def _words(series: Series) -> list[str]:
    return name_words(series.key.location, series.spec.location_name)
