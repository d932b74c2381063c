"""Stored terms that readers of files with quotes need: mapped spellings, seasons, sessions and units of broker prices.

Readers are pure, and may run in another process: what administrators stored is passed to them as one value. Without it they
read with the data of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.curves.period_labels import InvalidPeriod
from aurum.core.curves.periods import Period, parse_period
from aurum.core.curves.seasons import SeasonFamily, parse_season_family
from aurum.core.curves.sessions import SessionCalendar, parse_session_calendar
from aurum.core.errors import UnknownName
from aurum.core.units import Unit, parse_unit


@dataclass(frozen=True, slots=True)
class Spelling:
    """A spelling that administrators mapped. ``target``: the canonical word, area, or word of a period."""

    kind: MappingKind
    scope: str
    folded: str
    target: str


@dataclass(frozen=True, slots=True)
class ReadingTerms:
    """The stored terms of one owner of files.

    ``spellings``: mapped ones. ``seasons``, ``sessions``: documents by name, in place of those of the package. ``families``:
    family of seasons by curve key, of products whose terms were edited; None: none. ``factors``: by curve key, the factor from
    the unit that a broker states to that of the product. ``versions``: by curve key, the versions of products without quotes.
    """

    spellings: tuple[Spelling, ...] = ()
    seasons: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    sessions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    families: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    factors: Mapping[str, float] = field(default_factory=dict[str, float])
    versions: Mapping[str, int] = field(default_factory=dict[str, int])

    def family(self, name: str | None) -> SeasonFamily | None:
        """Return a family of seasons, stored or of the package; None for None. Raises ``UnknownName``."""
        if name is None:
            return None
        document = self.seasons.get(name)
        return parse_season_family(name) if document is None else SeasonFamily.from_document(document)

    def session_calendar(self, name: str) -> SessionCalendar:
        """Return a calendar of sessions, stored or of the package. Raises ``UnknownName``."""
        document = self.sessions.get(name)
        return parse_session_calendar(name) if document is None else SessionCalendar.from_document(document)

    def unit(self, text: str) -> Unit:
        """Return the unit that a text names, by the vocabulary or by a mapped spelling. Raises ``UnknownName``."""
        try:
            return parse_unit(text)
        except UnknownName:
            folded = folded_words(text)
            target = next((one.target for one in self.spellings if one.kind is MappingKind.UNIT and one.folded == folded), None)
            if target is None:
                raise
            return parse_unit(target)

    def period(self, text: str, *, seasons: SeasonFamily | None = None, trade_date: date | None = None) -> Period:
        """Return the period that a label names, as ``parse_period`` does; mapped words are tried where it cannot be read.

        Raises ``InvalidPeriod`` about the label as it stands.
        """
        try:
            return parse_period(text, seasons=seasons, trade_date=trade_date)
        except InvalidPeriod as error:
            other = reworded(text, self.spellings)
            if other is None:
                raise
            try:
                return parse_period(other, seasons=seasons, trade_date=trade_date)
            except InvalidPeriod:
                raise error from None


SHIPPED_TERMS = ReadingTerms()
"""The data of the package alone."""


def folded_words(text: str) -> str:
    """Return a word of periods as mappings compare it: without case, blanks joined."""
    return " ".join(text.casefold().split())


def reworded(text: str, spellings: Iterable[Spelling]) -> str | None:
    """Return a label with its mapped words replaced; None where it has none.

    >>> reworded("Kal 26", [Spelling(MappingKind.PERIOD, "*", "kal", "Cal")])
    'Cal 26'
    """
    words = {one.folded: one.target for one in spellings if one.kind is MappingKind.PERIOD}
    if not words:
        return None
    folded = folded_words(text)
    other = _pattern(tuple(sorted(words, key=len, reverse=True))).sub(lambda match: words[match[0]], folded)
    return None if other == folded else other


@lru_cache(maxsize=16)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of whole words: letters do not touch them, digits may, as in ``Kal26``."""
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(map(re.escape, words))})(?![^\W\d_])")
