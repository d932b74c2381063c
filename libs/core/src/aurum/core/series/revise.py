"""The law of ``asof`` in plain Python, for one point of one series: a model for tests of stores.

No part of the path of a number uses it: it works on objects, not frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby


@dataclass(frozen=True, slots=True, eq=False)
class Publication:
    """A publication: at ``known_at`` (with a time zone) the value was ``value``. NaN equals NaN, and -0.0 equals 0.0."""

    known_at: datetime
    value: float
    quality: int = 0

    @property
    def content(self) -> tuple[bool, float, int]:
        """Value and quality, ordered as the tie rule demands: NaN above every number, then the quality."""
        is_nan = math.isnan(self.value)
        return is_nan, 0.0 if is_nan else self.value, self.quality

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Publication):
            return NotImplemented
        return (self.known_at, self.content) == (other.known_at, other.content)

    def __hash__(self) -> int:
        return hash((self.known_at, self.content))


def revisions(publications: Iterable[Publication]) -> list[Publication]:
    """Return the changes, ascending by ``known_at``: at most one for each known time. A change repeats no value in force."""
    ordered = sorted(publications, key=lambda publication: (publication.known_at, publication.content))
    decided = [list(tied)[-1] for _, tied in groupby(ordered, key=lambda publication: publication.known_at)]
    return [next(run) for _, run in groupby(decided, key=lambda publication: publication.content)]


def answer(publications: Iterable[Publication], as_of: datetime | None = None) -> Publication | None:
    """Return the result of a read as of an instant (inclusive; None: the present); None when nothing was known by then."""
    known = [change for change in revisions(publications) if as_of is None or change.known_at <= as_of]
    return known[-1] if known else None
