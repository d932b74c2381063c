"""Rules for TimescaleDB that need no server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aurum.core.frequency import Frequency
from aurum.storage.ports.tuning import RetentionTooShort
from aurum.storage.timescale import Extension, Feature, Licence, NotPermitted
from aurum.storage.timescale.extension import PERMITTED, is_supported
from aurum.storage.timescale.hypertables import INTERVALS, ROWS_PER_CHUNK, chunk_interval, rows_per_day
from aurum.storage.timescale.policies import check_retention

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("rows_a_day", "days"),
    [
        (0, 364),
        (1_000, 364),
        (27_472, 364),
        (27_473, 91),
        (109_890, 91),
        (300_000, 28),
        (1_400_000, 7),
        (2_000_000, 1),
        (1e9, 1),
    ],
)
def test_a_chunk_is_as_long_as_its_rows_allow(rows_a_day: float, days: int) -> None:
    assert chunk_interval(rows_a_day) == days * DAY


def test_a_chunk_never_holds_too_many_rows_where_a_shorter_one_would_do() -> None:
    for rows_a_day in range(0, 12_000_000, 37_001):
        interval = chunk_interval(rows_a_day)
        assert interval == INTERVALS[0] or rows_a_day * interval.days <= ROWS_PER_CHUNK


def test_rows_a_day_follow_the_steps_of_the_series() -> None:
    assert rows_per_day({}) == 0
    assert rows_per_day({Frequency.MIN_5: 2, Frequency.HOUR: 10, Frequency.DAY: 7}) == 2 * 288 + 240 + 7
    assert rows_per_day({Frequency.MONTH: 30}) == pytest.approx(1)
    assert rows_per_day({Frequency.IRREGULAR: 1}) == 24
    assert all(rows_per_day({frequency: 1}) > 0 for frequency in Frequency)


def test_each_licence_permits_what_it_does() -> None:
    assert set(PERMITTED) == set(Licence)
    apache = Extension("2.29.2", Licence.APACHE)
    apache.require(Feature.HYPERTABLES)
    for feature in (Feature.COLUMNSTORE, Feature.AGGREGATES, Feature.POLICIES):
        with pytest.raises(NotPermitted) as raised:
            apache.require(feature)
        assert raised.value.facts == {"feature": str(feature), "licence": "apache"}
        Extension("2.29.2", Licence.TIMESCALE).require(feature)
    assert (
        str(apache) == "TimescaleDB 2.29.2, licence apache, which does not permit compression, continuous aggregates, policies"
    )


@pytest.mark.parametrize(
    ("version", "supported"),
    [("2.23.0", True), ("2.29.2", True), ("3.0.0", True), ("2.30.0-dev", True), ("2.22.9", False), ("1.9", False)],
)
def test_versions_are_compared_as_numbers(version: str, supported: bool) -> None:
    assert is_supported(version) is supported


def test_values_are_retained_as_long_as_refreshes_read_them() -> None:
    check_retention(400 * DAY, refreshes=True, window=400 * DAY)
    check_retention(DAY, refreshes=False, window=None)
    for window in (401 * DAY, None):
        with pytest.raises(RetentionTooShort):
            check_retention(400 * DAY, refreshes=True, window=window)
