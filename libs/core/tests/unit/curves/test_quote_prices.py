"""The price of a quote: where no field is named its settlement, and without one the mean of its bid and ask."""

import polars as pl
import pytest

from aurum.core.curves.quotes import PRICE, price_columns

QUOTES = pl.DataFrame(
    {"settle": [10.0, 10.0, None, None, None], "bid": [8.0, None, 8.0, 8.0, None], "ask": [9.0, None, 9.0, None, None]}
)


def test_a_quote_without_a_settlement_has_the_mean_of_its_bid_and_ask() -> None:
    assert QUOTES.select(**price_columns(PRICE)).rows() == [
        (10.0, "settle"),
        (10.0, "settle"),
        (8.5, "mid"),
        (None, None),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("field", "prices"),
    [("settle", [10.0, 10.0, None, None, None]), ("mid", [8.5, None, 8.5, None, None]), ("bid", [8.0, None, 8.0, 8.0, None])],
)
def test_a_field_that_is_named_stands_for_itself(field: str, prices: list[float | None]) -> None:
    assert QUOTES.select(**price_columns(field)).rows() == [(price, None) for price in prices]
