from datetime import date
from itertools import islice, pairwise

import pytest

from aurum.core.curves.seasons import default_season_families
from aurum.core.curves.tenors import InvalidTenor, Tenor, TenorKind, parse_tenor, periods_after

FAMILIES = {family.name: family for family in default_season_families()}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("M+1", "M+1"), ("m+12", "M+12"), (" Q 2 ", "Q+2"), ("S1", "S+1"), ("y+3", "Y+3"), ("W+52", "W+52"),
        ("da", "DA"), ("WE", "WE"), ("bom", "BOM"), ("BOY", "BOY"),
    ],
)  # fmt: skip
def test_tenors_in_any_spelling(text: str, shown: str) -> None:
    assert str(parse_tenor(text)) == shown


@pytest.mark.parametrize("text", ["", "M", "M-1", "H+1", "M+1.5", "D+1", "Jan-25", "M+" + "1" * 50, "Ｍ+1", "M+١"])
def test_other_texts_are_refused_and_say_what_is_read(text: str) -> None:
    with pytest.raises(InvalidTenor, match=r"must be M\+1, Q\+1"):
        parse_tenor(text)


@pytest.mark.parametrize("text", ["M+0", "M+241"])
def test_numbers_out_of_range_are_refused_with_the_range(text: str) -> None:
    with pytest.raises(InvalidTenor, match="must be from 1 to 240"):
        parse_tenor(text)


@pytest.mark.parametrize(
    ("kind", "day", "first", "end"),
    [
        (TenorKind.MONTH, date(2024, 9, 30), date(2024, 10, 1), date(2024, 11, 1)),
        (TenorKind.MONTH, date(2024, 10, 1), date(2024, 11, 1), date(2024, 12, 1)),
        (TenorKind.QUARTER, date(2024, 12, 31), date(2025, 1, 1), date(2025, 4, 1)),
        (TenorKind.QUARTER, date(2025, 2, 1), date(2025, 4, 1), date(2025, 7, 1)),
        (TenorKind.YEAR, date(2025, 1, 1), date(2026, 1, 1), date(2027, 1, 1)),
        (TenorKind.WEEK, date(2024, 12, 29), date(2024, 12, 30), date(2025, 1, 6)),
        (TenorKind.WEEK, date(2024, 12, 30), date(2025, 1, 6), date(2025, 1, 13)),
        (TenorKind.SEASON, date(2025, 3, 31), date(2025, 4, 1), date(2025, 10, 1)),
        (TenorKind.SEASON, date(2025, 10, 1), date(2026, 4, 1), date(2026, 10, 1)),
    ],
)
def test_the_first_period_begins_after_the_day(kind: TenorKind, day: date, first: date, end: date) -> None:
    assert next(periods_after(kind, day, FAMILIES["europe"])) == (first, end)


def test_seasons_follow_the_family_of_the_product_without_gas_years() -> None:
    gas = list(islice(periods_after(TenorKind.SEASON, date(2025, 1, 1), FAMILIES["us_gas"]), 2))
    assert gas == [(date(2025, 4, 1), date(2025, 11, 1)), (date(2025, 11, 1), date(2026, 4, 1))]
    power = list(islice(periods_after(TenorKind.SEASON, date(2025, 4, 30), FAMILIES["us_power"]), 3))
    assert [end.month - first.month for first, end in power] == [1, 1, 2]
    europe = list(islice(periods_after(TenorKind.SEASON, date(2025, 4, 1), FAMILIES["europe"]), 4))
    assert [first.month for first, _ in europe] == [10, 4, 10, 4]
    assert all(first < later for (first, _), (later, _) in pairwise(europe))


def test_a_product_without_seasons_has_no_season() -> None:
    with pytest.raises(InvalidTenor, match="no seasons"):
        periods_after(TenorKind.SEASON, date(2025, 1, 1), None)


def test_a_kind_without_a_number_cannot_be_counted() -> None:
    with pytest.raises(InvalidTenor):
        periods_after(TenorKind.DAY_AHEAD, date(2025, 1, 1), None)
    assert not Tenor(TenorKind.DAY_AHEAD).is_counted
