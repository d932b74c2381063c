from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from aurum.core.catalog import Quality
from aurum.core.currency import MissingRate, Rates, WrongPair, convert_currency, days_of_rates, rates_of_days
from aurum.core.errors import Invalid
from aurum.core.frames import OBSERVATIONS
from aurum.core.units import IncompatibleUnits, parse_unit

FRANKFURT, NEW_YORK = "Europe/Berlin", "America/New_York"


def observations(*rows: tuple[datetime, float], known_at: datetime | None = None, quality: int = 0) -> pl.DataFrame:
    ordered = [(ts, value, quality, known_at or ts) for ts, value in rows]
    return pl.DataFrame(ordered, schema=OBSERVATIONS, orient="row")


def at(day: int, hour: int = 0, month: int = 5) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


def fixing(day: int, value: float, month: int = 5) -> tuple[datetime, float]:
    """Return the instant and value of a rate of a summer day in Frankfurt: it starts at 22:00 UTC of the day before."""
    return at(day, month=month) - timedelta(hours=2), value


ECB = Rates.from_series(
    parse_unit("USD/EUR"), observations(fixing(7, 1.136), fixing(8, 1.1297), fixing(9, 1.1252)), zone=FRANKFURT
)


def values(frame: pl.DataFrame) -> list[float]:
    return frame["value"].to_list()


def test_rates_of_a_series_are_what_one_of_its_base_costs() -> None:
    assert (ECB.source, ECB.target) == ("EUR", "USD")
    converted = convert_currency(
        observations((at(8, 12), 50.0)), ECB, source=parse_unit("EUR/MWh"), target=parse_unit("USD/MWh"), zone="UTC"
    )
    assert values(converted) == [50 * 1.1297]


def test_inverse_goes_the_other_way() -> None:
    converted = convert_currency(
        observations((at(8, 12), 50.0)),
        ECB.inverse(),
        source=parse_unit("USD/MWh"),
        target=parse_unit("EUR/MWh"),
        zone="UTC",
    )
    assert values(converted) == [pytest.approx(50 / 1.1297)]


def test_evening_hour_in_new_york_takes_the_rate_of_its_own_day() -> None:
    evening = observations((at(9, 1), 1.0))  # 21:00 of May 8 in New York, 03:00 of May 9 in Frankfurt
    units = {"source": parse_unit("EUR"), "target": parse_unit("USD")}
    assert values(convert_currency(evening, ECB, **units, zone=NEW_YORK)) == [1.1297]
    assert values(convert_currency(evening, ECB, **units, zone=FRANKFURT)) == [1.1252]


def test_weekend_takes_the_rate_of_friday() -> None:
    converted = convert_currency(
        observations((at(10, 12), 1.0), (at(11, 12), 1.0)), ECB, source=parse_unit("EUR"), target=parse_unit("USD"), zone="UTC"
    )
    assert values(converted) == [1.1252, 1.1252]


def test_units_may_differ_in_more_than_currency() -> None:
    rates = Rates("GBP", "EUR", observations(fixing(8, 1.18)), FRANKFURT)
    converted = convert_currency(
        observations((at(8, 12), 80.0)),
        rates,
        source=parse_unit("GBp/therm"),
        target=parse_unit("EUR/MWh"),
        zone="Europe/London",
    )
    assert values(converted) == [pytest.approx(80 / 100 * 34.12141633 * 1.18, rel=1e-9)]


def test_minor_unit_as_target_is_a_hundredth() -> None:
    converted = convert_currency(
        observations((at(8, 12), 1.0)), ECB, source=parse_unit("EUR/kWh"), target=parse_unit("USc/kWh"), zone="UTC"
    )
    assert values(converted) == [pytest.approx(112.97)]


@pytest.mark.parametrize(
    ("ts", "day"), [(at(6, 12), "2025-05-06"), (at(20, 12), "2025-05-20")], ids=["before the first", "long after the last"]
)
def test_day_without_a_rate_is_refused_by_pair_and_day(ts: datetime, day: str) -> None:
    frame = observations((at(8), 1.0), (ts, 1.0), (ts + timedelta(days=30), 1.0)).sort("ts")
    with pytest.raises(MissingRate) as caught:
        convert_currency(frame, ECB, source=parse_unit("EUR"), target=parse_unit("USD"), zone="UTC")
    assert isinstance(caught.value, Invalid)
    assert caught.value.facts == {"source": "EUR", "target": "USD", "day": day}


def test_monthly_rates_stand_for_a_month_when_told_to() -> None:
    monthly = Rates("EUR", "USD", ECB.frame.head(1), FRANKFURT, max_age=timedelta(days=31))
    late = observations((at(30, 12), 1.0))
    assert values(convert_currency(late, monthly, source=parse_unit("EUR"), target=parse_unit("USD"), zone="UTC")) == [1.136]


@pytest.mark.parametrize("bad", [float("nan"), 0.0, -1.0, float("inf")])
def test_withdrawn_and_impossible_rates_are_no_rates(bad: float) -> None:
    rates = Rates("EUR", "USD", observations(fixing(8, 1.1297), fixing(9, bad)), FRANKFURT)
    frame = observations((at(9, 12), 1.0))
    assert values(convert_currency(frame, rates, source=parse_unit("EUR"), target=parse_unit("USD"), zone="UTC")) == [1.1297]


def test_converted_value_is_known_when_both_are_and_as_good_as_the_worse() -> None:
    known = at(12)
    rates = Rates("EUR", "USD", observations(fixing(8, 1.1297), known_at=known, quality=Quality.PRELIMINARY), FRANKFURT)
    converted = convert_currency(
        observations((at(8, 12), 1.0)), rates, source=parse_unit("EUR"), target=parse_unit("USD"), zone="UTC"
    )
    assert converted["known_at"].to_list() == [known]
    assert converted["quality"].to_list() == [Quality.PRELIMINARY]


def test_rows_columns_and_order_stay() -> None:
    frame = observations((at(9, 12), 1.0), (at(8, 12), 2.0), (at(9, 13), 3.0)).with_columns(series_id=pl.lit(7))
    converted = convert_currency(frame, ECB, source=parse_unit("EUR"), target=parse_unit("USD"), zone="UTC")
    assert converted.schema == frame.schema
    assert converted["ts"].to_list() == frame["ts"].to_list()
    assert values(converted) == [1.1252, 2 * 1.1297, 3 * 1.1252]


def test_cross_rate_goes_through_the_common_currency() -> None:
    sterling = Rates.from_series(parse_unit("GBP/EUR"), observations(fixing(8, 0.8476)), zone=FRANKFURT)
    cross = sterling.inverse().then(ECB)
    assert (cross.source, cross.target) == ("GBP", "USD")
    assert values(cross.frame) == [pytest.approx(1.1297 / 0.8476)]


def test_cross_rate_has_no_day_that_the_second_pair_lacks() -> None:
    sterling = Rates.from_series(parse_unit("GBP/EUR"), observations(fixing(2, 0.85), fixing(8, 0.8476)), zone=FRANKFURT)
    assert sterling.inverse().then(ECB).frame.height == 1


def test_rates_of_another_pair_are_refused() -> None:
    frame = observations((at(8), 1.0))
    with pytest.raises(WrongPair):
        convert_currency(frame, ECB, source=parse_unit("USD"), target=parse_unit("EUR"), zone="UTC")
    with pytest.raises(WrongPair):
        ECB.then(ECB)
    with pytest.raises(WrongPair):
        Rates.from_series(parse_unit("USD/MWh"), frame, zone="UTC")


def test_currency_does_not_bridge_dimensions() -> None:
    with pytest.raises(IncompatibleUnits):
        convert_currency(
            observations((at(8), 1.0)), ECB, source=parse_unit("EUR/MWh"), target=parse_unit("USD/bbl"), zone="UTC"
        )


def days(*numbers: int, month: int = 5) -> pl.Series:
    return pl.Series([date(2025, month, number) for number in numbers])


def test_a_weekend_has_the_rate_of_friday_and_a_day_its_own() -> None:
    assert rates_of_days(days(11, 8, 8), ECB).rows() == [
        (date(2025, 5, 8), 1.1297, date(2025, 5, 8)),
        (date(2025, 5, 11), 1.1252, date(2025, 5, 9)),
    ]
    assert rates_of_days(days(), ECB).is_empty()


def test_a_holiday_of_target_has_the_rate_of_the_last_day_before_it_alone() -> None:
    rows = observations(fixing(16, 1.13, month=4), fixing(17, 1.14, month=4), fixing(22, 1.15, month=4))
    rates = Rates.from_series(parse_unit("USD/EUR"), rows, zone=FRANKFURT)
    easter = days(18, 21, month=4)
    assert rates_of_days(easter, rates)["rate"].to_list() == [1.14, 1.14]
    without_thursday = Rates.from_series(parse_unit("USD/EUR"), rows.filter(pl.col("value") != 1.14), zone=FRANKFURT)
    with pytest.raises(MissingRate, match=r"no rate EUR to USD for 2025-04-18$"):
        rates_of_days(easter, without_thursday)


@pytest.mark.parametrize(
    ("rate_days", "used"),
    [
        ([date(2024, 10, 14)], [date(2024, 10, 14)]),
        ([date(2024, 10, 11)], [date(2024, 10, day) for day in (11, 12, 13)]),
        ([date(2024, 3, 28)], [*(date(2024, 3, day) for day in (28, 29, 30, 31)), date(2024, 4, 1)]),
        ([date(2024, 10, 12)], [date(2024, 10, 12), date(2024, 10, 13)]),
        ([date(2024, 10, 16), date(2024, 10, 14)], [date(2024, 10, 14), date(2024, 10, 16)]),
        ([], []),
    ],
)
def test_a_rate_is_used_on_its_day_and_until_the_ecb_publishes_again(rate_days: list[date], used: list[date]) -> None:
    assert days_of_rates(pl.Series(rate_days, dtype=pl.Date)).to_list() == used


def test_a_day_of_target_without_its_rate_is_named_and_so_is_one_that_is_not_published_yet() -> None:
    gap = Rates.from_series(parse_unit("USD/EUR"), observations(fixing(7, 1.136), fixing(9, 1.1252)), zone=FRANKFURT)
    with pytest.raises(MissingRate, match=r"no rate EUR to USD for 2025-05-08$") as caught:
        rates_of_days(days(7, 8, 9), gap)
    assert caught.value.facts == {"source": "EUR", "target": "USD", "day": "2025-05-08"}
    with pytest.raises(MissingRate, match=r"for 2025-05-12: it is not published yet, or not loaded; the newest .* 2025-05-09"):
        rates_of_days(days(9, 12), ECB)
    with pytest.raises(MissingRate, match=r"no rate EUR to USD for 1998-12-30$"):
        rates_of_days(pl.Series([date(1998, 12, 30)]), Rates("EUR", "USD", ECB.frame.clear(), FRANKFURT))


def test_a_pair_through_a_third_currency_has_a_rate_on_days_of_both_where_none_is_carried() -> None:
    pounds = Rates.from_series(parse_unit("GBP/EUR"), observations(fixing(7, 0.85), fixing(8, 0.86)), zone=FRANKFURT)
    dollars = Rates("EUR", "USD", observations(fixing(7, 1.136), fixing(9, 1.1252)), FRANKFURT, timedelta())
    with pytest.raises(MissingRate, match="no rate GBP to USD for 2025-05-08"):
        rates_of_days(days(8), pounds.inverse().then(dollars))
    assert rates_of_days(days(7), pounds.inverse().then(dollars))["rate"].to_list() == pytest.approx([1.136 / 0.85])
