"""Check of the bitemporal law over many series in few reads, for stores with slow reads."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.storage.testing.builders import Point, day, file_load, together
from aurum.storage.testing.expected import expected_observations, expected_revisions
from aurum.storage.testing.stores import Store, series_named

_HOURS = (0, 1, 743, 744, 745)
"""Hours in two months, so that a series has more than one part."""
_VALUES = (0.0, -0.0, 1.0, 2.0, math.nan, math.inf)
_KNOWN_DAYS = 6

Files = Mapping[str, Sequence[Sequence[Point]]]
"""The points of each file, in the order of loading, by series key."""


def drawn_files(seed: int, *, series: int = 8, files: int = 4) -> Files:
    """Return random publications of several series, in any order and some of them repeated, split into files."""
    draw = random.Random(seed)  # noqa: S311 - the same each time
    return {f"invented:law:seed_{seed}_{number}:value": _split(draw, _points(draw), files) for number in range(series)}


async def expect_the_law(store: Store, files: Files) -> None:
    """Load the files, and check that every answer depends on the set of their publications alone."""
    for number in range(max(map(len, files.values()))):
        parts = [
            file_load(batches[number], key=key, digest=f"{key} {number}") for key, batches in files.items() if batches[number:]
        ]
        await store.loader.load(together(*parts))
    points = {key: [point for batch in batches for point in batch] for key, batches in files.items()}
    ids = {key: (await series_named(store, key)).series_id for key in files}
    for key, series_id in ids.items():
        answer = await store.reader.revisions(series_id, span=Span())
        assert_frame_equal(answer, expected_revisions(points[key]), check_exact=True)
    instants = [
        day(known) - before for known in range(-1, _KNOWN_DAYS + 1) for before in (timedelta(), timedelta(microseconds=1))
    ]
    for as_of in (None, *instants):
        answers = await store.reader.many(list(ids.values()), span=Span(), as_of=as_of)
        for key, series_id in ids.items():
            answer = answers.filter(series_id=series_id).drop("series_id")
            assert_frame_equal(answer, expected_observations(points[key], as_of), check_exact=True)


def _points(draw: random.Random) -> list[Point]:
    points: list[Point] = [
        (
            draw.choice(_HOURS),
            draw.randrange(_KNOWN_DAYS),
            draw.choice(_VALUES),
            draw.choice((0, 0, 0, 1)),
            draw.choice((0, 0, -1)),
        )
        for _ in range(draw.randint(3, 12))
    ]
    points += draw.choices(points, k=draw.randrange(4))
    draw.shuffle(points)
    return points


def _split(draw: random.Random, points: Sequence[Point], most: int) -> list[list[Point]]:
    borders = sorted({0, len(points), *(draw.randrange(len(points)) for _ in range(most - 1))})
    return [list(points[start:end]) for start, end in pairwise(borders)]
