"""Classes of data by how soon they change, and the cache rule of one response."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aurum.common.settings.cache import FreshSettings


class DataClass(StrEnum):
    """How soon a response is likely to change. The settings have a time for each class."""

    LIVE = "live"
    DAY = "day"
    HISTORY = "history"
    REFERENCE = "reference"
    NEGATIVE = "negative"
    GOLDEN = "golden"

    def fresh_s(self, settings: FreshSettings) -> float:
        """Return the seconds for which a response is fresh."""
        return getattr(settings, self.value)


@dataclass(frozen=True, slots=True)
class Caching:
    """The cache rule of a response: it is cached in the ``keyspace`` of its route until one of its ``tags`` is invalidated."""

    keyspace: str
    data_class: DataClass
    tags: tuple[str, ...]
