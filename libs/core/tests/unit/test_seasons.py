from datetime import date

import pytest

from aurum.core.curves.documents import InvalidDocument
from aurum.core.curves.season_documents import read_season_family
from aurum.core.curves.seasons import SeasonFamily, default_season_families, parse_season_family
from aurum.core.errors import UnknownName


def days(family: str, season: str, year: int) -> int:
    named = parse_season_family(family).season(season)
    assert named is not None
    first, end = named.span(year)
    return (end - first).days


@pytest.mark.parametrize(
    ("family", "season", "year", "expected"),
    [
        ("europe", "Winter", 2025, 182),
        ("europe", "summer", 2026, 183),
        ("europe", "WIN", 2027, 183),
        ("europe", "Gas Year", 2025, 365),
        ("europe", "GY", 2027, 366),
        ("us_gas", "Winter", 2025, 151),
        ("us_gas", "Winter", 2027, 152),
        ("us_gas", "Summer", 2026, 214),
        ("us_power", "Jan-Feb", 2024, 60),
        ("us_power", "jul aug", 2024, 62),
    ],
)
def test_days_of_a_season(family: str, season: str, year: int, expected: int) -> None:
    assert days(family, season, year) == expected


def test_the_packages_of_us_power_divide_a_year() -> None:
    spans = [season.span(2025) for season in parse_season_family("us_power").seasons]
    assert (spans[0][0], spans[-1][1]) == (date(2025, 1, 1), date(2026, 1, 1))
    assert [end for _, end in spans[:-1]] == [first for first, _ in spans[1:]]


@pytest.mark.parametrize("name", ["europe", "us_gas"])
def test_summer_and_winter_follow_each_other(name: str) -> None:
    summer, winter = parse_season_family(name).seasons[:2]
    assert summer.span(2025)[1] == winter.span(2025)[0]
    assert winter.span(2025)[1] == summer.span(2026)[0]
    assert (summer.crosses_years, winter.crosses_years) == (False, True)


def test_an_unknown_family_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="europe"):
        parse_season_family("europa")


def test_a_family_of_a_user_comes_first() -> None:
    own = SeasonFamily("europe", ())
    assert parse_season_family("europe", (own, *default_season_families())) is own


@pytest.mark.parametrize("family", default_season_families(), ids=lambda family: family.name)
def test_a_family_is_read_from_its_document(family: SeasonFamily) -> None:
    assert read_season_family(family.to_document()) == family


@pytest.mark.parametrize(
    ("seasons", "field", "why"),
    [
        ([], "seasons", "at least one"),
        ("Win", "seasons", "must be a list"),
        (["Win"], "seasons", "list of objects"),
        ([{"name": "Win", "first_month": 13, "months": 6}], "first_month", "must be one of 1, 2"),
        ([{"name": "Win", "first_month": 10, "months": 0}], "months", "must be one of 1, 2"),
        ([{"first_month": 10, "months": 6}], "name", "is missing"),
        ([{"name": "Win", "first_month": 10, "months": 6, "day": 1}], "day", "unknown member"),
        ([{"name": "Win", "first_month": 10, "months": 6, "aliases": ["win"]}], "seasons", "two seasons have one name"),
        ([{"name": "Q1", "first_month": 2, "months": 3}], "seasons", "Q1-25 would not be read"),
        ([{"name": "Win", "first_month": 10, "months": 6, "aliases": ["W"]}], "seasons", "W-25 would not be read"),
        ([{"name": "1st", "first_month": 10, "months": 6}], "seasons", "1st-25 would not be read"),
    ],
)
def test_a_wrong_document_is_refused_by_its_member(seasons: object, field: str, why: str) -> None:
    with pytest.raises(InvalidDocument, match=why) as caught:
        read_season_family({"name": "mine", "seasons": seasons})
    assert caught.value.facts["field"] == field
