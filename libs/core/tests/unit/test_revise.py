import math
from datetime import UTC, datetime, timedelta

import pytest

from aurum.core.series.revise import Publication, answer, revisions

NOON = datetime(2025, 7, 1, 12, tzinfo=UTC)
NAN = math.nan


def said(hour: int, value: float, quality: int = 0) -> Publication:
    return Publication(NOON + timedelta(hours=hour), value, quality)


def test_no_publication_no_answer() -> None:
    assert revisions([]) == []
    assert answer([]) is None


def test_cut_off_is_inclusive() -> None:
    publications = [said(0, 1.0), said(2, 2.0)]
    assert answer(publications, NOON - timedelta(microseconds=1)) is None
    assert answer(publications, NOON) == said(0, 1.0)
    assert answer(publications, NOON + timedelta(hours=2) - timedelta(microseconds=1)) == said(0, 1.0)
    assert answer(publications, NOON + timedelta(hours=2)) == said(2, 2.0)
    assert answer(publications) == said(2, 2.0)


def test_older_publication_that_arrives_late_changes_the_past_only() -> None:
    publications = [said(2, 2.0), said(0, 1.0)]
    assert answer(publications) == said(2, 2.0)
    assert answer(publications, NOON + timedelta(hours=1)) == said(0, 1.0)


def test_repeated_value_stands_since_it_was_first_said() -> None:
    assert revisions([said(0, 1.0), said(1, 1.0), said(2, 1.0)]) == [said(0, 1.0)]


def test_value_that_comes_back_is_a_change() -> None:
    changes = [said(0, 1.0), said(1, 2.0), said(2, 1.0)]
    assert revisions(changes) == changes


def test_late_publication_between_two_equal_ones_splits_them() -> None:
    assert revisions([said(0, 1.0), said(2, 1.0)]) == [said(0, 1.0)]
    assert revisions([said(0, 1.0), said(2, 1.0), said(1, 2.0)]) == [said(0, 1.0), said(1, 2.0), said(2, 1.0)]


def test_changes_alone_are_not_enough_to_take_a_late_publication() -> None:
    """A store must remember a repeated value: the repetition counts when a late publication comes between."""
    said_again, late = [said(0, 1.0), said(2, 1.0)], said(1, 2.0)
    assert answer([*said_again, late]) == said(2, 1.0)
    assert answer([*revisions(said_again), late]) == late


@pytest.mark.parametrize(
    ("tied", "wins"),
    [
        ([said(0, 1.0), said(0, 2.0)], said(0, 2.0)),
        ([said(0, NAN, 9), said(0, 1e300)], said(0, NAN, 9)),
        ([said(0, math.inf), said(0, NAN)], said(0, NAN)),
        ([said(0, 1.0, 2), said(0, 1.0, 1)], said(0, 1.0, 2)),
        ([said(0, 1.0, 9), said(0, 2.0, 0)], said(0, 2.0, 0)),
        ([said(0, -0.0, 1), said(0, 0.0, 0)], said(0, 0.0, 1)),
    ],
)
def test_ties_at_one_known_time_break_by_value_then_quality(tied: list[Publication], wins: Publication) -> None:
    assert revisions(tied) == revisions(tied[::-1]) == [wins]


def test_better_quality_of_the_same_value_is_a_change() -> None:
    assert revisions([said(0, 1.0, 1), said(1, 1.0, 0)]) == [said(0, 1.0, 1), said(1, 1.0, 0)]


def test_nan_equals_nan_and_zero_equals_minus_zero() -> None:
    assert said(0, NAN) == said(0, float("nan"))
    assert hash(said(0, -0.0)) == hash(said(0, 0.0))
    assert revisions([said(0, NAN, 9), said(1, float("nan"), 9)]) == [said(0, NAN, 9)]
    assert revisions([said(0, 0.0), said(1, -0.0)]) == [said(0, 0.0)]
    assert said(0, 1.0) != "1.0"
