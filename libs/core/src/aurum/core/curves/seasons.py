"""Families of seasons: the months that the labels of seasons mean, which differ between markets. Data, not code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from aurum.core.curves.documents import Document
from aurum.core.errors import UnknownName
from aurum.core.names import nearest

_MONTHS_OF_YEAR = 12


@dataclass(frozen=True, slots=True)
class Season:
    """A season: ``months`` whole months from ``first_month`` (1..12) of the year of its label. ``aliases``: other spellings."""

    name: str
    first_month: int
    months: int
    aliases: tuple[str, ...] = ()

    def span(self, year: int) -> tuple[date, date]:
        """Return first delivery day and end of the season whose label has a year.

        >>> Season("Win", 10, 6).span(2025)
        (datetime.date(2025, 10, 1), datetime.date(2026, 4, 1))
        """
        later, month = divmod(self.first_month + self.months - 1, _MONTHS_OF_YEAR)
        return date(year, self.first_month, 1), date(year + later, month + 1, 1)

    @property
    def crosses_years(self) -> bool:
        """True when the season has months of two calendar years."""
        return self.first_month + self.months > _MONTHS_OF_YEAR + 1

    def is_called(self, name: str) -> bool:
        """Return whether a text is the name or an alias; case, blanks and hyphens do not matter."""
        return _folded(name) in map(_folded, (self.name, *self.aliases))


@dataclass(frozen=True, slots=True)
class SeasonFamily:
    """The seasons of a market. They may overlap (a gas year and its winter)."""

    name: str
    seasons: tuple[Season, ...]
    title: str = ""

    def season(self, name: str) -> Season | None:
        """Return the season of a name or an alias; None for a name the family does not have."""
        return next((season for season in self.seasons if season.is_called(name)), None)

    def of_span(self, first: date, end: date) -> Season | None:
        """Return the season that delivers in ``[first, end)``; None when no season does."""
        return next((season for season in self.seasons if season.span(first.year) == (first, end)), None)

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> SeasonFamily:
        """Return the family that a JSON or TOML document describes.

        Required: ``name``, ``seasons``: a list of ``{"name": "Win", "aliases": ["Winter"], "first_month": 10, "months": 6}``.
        Optional: ``title``. Labels are not checked: ``season_documents`` does it for documents of users. Raises
        ``InvalidDocument``.
        """
        read = Document("season family", document, cls.__dataclass_fields__)
        seasons = tuple(_season(item) for item in read.objects("seasons"))
        if not seasons:
            raise read.refused("seasons", "at least one is needed", [])
        names = [_folded(name) for season in seasons for name in (season.name, *season.aliases)]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise read.refused("seasons", "two seasons have one name", repeated)
        return cls(read.word("name"), seasons, read.note("title") or "")

    def to_document(self) -> dict[str, object]:
        """Return the family as JSON-representable values, which ``from_document`` reads back to an equal family."""
        return {
            "name": self.name,
            "title": self.title,
            "seasons": [
                {
                    "name": season.name,
                    "aliases": list(season.aliases),
                    "first_month": season.first_month,
                    "months": season.months,
                }
                for season in self.seasons
            ],
        }


@cache
def default_season_families() -> tuple[SeasonFamily, ...]:
    """Return the families of ``seasons.toml``, in its order."""
    text = files("aurum.core.curves").joinpath("seasons.toml").read_text(encoding="utf-8")
    return tuple(SeasonFamily.from_document(table) for table in tomllib.loads(text)["family"])


def parse_season_family(name: str, families: Iterable[SeasonFamily] | None = None) -> SeasonFamily:
    """Return the family of a name. ``families``: where to look; the first of a name wins; by default the package's.

    Raises ``UnknownName`` with the nearest names.
    """
    families = default_season_families() if families is None else tuple(families)
    for family in families:
        if family.name == name:
            return family
    names = tuple(dict.fromkeys(family.name for family in families))
    raise UnknownName("season family", name, nearest(name, names) or names)


def _season(document: Mapping[str, object]) -> Season:
    read = Document("season", document, Season.__dataclass_fields__)
    return Season(
        name=read.word("name"),
        first_month=read.whole("first_month", among=range(1, _MONTHS_OF_YEAR + 1)),
        months=read.whole("months", among=range(1, _MONTHS_OF_YEAR + 1)),
        aliases=read.items("aliases", str),
    )


def _folded(name: str) -> str:
    return name.casefold().translate({ord(separator): None for separator in " -_"})
