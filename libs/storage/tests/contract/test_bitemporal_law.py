"""The bitemporal law: an answer depends on the set of publications, not on their order, repetition or batches."""

import itertools
import math
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.storage.testing.builders import Point, day, file_load
from aurum.storage.testing.expected import expected_observations, expected_revisions
from aurum.storage.testing.stores import Store, series_named

numbers = itertools.count()

values = st.sampled_from([0.0, -0.0, 1.0, 2.0, math.nan, math.inf])
points: st.SearchStrategy[Point] = st.tuples(
    st.integers(0, 2), st.integers(0, 5), values, st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 0, 0, -1])
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Point]]:
    """Draw files: publications in any order, some of them repeated, split into batches."""
    publications = draw(st.lists(points, min_size=1, max_size=12))
    again = draw(st.lists(st.sampled_from(publications), max_size=4))
    order = draw(st.permutations([*publications, *again]))
    cuts = draw(st.sets(st.integers(1, len(order)), max_size=len(order)))
    borders = [0, *sorted(cuts), len(order)]
    return [order[start:end] for start, end in itertools.pairwise(borders) if start < end]


@settings(max_examples=settings().max_examples // 2)
@given(files=histories())
async def test_answers_depend_on_the_set_of_publications_alone(shared_store: Store, files: list[list[Point]]) -> None:
    key = f"invented:law:example_{next(numbers)}:value"
    publications = [point for file in files for point in file]
    for number, file in enumerate(files):
        outcome = await shared_store.loader.load(file_load(file, key=key, digest=f"{key} {number}"))
        assert outcome.new + outcome.revised + outcome.unchanged == len(file)
    series = await series_named(shared_store, key)
    revisions = await shared_store.reader.revisions(series.series_id, span=Span())
    assert_frame_equal(revisions, expected_revisions(publications), check_exact=True)
    assert not any(math.copysign(1, value) < 0 for value in revisions["value"] if value == 0)
    now = await shared_store.reader.observations(series.series_id, span=Span())
    assert_frame_equal(now, expected_observations(publications), check_exact=True)
    for known in range(-1, 7):
        for as_of in (day(known), day(known) - timedelta(microseconds=1)):
            answer = await shared_store.reader.observations(series.series_id, span=Span(), as_of=as_of)
            assert_frame_equal(answer, expected_observations(publications, as_of), check_exact=True)
            many = await shared_store.reader.many([series.series_id], span=Span(), as_of=as_of)
            assert_frame_equal(many.drop("series_id"), answer, check_exact=True)


@settings(max_examples=settings().max_examples * 3 // 10)
@given(files=histories(), later=points)
async def test_nothing_known_later_changes_an_answer_about_the_past(
    shared_store: Store, files: list[list[Point]], later: Point
) -> None:
    key = f"invented:law:past_{next(numbers)}:value"
    for number, file in enumerate(files):
        await shared_store.loader.load(file_load(file, key=key, digest=f"{key} {number}"))
    series = await series_named(shared_store, key)
    before = await shared_store.reader.observations(series.series_id, span=Span(), as_of=day(6))
    ts, _, *content = later
    await shared_store.loader.load(file_load([(ts, 7, *content)], key=key))
    assert_frame_equal(await shared_store.reader.observations(series.series_id, span=Span(), as_of=day(6)), before)
