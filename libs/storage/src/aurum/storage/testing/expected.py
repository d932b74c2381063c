"""Expected answers of a store that holds given points: the model ``core.series.revise`` as frames."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from aurum.core.frames import OBSERVATIONS, REVISIONS
from aurum.core.series.revise import Publication, answer, revisions
from aurum.storage.testing.builders import Point, day, hour


def expected_observations(points: Iterable[Point], as_of: datetime | None = None) -> pl.DataFrame:
    """Return the observations of one series, schema ``OBSERVATIONS``; every point must have a known time."""
    answers = [(ts, answer(publications, as_of)) for ts, publications in _by_ts(points)]
    rows = [(ts, current.value, current.quality, current.known_at) for ts, current in answers if current is not None]
    return pl.DataFrame(rows, schema=OBSERVATIONS, orient="row")


def expected_revisions(points: Iterable[Point]) -> pl.DataFrame:
    """Return the revisions of one series, schema ``REVISIONS``; every point must have a known time."""
    rows = [
        (ts, change.value, change.quality, change.known_at)
        for ts, publications in _by_ts(points)
        for change in revisions(publications)
    ]
    return pl.DataFrame(rows, schema=REVISIONS, orient="row")


def _by_ts(points: Iterable[Point]) -> list[tuple[datetime, list[Publication]]]:
    publications: dict[datetime, list[Publication]] = {}
    for ts, known, value, *rest in points:
        quality, version = (*rest, 0, 0)[:2]
        if known is None:
            raise ValueError("a point has no known time: the model needs one for every point")
        known_at = day(known) + timedelta(microseconds=version)
        publications.setdefault(hour(ts), []).append(Publication(known_at, value, quality))
    return sorted(publications.items())
