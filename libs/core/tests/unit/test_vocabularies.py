from datetime import date

from aurum.core.catalog import Quality, Reason
from aurum.core.catalog.entries import Completeness


def test_stored_numbers_of_quality_flags_never_change() -> None:
    assert {flag.name: int(flag) for flag in Quality} == {
        "GOOD": 0,
        "PRELIMINARY": 1,
        "ESTIMATED": 2,
        "SUSPECT": 3,
        "WITHDRAWN": 9,
        "PARTIAL": 10,
    }


def test_every_quality_but_partial_is_stored() -> None:
    assert [flag for flag in Quality if not flag.is_stored] == [Quality.PARTIAL]


def test_worse_quality_is_the_greater_number() -> None:
    assert Quality.GOOD < Quality.PRELIMINARY < Quality.ESTIMATED < Quality.SUSPECT < Quality.WITHDRAWN


def test_labels_are_lower_case_words() -> None:
    assert Quality.SUSPECT.label == "suspect"
    assert all(reason == reason.name.lower() for reason in Reason)


def test_day_with_more_intervals_than_expected_misses_none() -> None:
    assert Completeness("key", date(2025, 7, 1), expected=24, present=22).missing == 2
    assert Completeness("key", date(2025, 7, 1), expected=24, present=25).missing == 0
