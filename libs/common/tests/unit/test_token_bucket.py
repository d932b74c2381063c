"""Token buckets, against the definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.common.ratelimit import Bucket, Window, plan_limits, rate_limits

FREE = plan_limits(per_minute=60, per_hour=1000, per_day=10_000, burst=1.0)
PREMIUM = plan_limits(per_minute=1000, per_hour=20_000, per_day=200_000, burst=2.0)


def admitted(bucket: Bucket, count: int, now: float) -> int:
    return sum(bucket.take(now) for _ in range(count))


def test_a_minute_of_the_free_plan_is_60_requests_and_then_one_a_second() -> None:
    bucket = Bucket(FREE, 0.0)
    assert admitted(bucket, 100, 0.0) == 60
    assert admitted(bucket, 100, 0.5) == 0
    assert admitted(bucket, 100, 1.0) == 1
    assert admitted(bucket, 100, 11.0) == 10


def test_burst_is_what_may_come_at_once_after_a_rest() -> None:
    assert admitted(Bucket(PREMIUM, 0.0), 5000, 0.0) == 2000


def test_the_hour_ends_what_the_minutes_would_allow() -> None:
    bucket = Bucket(FREE, 0.0)
    total = sum(admitted(bucket, 60, minute * 60.0) for minute in range(60))
    assert total == 1000 + int(1000 * 59 / 60)


def test_a_request_that_is_refused_costs_nothing() -> None:
    bucket = Bucket(FREE, 0.0)
    admitted(bucket, 60, 0.0)
    before = bucket.levels(0.0)
    admitted(bucket, 1000, 0.0)
    assert bucket.levels(0.0) == before


def test_what_is_given_back_may_be_taken_again() -> None:
    bucket = Bucket(FREE, 0.0)
    admitted(bucket, 60, 0.0)
    bucket.give_back()
    assert admitted(bucket, 10, 0.0) == 1


def test_a_share_is_that_part_and_at_least_one() -> None:
    assert admitted(Bucket(FREE, 0.0, share=1 / 3), 100, 0.0) == 20
    assert admitted(Bucket(rate_limits(1.0), 0.0, share=1 / 8), 100, 0.0) == 1


def test_a_larger_plan_counts_at_once_and_what_was_used_stays_used() -> None:
    bucket = Bucket(FREE, 0.0)
    admitted(bucket, 60, 0.0)
    bucket.resize(PREMIUM, 1.0, 0.0)
    assert admitted(bucket, 5000, 0.0) == 2000 - 60


def test_a_smaller_plan_counts_at_once_and_is_not_a_debt() -> None:
    bucket = Bucket(PREMIUM, 0.0)
    admitted(bucket, 1500, 0.0)
    bucket.resize(FREE, 1.0, 0.0)
    assert admitted(bucket, 100, 0.0) == 0
    assert admitted(bucket, 100, 3600.0) == 60


def test_a_window_that_admits_no_request_is_refused() -> None:
    with pytest.raises(ValueError, match="must admit requests"):
        Window("minute", 0, 60.0, 1.0)


windows = st.builds(
    lambda name, limit, seconds, burst: Window(name, limit, float(seconds), max(1.0, limit * burst)),
    st.text("abc", min_size=1, max_size=3),
    st.integers(1, 100),
    st.integers(1, 100),
    st.sampled_from([1.0, 1.5, 3.0]),
)


@given(st.lists(windows, min_size=1, max_size=3), st.lists(st.tuples(st.integers(0, 16), st.integers(1, 30)), max_size=40))
def test_never_more_is_let_in_than_any_window_allows_and_never_less(limits: list[Window], steps: list[tuple[int, int]]) -> None:
    """The law, against the definition: a level per window that rises to its capacity; a request needs one of each."""
    bucket, now = Bucket(tuple(limits), 0.0), 0.0
    levels = [window.capacity for window in limits]
    total = 0
    for quarter_seconds, count in steps:
        now += quarter_seconds / 4
        levels = [
            min(window.capacity, level + quarter_seconds / 4 * window.rate)
            for window, level in zip(limits, levels, strict=True)
        ]
        expected = max(0, min(count, int(min(levels) + 1e-9)))
        actual = admitted(bucket, count, now)
        # Where a level is whole but for rounding, either is right.
        assert actual == expected or (abs(min(levels) - round(min(levels))) < 1e-6 and abs(actual - expected) <= 1)
        levels = [level - actual for level in levels]
        total += actual
        for window in limits:
            assert total <= window.capacity + window.rate * now + 1e-6
