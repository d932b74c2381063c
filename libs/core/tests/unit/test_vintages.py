"""Vintages side by side."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.asof import Span
from aurum.core.frames import REVISIONS
from aurum.core.series.revise import Publication, answer, revisions
from aurum.core.series.vintages import side_by_side, vintages_of

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAN = math.nan


def frame(*rows: tuple[int, int, float]) -> pl.DataFrame:
    """Return revisions from day of the interval, day of the publication, value."""
    return pl.DataFrame(
        [(START + ts * DAY, value, 0, START + known * DAY) for ts, known, value in sorted(rows, key=lambda row: row[:2])],
        schema=REVISIONS,
        orient="row",
    )


def test_a_vintage_has_the_values_in_force_at_its_known_time() -> None:
    revised = frame((0, 10, 1.0), (0, 12, 2.0), (1, 11, 5.0))
    vintages = vintages_of(revised)
    assert vintages == [START + day * DAY for day in (10, 11, 12)]
    assert side_by_side(revised, vintages).rows() == [(START, 1.0, 1.0, 2.0), (START + DAY, None, 5.0, 5.0)]


def test_a_withdrawn_value_is_nan_from_its_vintage_on() -> None:
    revised = frame((0, 10, 1.0), (0, 11, NAN), (0, 12, 3.0), (1, 12, 4.0))
    ((_, *values), _) = side_by_side(revised, vintages_of(revised)).rows()
    assert [math.isnan(value) for value in values] == [False, True, False]


def test_vintages_of_a_span_of_known_times_begin_with_what_was_known_before() -> None:
    revised = frame((0, 10, 1.0), (0, 11, 2.0), (0, 13, 4.0), (1, 12, 7.0), (2, 13, 9.0))
    vintages = vintages_of(revised, Span(START + 12 * DAY, START + 13 * DAY))
    assert side_by_side(revised, vintages).rows() == [(START, 2.0), (START + DAY, 7.0)]
    assert vintages_of(revised, Span(START + 20 * DAY)) == []


publications = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5), st.sampled_from([1.0, 2.0, 3.0])), min_size=1, max_size=12
)


@given(published=publications, first=st.integers(0, 5))
def test_each_column_is_the_answer_as_of_its_vintage(published: list[tuple[int, int, float]], first: int) -> None:
    points = {
        ts: {Publication(START + known * DAY, value) for other, known, value in published if other == ts}
        for ts, _, _ in published
    }
    rows = [(ts, (change.known_at - START) // DAY, change.value) for ts in points for change in revisions(points[ts])]
    vintages = vintages_of(frame(*rows), Span(START + first * DAY))
    if not vintages:
        return
    wide = side_by_side(frame(*rows), vintages)
    for number, vintage in enumerate(vintages):
        expected = {START + ts * DAY: current.value for ts in points if (current := answer(points[ts], vintage)) is not None}
        assert dict(wide.select("ts", str(number)).drop_nulls().iter_rows()) == expected
