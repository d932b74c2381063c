"""Search of series: groups of series with their words, the words of names of places, and pages of matching series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aurum.core.search.ranking import KnownNames, Match
    from aurum.core.search.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The place of a series among equally good results. ``rank``: of its group."""

    rank: int
    key: str


class SeriesSearch(Protocol):
    """Reads of a search. ``core.search`` has the words, the conditions and the order.

    A series that an older release has stored is added at the first read after it.
    """

    async def vocabulary(self) -> Vocabulary:
        """Return the groups that have series, with their words and the alias table."""
        ...

    async def known_names(self, words: Sequence[str], beginnings: Sequence[str]) -> KnownNames:
        """Return which words a name of a place has, and with which beginnings a longer word of a name begins."""
        ...

    async def resembling_names(self, words: Sequence[str]) -> Mapping[str, Sequence[str]] | None:
        """Return, for each word, the words of names that share the most trigrams with it, at most twenty.

        None when the store cannot tell, because its server has no trigrams.
        """
        ...

    async def page(self, matches: Sequence[Match], *, after: Position | None, limit: int) -> Sequence[Position]:
        """Return matching series, ascending by position."""
        ...

    async def counts(self, matches: Sequence[Match]) -> Mapping[int, int]:
        """Return the number of matching series of each group, by its id; groups without one are absent."""
        ...
