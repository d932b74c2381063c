"""How soon answers are likely to change, and what is said of one that may be kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aurum.common.settings.cache import FreshSettings


class DataClass(StrEnum):
    """How soon an answer is likely to change; the settings give each its time."""

    LIVE = "live"
    DAY = "day"
    HISTORY = "history"
    REFERENCE = "reference"
    NEGATIVE = "negative"
    GOLDEN = "golden"

    def fresh_s(self, settings: FreshSettings) -> float:
        """Seconds."""
        return getattr(settings, self.value)


@dataclass(frozen=True, slots=True)
class Caching:
    """An answer may be kept under the ``keyspace`` of its route until one of its ``tags`` is forgotten."""

    keyspace: str
    data_class: DataClass
    tags: tuple[str, ...]
