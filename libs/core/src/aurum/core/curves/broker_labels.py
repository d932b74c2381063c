"""Reads the labels above a column of a broker's workbook (region, location, product, block) by ``broker_labels.toml``.

Spellings are compared without case, blanks and punctuation, and in no other way: a label that the mapping does not have is
never replaced by a similar one. Administrators map further spellings (``with_spellings``); those of the package stay.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.reading_terms import Spelling
from aurum.core.names import nearest

LOCATION = "location"
_SEPARATORS = re.compile(r"[\W_]+")


def folded(label: str) -> str:
    """Return a label as the mapping compares it: ``Great_Britian`` is ``great britian``, ``Off-Peak`` is ``off peak``."""
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFKC", label).casefold()).strip()


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Labels that name no curve. ``why``: the clause for the report. ``header``: that of the unknown label; empty: several."""

    why: str
    header: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of a broker. ``seasons``: name of its family of seasons; empty: it has none."""

    key: CurveKey
    unit: str
    seasons: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The curves of one place and product.

    ``place``: canonical region or market operator. ``kind``: canonical product or market. ``locations``: folded spellings.
    ``blocks``: canonical blocks that it has. ``has_blank_block``: a column without a block is of all hours. ``unit``: of its
    prices, as the product states it. ``seasons``: as in ``Curve``. ``own_words``: canonical blocks by words that mean them here
    and nowhere else: 6x16 is the peak of CAISO. ``ending``: of the area, for its market; empty: it has none.
    """

    place: str
    kind: str
    locations: frozenset[str]
    blocks: frozenset[str]
    has_blank_block: bool
    commodity: str
    area: str
    unit: str
    seasons: str
    own_words: Mapping[str, str]
    ending: str = ""

    def curve(self, block: str, venue: str) -> Curve:
        return Curve(CurveKey(self.commodity, self.area, block, venue), self.unit, self.seasons)


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """How the workbooks of some brokers label their columns.

    ``headers``: names of the label rows, from top to bottom: place, location, kind, block. ``titles``: by header, folded titles
    that a label row may have. ``words``: by header (all but the location), the canonical word of each folded spelling.
    ``wider``: the places within a region of several, such as Europe.
    """

    name: str
    headers: tuple[str, str, str, str]
    titles: Mapping[str, frozenset[str]]
    words: Mapping[str, Mapping[str, str]]
    entries: tuple[Entry, ...]
    wider: Mapping[str, frozenset[str]]

    def curve_of(self, labels: Mapping[str, str], venue: str) -> Curve | Unmapped:
        """Return the curve that the labels of a column name, or why they name none. ``labels``: text by header.

        An empty place or location states nothing: the others decide where they leave one curve. An empty block means all hours
        where the mapping says so.
        """
        place, location, kind, block = self.headers
        words: dict[str, str] = {}
        for header in (place, kind, block):
            label = folded(labels[header])
            word = self.words[header].get(label) if label else ""
            if word is None:
                near = nearest(label, self.words[header], count=2)
                hint = f" (known and similar: {', '.join(map(repr, near))})" if near else ""
                return Unmapped(f"{header} {labels[header]!r} is not in the mapping{hint}", header)
            words[header] = word
        if not words[kind]:
            return Unmapped(f"the column has no {kind}", kind)
        where = folded(labels[location])
        if not where and not words[place]:
            return Unmapped(f"the column has neither {place} nor {location}", place)
        return self._only(words[place], where, words[kind], words[block], labels, venue)

    def _only(self, place: str, where: str, kind: str, block: str, labels: Mapping[str, str], venue: str) -> Curve | Unmapped:
        places = self.wider.get(place, frozenset()) | {place}
        of_kind = [entry for entry in self.entries if entry.kind == kind and (not place or entry.place in places)]
        here = [entry for entry in of_kind if not where or where in entry.locations]
        if not here:
            location = self.headers[1]
            header = location if of_kind and where else ""
            about = f"{location} {labels[location]!r} of " if where else ""
            return Unmapped(f"{about}{' '.join(filter(None, (place, kind)))} is not in the mapping", header)
        if len(here) > 1:
            areas = ", ".join(sorted(entry.area for entry in here)[:5])
            return Unmapped(f"the labels fit several areas ({areas}): {self.headers[0]} or {self.headers[1]} is missing")
        entry = here[0]
        if not block:
            return entry.curve("base", venue) if entry.has_blank_block else Unmapped("the column has no block", self.headers[3])
        block = entry.own_words.get(block, block)
        if block not in entry.blocks:
            return Unmapped(f"{entry.commodity} of {entry.area} has no block {labels[self.headers[3]]!r}", self.headers[3])
        return entry.curve(block, venue)


@dataclass(frozen=True, slots=True)
class Venue:
    """A broker. ``zone``: the clock of the times in its file names. ``tables``: the tables that its workbook should have."""

    name: str
    scheme: Scheme
    zone: str
    tables: tuple[str, ...]


@cache
def venues() -> Mapping[str, Venue]:
    """Return the brokers of ``broker_labels.toml`` by name."""
    with files("aurum.core.curves").joinpath("broker_labels.toml").open("rb") as mapping:
        document = tomllib.load(mapping)
    schemes = {name: _scheme(name, content) for name, content in document["schemes"].items()}
    return {
        name: Venue(name, schemes[content["scheme"]], content["zone"], tuple(content["tables"]))
        for name, content in document["venues"].items()
    }


KINDS = (MappingKind.AREA, MappingKind.LOCATION, MappingKind.PRODUCT, MappingKind.BLOCK)
"""Kinds of the labels of a scheme, in the order of its headers."""


@cache
def schemes() -> Mapping[str, Scheme]:
    """Return the schemes of labels by name."""
    return {venue.scheme.name: venue.scheme for venue in venues().values()}


@lru_cache(maxsize=16)
def with_spellings(scheme: Scheme, spellings: tuple[Spelling, ...]) -> Scheme:
    """Return a scheme that knows further spellings. One that it knows already keeps its meaning."""
    of_scheme = [one for one in spellings if one.scope == scheme.name and one.kind in KINDS]
    if not of_scheme:
        return scheme
    words = {
        header: {one.folded: one.target for one in of_scheme if one.kind is kind} | dict(scheme.words[header])
        for header, kind in zip(scheme.headers, KINDS, strict=True)
        if kind is not MappingKind.LOCATION
    }
    return replace(scheme, words=words, entries=tuple(_spelled(entry, of_scheme) for entry in scheme.entries))


def area_of(entry: Entry) -> str:
    """Return the area of an entry without the ending of its market: day-ahead and real-time prices are of one area."""
    return entry.area.removesuffix(entry.ending) if entry.ending else entry.area


def _spelled(entry: Entry, spellings: Iterable[Spelling]) -> Entry:
    further = {
        one.folded
        for one in spellings
        if (one.kind is MappingKind.LOCATION and one.target == area_of(entry))
        or (one.kind is MappingKind.AREA and one.target == entry.place and folded(entry.place) in entry.locations)
    }
    return replace(entry, locations=entry.locations | further) if further else entry


def _scheme(name: str, content: Mapping[str, Any]) -> Scheme:
    place, location, kind, block = content["headers"]
    words = {header: _spellings(content["words"][header]) for header in (place, kind, block)}
    titles = {header: frozenset({folded(header), *map(folded, content["titles"][header])}) for header in content["headers"]}
    places: Mapping[str, Sequence[str]] = content["words"][place]
    entries: list[Entry] = []
    for group, terms in content["curves"].items():
        # Curves that hold for several markets have a word for each, and an ending of the area.
        for word, ending in terms.get("kinds", {group: ""}).items():
            entries += [
                _entry(
                    word,
                    terms | curve | {"area": curve["area"] + ending, "commodity": group, "ending": ending},
                    content["words"][block],
                    places,
                )
                for curve in terms["areas"]
            ]
    wider = {word: frozenset(members) for word, members in content.get("wider", {}).items()}
    return Scheme(name, (place, location, kind, block), titles, words, tuple(entries), wider)


def _entry(kind: str, curve: Mapping[str, Any], blocks: Iterable[str], places: Mapping[str, Sequence[str]]) -> Entry:
    place = str(curve["at"])
    spellings = [*curve.get("locations", ()), *((place, *places[place]) if curve.get("by_place") else ())]
    own = frozenset(curve["blocks"])
    if unknown := own - set(blocks):
        raise ValueError(f"broker_labels.toml: the blocks {', '.join(sorted(unknown))} of {curve['area']} have no spelling")
    return Entry(
        place=place,
        kind=kind,
        locations=frozenset(map(folded, spellings)),
        blocks=own,
        has_blank_block=bool(curve.get("blank_block")),
        commodity=str(curve["commodity"]),
        area=str(curve["area"]),
        unit=str(curve["unit"]),
        seasons=str(curve.get("seasons", "")),
        own_words=curve.get("own_words", {}),
        ending=str(curve["ending"]),
    )


def _spellings(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the canonical word of each folded spelling. Raises ``ValueError`` for one of two words."""
    known: dict[str, str] = {}
    for word, spellings in words.items():
        for spelling in map(folded, (word, *spellings)):
            if known.setdefault(spelling, word) != word:
                raise ValueError(f"broker_labels.toml: {spelling!r} is a spelling of {known[spelling]} and of {word}")
    return known
