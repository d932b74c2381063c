"""The bitemporal law over many series at once, in few reads: for stores whose every read takes a while."""

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
"""In two months, so that a series has more than one part."""
_VALUES = (0.0, -0.0, 1.0, 2.0, math.nan, math.inf)
_KNOWN = 6

Files = Mapping[str, Sequence[Sequence[Point]]]
"""By series key, what each file says of it, in the order in which they come."""


def drawn_files(seed: int, *, series: int = 8, files: int = 4) -> Files:
    """Publications of some series in any order, some of them repeated, cut into files anywhere."""
    draw = random.Random(seed)  # noqa: S311 - the same each time
    return {f"invented:law:seed_{seed}_{number}:value": _cut(draw, _said(draw), files) for number in range(series)}


async def expect_the_law(store: Store, files: Files) -> None:
    """Load the files; whatever their order and repetitions, every answer is that of the set of their publications."""
    for number in range(max(map(len, files.values()))):
        parts = [file_load(said[number], key=key, digest=f"{key} {number}") for key, said in files.items() if said[number:]]
        await store.loader.load(together(*parts))
    points = {key: [point for file in said for point in file] for key, said in files.items()}
    ids = {key: (await series_named(store, key)).series_id for key in files}
    for key, series_id in ids.items():
        found = await store.reader.revisions(series_id, span=Span())
        assert_frame_equal(found, expected_revisions(points[key]), check_exact=True)
    instants = [day(known) - before for known in range(-1, _KNOWN + 1) for before in (timedelta(), timedelta(microseconds=1))]
    for as_of in (None, *instants):
        every = await store.reader.many(list(ids.values()), span=Span(), as_of=as_of)
        for key, series_id in ids.items():
            found = every.filter(series_id=series_id).drop("series_id")
            assert_frame_equal(found, expected_observations(points[key], as_of), check_exact=True)


def _said(draw: random.Random) -> list[Point]:
    said: list[Point] = [
        (draw.choice(_HOURS), draw.randrange(_KNOWN), draw.choice(_VALUES), draw.choice((0, 0, 0, 1)), draw.choice((0, 0, -1)))
        for _ in range(draw.randint(3, 12))
    ]
    said += draw.choices(said, k=draw.randrange(4))
    draw.shuffle(said)
    return said


def _cut(draw: random.Random, said: Sequence[Point], most: int) -> list[list[Point]]:
    borders = sorted({0, len(said), *(draw.randrange(len(said)) for _ in range(most - 1))})
    return [list(said[start:end]) for start, end in pairwise(borders)]
