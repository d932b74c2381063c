import pytest

from aurum.core.errors import AurumError, NotFound, RateLimited, Unavailable, UnknownName


def test_error_carries_one_sentence_and_facts() -> None:
    error = AurumError("the file ends early", line=7)
    assert str(error) == error.detail == "the file ends early"
    assert error.facts == {"line": 7}


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        AurumError("x", line=7).facts["line"] = 8


def test_unknown_name_is_not_found_and_names_the_nearest() -> None:
    error = UnknownName("unit", "USD/MWhh", ("USD/MWh", "USD/kWh"))
    assert isinstance(error, NotFound)
    assert str(error) == "unknown unit 'USD/MWhh'; nearest: USD/MWh, USD/kWh"
    assert error.facts == {"kind": "unit", "name": "USD/MWhh", "nearest": ["USD/MWh", "USD/kWh"]}


def test_unknown_name_without_a_near_one_says_no_more_than_that() -> None:
    assert str(UnknownName("unit", "zzz")) == "unknown unit 'zzz'"


def test_retry_after_is_given_when_known() -> None:
    assert RateLimited("slow down", retry_after=1.5).retry_after == 1.5
    assert Unavailable("no database").retry_after is None
    assert Unavailable("no database", retry_after=3).retry_after == 3
