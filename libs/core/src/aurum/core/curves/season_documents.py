"""Reading of season families from documents of users, with a check that their labels are read back."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.core.curves.documents import Document
from aurum.core.curves.period_labels import InvalidPeriod, read_span
from aurum.core.curves.seasons import Season, SeasonFamily


def read_season_family(document: Mapping[str, object]) -> SeasonFamily:
    """Return the family that a document describes, as ``SeasonFamily.from_document`` does.

    Refuses also a name that a label cannot have ("1st"), or that means another period ("Q1" for February to April). Raises
    ``InvalidDocument``.
    """
    family = SeasonFamily.from_document(document)
    for season in family.seasons:
        for name in (season.name, *season.aliases):
            if not _is_read_back(family, season, name):
                read = Document("season family", document, SeasonFamily.__dataclass_fields__)
                raise read.refused("seasons", f"{name}-25 would not be read as this season", name)
    return family


def _is_read_back(family: SeasonFamily, season: Season, name: str) -> bool:
    try:
        return read_span(f"{name}-25", family, None) == season.span(2025)
    except InvalidPeriod:
        return False
