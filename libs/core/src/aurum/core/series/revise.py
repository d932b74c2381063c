"""The law of ``asof`` in a few lines of plain Python: what every store must answer, for one point of one series.

A model to test stores against, not on the path of a number: it holds objects, not frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby


@dataclass(frozen=True, slots=True, eq=False)
class Publication:
    """At ``known_at`` (aware) the value was ``value``. NaN equals NaN, and -0.0 equals 0.0."""

    known_at: datetime
    value: float
    quality: int = 0

    @property
    def content(self) -> tuple[bool, float, int]:
        """Value and quality in the order of the tie rule: NaN above every number, then the quality."""
        unknown = math.isnan(self.value)
        return unknown, 0.0 if unknown else self.value, self.quality

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Publication):
            return NotImplemented
        return (self.known_at, self.content) == (other.known_at, other.content)

    def __hash__(self) -> int:
        return hash((self.known_at, self.content))


def revisions(publications: Iterable[Publication]) -> list[Publication]:
    """The changes, ascending by ``known_at``: one for each known time, none that repeats the value in force."""
    ordered = sorted(publications, key=lambda publication: (publication.known_at, publication.content))
    decided = [list(tied)[-1] for _, tied in groupby(ordered, key=lambda publication: publication.known_at)]
    return [next(run) for _, run in groupby(decided, key=lambda publication: publication.content)]


def answer(publications: Iterable[Publication], as_of: datetime | None = None) -> Publication | None:
    """What a read as of an instant (inclusive; None: the present) gives; None when nothing was known by then."""
    known = [change for change in revisions(publications) if as_of is None or change.known_at <= as_of]
    return known[-1] if known else None
