"""Groups of series: those of one dataset and measure that share market, kind, run, fuel, type of location and step.

A store has a few hundred of them, whatever the number of its series. The words that all series of a group share (source,
dataset, measure, titles, dimensions) are those of the group; a series itself has only the words of its place. So a word that
every series has is looked up in a few hundred groups, and costs nothing by series.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from aurum.core.catalog.dimensions import Fuel, Kind
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.core.markettime import MARKETS
from aurum.core.search.words import words_of
from aurum.core.series.model import SeriesSpec

FACETS = ("source", "dataset", "market", "kind", "measure", "fuel", "location_type", "market_run")
"""The attributes of a group that series are counted and filtered by."""

_PRICES = frozenset({Kind.PRICE, Kind.ANCILLARY_PRICE, Kind.FUEL_PRICE, Kind.FUTURES_PRICE, Kind.AUCTION_PRICE})

IDENTITY = (*FACETS, "fuel_detail", "frequency")
"""The attributes that make a group."""

_FUELS = frozenset(fuel.value for fuel in Fuel if "_" not in fuel.value)
GROUP_EDITION = "2"
"""Changes with the words that groups have besides their declarations: all groups are then described anew."""

_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "5min": "5min 5 min minute",
        "15min": "15min 15 min minute",
        "30min": "30min 30 min minute",
        "1h": "1h hourly",
        "1d": "1d daily",
        "1w": "1w weekly",
        "1mo": "1mo monthly",
        "1q": "1q quarterly",
        "1y": "1y annual yearly",
    }
)
"""Words by step."""


@dataclass(frozen=True, slots=True)
class SearchGroup:
    """A group of series. Attributes without a value are empty. ``words``: of the group, one word ``field:value`` for each
    attribute with a value, and ``in_measure:word`` for each word of its measure. ``rank``: place in the order of results.
    ``series``: their number.
    """

    group_id: int
    source: str
    dataset: str
    measure: str
    market: str
    kind: str
    market_run: str
    fuel: str
    location_type: str
    words: frozenset[str]
    rank: int
    series: int

    @property
    def run(self) -> tuple[int, str]:
        """The place of its series among those of other groups: by rank, then by the beginning of the key."""
        return self.rank, f"{self.source}:{self.dataset}:"


@dataclass(frozen=True, slots=True)
class Described:
    """The declared descriptions of a dataset.

    ``measures``: titles by name. ``details``: measures that detail another one, such as the components of a price. ``order``: 0
    for a main dataset of its source, higher for other exports and copies of the same numbers.
    """

    titles: tuple[str, ...] = ()
    measures: Mapping[str, str] = field(default_factory=dict[str, str])
    details: frozenset[str] = frozenset()
    order: int = 0

    def rank(self, measure: str, kind: str) -> int:
        """Return the place of a measure in the order of results.

        Totals of prices come first, then other quantities, then details; in each, main datasets before others.
        """
        by_kind = 2 if measure in self.details else 0 if kind in _PRICES else 1
        return 100 * by_kind + min(self.order, 99)


def described(source: SourceEntry | None, dataset: DatasetEntry | None) -> Described:
    """Return the descriptions of a dataset as its source declares them; without a declaration, none."""
    if dataset is None:
        return Described()
    titles = (dataset.title, source.title if source is not None else "")
    measures = {measure["name"]: measure.get("title", "") for measure in dataset.measures}
    return Described(titles, measures, frozenset(dataset.details), dataset.order)


def attributes_of(spec: SeriesSpec) -> tuple[str, ...]:
    """Return the attributes of the group of a series, in the order of ``IDENTITY``; empty ones for those without a value."""
    key = spec.key
    return (
        key.source,
        key.dataset,
        spec.market or "",
        spec.kind or "",
        key.measure,
        spec.fuel or "",
        spec.location_type,
        spec.market_run or "",
        spec.fuel_detail or "",
        str(spec.frequency),
    )


def group_words(attributes: Mapping[str, str], described: Described) -> list[str]:
    """Return the words of a group, ascending.

    ``attributes``: values by field; empty ones are left out. Besides ``FACETS`` they may hold ``frequency`` and
    ``fuel_detail``.
    """
    present = {name: value for name, value in attributes.items() if value}
    own = _words(value for name, value in present.items() if name != "frequency")
    market = MARKETS.get(attributes.get("market", ""))
    texts = [described.measures.get(attributes.get("measure", ""), ""), market.title if market else ""]
    texts.append(_STEPS.get(attributes.get("frequency", ""), ""))
    of_titles = set(_words(described.titles))
    if "fuel" in present:
        # "Wind and solar forecast" does not make the wind forecast one of solar.
        of_titles -= _FUELS
    fields = (f"{name}:{_value(value)}" for name, value in present.items())
    of_measure = (f"in_measure:{word}" for word in words_of(attributes.get("measure", "")))
    return sorted({*fields, *of_measure, *own, *of_titles, *_words(texts)})


def _value(text: str) -> str:
    return text.lower().replace(" ", "_")


def _words(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield from words_of(text)
