"""What a store must answer after it was given some points: ``core.series.revise`` as frames."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from aurum.core.frames import OBSERVATIONS, REVISIONS
from aurum.core.series.revise import Publication, answer, revisions
from aurum.storage.testing.builders import Point, day, hour


def expected_observations(points: Iterable[Point], as_of: datetime | None = None) -> pl.DataFrame:
    """Schema ``OBSERVATIONS``, of one series whose points all have a known time."""
    answers = [(ts, answer(said, as_of)) for ts, said in _by_ts(points)]
    rows = [(ts, found.value, found.quality, found.known_at) for ts, found in answers if found is not None]
    return pl.DataFrame(rows, schema=OBSERVATIONS, orient="row")


def expected_revisions(points: Iterable[Point]) -> pl.DataFrame:
    """Schema ``REVISIONS``, of one series whose points all have a known time."""
    rows = [(ts, change.value, change.quality, change.known_at) for ts, said in _by_ts(points) for change in revisions(said)]
    return pl.DataFrame(rows, schema=REVISIONS, orient="row")


def _by_ts(points: Iterable[Point]) -> list[tuple[datetime, list[Publication]]]:
    said: dict[datetime, list[Publication]] = {}
    for ts, known, value, *rest in points:
        quality, version = (*rest, 0, 0)[:2]
        if known is None:
            raise ValueError("the model needs a known time for every point")
        known_at = day(known) + timedelta(microseconds=version)
        said.setdefault(hour(ts), []).append(Publication(known_at, value, quality))
    return sorted(said.items())
