"""Tenors of positions, by the rule that the contracts of their curve roll by."""

from __future__ import annotations

from datetime import date

import pytest

from aurum.core.curves.expiries import read_expiry
from aurum.core.curves.periods import parse_period
from aurum.core.curves.product_documents import default_products
from aurum.core.curves.rolls import RollTerms, parse_roll
from aurum.core.curves.seasons import default_season_families
from aurum.core.curves.sessions import parse_session_calendar
from aurum.services.curves.explain_positions import bucket_of

EUROPE = next(family for family in default_season_families() if family.name == "europe")


def terms_of(key: str) -> RollTerms:
    product = next(one for one in default_products() if str(one.key) == key)
    assert product.sessions is not None
    return RollTerms(EUROPE, parse_session_calendar(product.sessions), read_expiry(product.expiry))


@pytest.mark.parametrize(
    ("key", "day", "roll", "buckets"),
    [
        # A month of power trades on while it delivers; a quarter stops three sessions before.
        (
            "power:DE:base:EEX", date(2024, 9, 26), "last_trading_day",
            {"Aug-24": "M+0", "Sep-24": "M+1", "Oct-24": "M+2", "Q4-24": "Q+1", "Q1-25": "Q+2", "2025": "Y+1"},
        ),
        ("power:DE:base:EEX", date(2024, 9, 27), "last_trading_day", {"Sep-24": "M+1", "Q4-24": "Q+0", "Q1-25": "Q+1"}),
        ("power:DE:base:EEX", date(2024, 9, 27), "calendar", {"Sep-24": "M+0", "Oct-24": "M+1", "Q4-24": "Q+1"}),
        ("oil:WTI:base:NYMEX", date(2018, 1, 23), "last_trading_day", {"Jan-18": "M+0", "Feb-18": "M+0", "Mar-18": "M+1"}),
        # Coal states a rule of months alone.
        ("coal:API2:base:ICE", date(2024, 9, 26), "last_trading_day", {"Sep-24": "M+1", "Q4-24": "Q+1"}),
    ],
)  # fmt: skip
def test_a_bucket_counts_from_the_contract_that_is_the_front(key: str, day: date, roll: str, buckets: dict[str, str]) -> None:
    periods = {label: parse_period(label, seasons=EUROPE) for label in buckets}
    assert {label: bucket_of(one, day, parse_roll(roll), terms_of(key)) for label, one in periods.items()} == buckets
