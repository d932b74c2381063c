from dataclasses import FrozenInstanceError

import pytest

from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.series.model import Series, SeriesSpec

SPEC = SeriesSpec(SeriesKey("nyiso", "da_lbmp", "61761", "lmp"), "USD/MWh", Frequency.HOUR, "America/New_York")


def test_series_is_known_by_its_key() -> None:
    series = Series(1, SPEC, version=3, first_ts=None, last_ts=None, updated_at=None)
    assert series.key == SPEC.key


def test_labels_of_two_series_are_not_shared() -> None:
    other = SeriesSpec(SPEC.key, SPEC.unit, SPEC.frequency, SPEC.zone)
    assert SPEC.labels == {}
    assert SPEC.labels is not other.labels


def test_spec_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        SPEC.unit = "EUR/MWh"
