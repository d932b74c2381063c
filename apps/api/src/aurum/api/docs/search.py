"""Search over the portal: an entry must have all words, those in titles count most. Series come from their own search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from aurum.core.errors import InvalidParameters
from aurum.core.series.model import Series
from aurum.services.catalog import SearchQuestion, search_series
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.search import SeriesSearch

Kind = Literal["operation", "guide", "problem", "series"]

_WORD = re.compile(r"[\w-]+")
_MOST = 20
_AROUND = 70
"""Characters of an excerpt before the first word; after it there are twice as many."""


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """An entry of the search. ``name``: its other name, such as a path. ``text``: its prose."""

    kind: Kind
    title: str
    url: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that matches a search. ``excerpt``: its text around the first word."""

    entry: SearchEntry
    excerpt: str


def search(entries: Sequence[SearchEntry], query: str, *, most: int = _MOST) -> list[Hit]:
    """Return the matching entries, the best first and equal ones in their own order; none for a query without words."""
    words = _WORD.findall(query.lower())
    if not words:
        return []
    scored = [(_score(entry, words), place) for place, entry in enumerate(entries)]
    best = sorted((-score, place) for score, place in scored if score)
    return [Hit(entries[place], _excerpt(entries[place].text, words)) for _, place in best[:most]]


async def series_hits(catalog: Catalog, search: SeriesSearch, query: str, *, most: int) -> list[Hit]:
    """Return the series that have all words, the best first; none for a query that is not one of series."""
    try:
        answer = await search_series(catalog, search, SearchQuestion(query, only_all=True), limit=most)
    except InvalidParameters:
        return []
    return [_series_hit(hit.series) for hit in answer.hits]


def _series_hit(series: Series) -> Hit:
    spec = series.spec
    title = " · ".join(filter(None, (spec.location_name or spec.key.location, spec.key.measure, spec.key.dataset)))
    return Hit(SearchEntry("series", title, f"/v2/series/{quote(str(spec.key))}", str(spec.key), spec.unit), spec.unit)


def _score(entry: SearchEntry, words: Sequence[str]) -> int:
    """Return how well an entry matches: 0 unless it has each word."""
    title, name, text = entry.title.lower(), entry.name.lower(), entry.text.lower()
    total = 0
    for word in words:
        in_title = 16 if re.search(rf"\b{re.escape(word)}", title) else 8 if word in title else 0
        score = in_title + 4 * (word in name) + (word in text)
        if not score:
            return 0
        total += score
    return total


def _excerpt(text: str, words: Sequence[str]) -> str:
    lower = text.lower()
    first = min((place for word in words if (place := lower.find(word)) >= 0), default=0)
    start, end = max(0, first - _AROUND), first + 2 * _AROUND
    start = text.find(" ", start, first) + 1 if start else 0
    end = text.rfind(" ", first, end) if end < len(text) else len(text)
    return ("…" if start else "") + " ".join(text[start:end].split()) + ("…" if end < len(text) else "")
