from datetime import UTC, date, datetime, time

import polars as pl
import pytest

from aurum.core.curves.final_settlement import FinalSettlement
from aurum.core.publication import OnDay

RULE = FinalSettlement(OnDay(days=-1, at=time(12), zone="UTC"), "XEEE", "invented", weeks_end_later=True)


def earliest(*rows: tuple[date, date, date], rule: FinalSettlement = RULE) -> list[datetime | None]:
    schema = {"delivery_start": pl.Date, "delivery_end": pl.Date, "trade_date": pl.Date}
    return rule.earliest(pl.DataFrame(list(rows), schema=schema, orient="row")).to_list()


AUGUST = date(2025, 8, 1), date(2025, 9, 1)  # ends on a Sunday
WEEK = date(2025, 8, 25), date(2025, 9, 1)


def test_the_last_session_before_a_weekend_waits_for_the_auction_of_sunday() -> None:
    friday, thursday = date(2025, 8, 29), date(2025, 8, 28)
    assert earliest((*AUGUST, friday), (*AUGUST, thursday)) == [datetime(2025, 8, 30, 12, tzinfo=UTC), None]


def test_a_period_that_ends_within_the_week_has_another_session_on_its_last_day() -> None:
    assert earliest((date(2025, 7, 1), date(2025, 8, 1), date(2025, 7, 30))) == [None]
    assert earliest((date(2025, 7, 1), date(2025, 8, 1), date(2025, 7, 31))) == [datetime(2025, 7, 30, 12, tzinfo=UTC)]


def test_a_row_after_the_end_of_its_period_waits_for_nothing() -> None:
    assert earliest((*AUGUST, date(2025, 9, 1))) == [None]


def test_a_week_that_is_quoted_after_its_end_is_not_final_before() -> None:
    friday = date(2025, 8, 29)
    assert earliest((*WEEK, friday)) == [None]
    rule = FinalSettlement(RULE.auction, RULE.sessions, RULE.source)
    assert earliest((*WEEK, friday), rule=rule) == [datetime(2025, 8, 30, 12, tzinfo=UTC)]


def test_closed_days_are_no_sessions() -> None:
    # Good Friday 2024 is 29 March, Easter Monday 1 April.
    assert earliest((date(2024, 3, 1), date(2024, 4, 1), date(2024, 3, 28))) == [datetime(2024, 3, 30, 12, tzinfo=UTC)]


@pytest.mark.parametrize("traded", [date(1990, 1, 31), date(2036, 1, 31)])
def test_beyond_the_calendar_of_the_venue_no_row_is_final(traded: date) -> None:
    assert earliest((traded.replace(day=1), date(traded.year, 2, 1), traded)) == [None]


def test_no_rows_have_no_instants() -> None:
    assert earliest() == []
