from datetime import timedelta

import pytest

from aurum.core.errors import UnknownName
from aurum.core.frequency import Frequency, parse_frequency


def test_steps_up_to_an_hour_are_fixed() -> None:
    fixed = [frequency for frequency in Frequency if frequency.step is not None]
    assert fixed[0].step == timedelta(minutes=1)
    assert fixed[-1] is Frequency.HOUR
    assert [f.step for f in fixed] == sorted(f.step for f in fixed if f.step)


def test_every_frequency_is_fixed_or_calendar_or_irregular() -> None:
    for frequency in Frequency:
        kinds = [frequency.step is not None, frequency.is_calendar, frequency is Frequency.IRREGULAR]
        assert kinds.count(True) == 1


def test_order_runs_from_finest_to_coarsest() -> None:
    assert Frequency.MIN_5.order < Frequency.HOUR.order < Frequency.DAY.order < Frequency.WEEK.order
    assert Frequency.MONTH.order < Frequency.QUARTER.order < Frequency.YEAR.order < Frequency.IRREGULAR.order


def test_frequency_is_read_from_its_text() -> None:
    assert parse_frequency("15min") is Frequency.MIN_15


@pytest.mark.parametrize("text", ["15m", "hourly", "", "1H"])
def test_unknown_frequency_names_valid_ones(text: str) -> None:
    with pytest.raises(UnknownName) as caught:
        parse_frequency(text)
    assert caught.value.nearest
    assert set(caught.value.nearest) <= set(Frequency)
