"""Labels of local time and UTC, over every market's clock and 130 years. The standard library gives the expected results."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from aurum.core.frequency import Frequency
from aurum.core.markettime import (
    MARKETS,
    day_bounds,
    day_start,
    first_instant,
    hour_ending,
    hours_in_day,
    intervals_in_day,
    label_problem,
    local_day,
    occurrence,
    to_utc,
)

MARKET_ZONES = sorted({market.zone for market in MARKETS.values()} | {"Europe/Berlin", "America/Toronto"})
ODD_ZONES = ["Africa/Cairo", "America/Santiago", "America/Havana", "Asia/Beirut", "Atlantic/Azores", "Asia/Kolkata"]
# After 2099 Polars knows no summer time.
days = st.dates(date(1970, 1, 2), date(2099, 12, 30))
years = st.integers(1971, 2099)


def hours_of(year: int, zone: str) -> pl.DataFrame:
    """Return every hour of a local year with its label in a file, from the standard library."""
    start, end = day_start(date(year, 1, 1), zone), day_start(date(year + 1, 1, 1), zone)
    ts = [start + timedelta(hours=n) for n in range((end - start) // timedelta(hours=1))]
    local = [instant.astimezone(ZoneInfo(zone)) for instant in ts]
    return pl.DataFrame(
        {
            "ts": pl.Series(ts, dtype=pl.Datetime("us", "UTC")),
            "naive": pl.Series([clock.replace(tzinfo=None) for clock in local], dtype=pl.Datetime("us")),
            "day": [clock.date() for clock in local],
            "hour": [clock.hour + 1 for clock in local],
            "second": [bool(clock.fold) for clock in local],
        }
    )


@given(years, st.sampled_from(MARKET_ZONES))
@settings(max_examples=settings().max_examples * 2 // 5)
def test_hour_ending_labels_with_their_mark_name_every_hour_of_a_year(year: int, zone: str) -> None:
    hours = hours_of(year, zone)
    read = hours.select(hour_ending(pl.col("day"), pl.col("hour"), zone, second=pl.col("second")).alias("ts"))
    assert read["ts"].equals(hours["ts"])


@given(years, st.sampled_from(MARKET_ZONES))
@settings(max_examples=settings().max_examples * 2 // 5)
def test_without_a_mark_exactly_the_repeated_hours_stay_open(year: int, zone: str) -> None:
    """A label that occurs once is converted, one that occurs twice is null with a reason, and none is converted wrongly."""
    hours = hours_of(year, zone).with_columns(
        read=to_utc(pl.col("naive"), zone),
        problem=label_problem(pl.col("naive"), zone),
        times=pl.len().over("naive"),
    )
    once, twice = hours.filter(pl.col("times") == 1), hours.filter(pl.col("times") == 2)
    assert once["read"].equals(once["ts"])
    assert once["problem"].is_null().all()
    assert twice["read"].is_null().all()
    assert twice["problem"].eq("ambiguous_time").all()


@given(years, st.sampled_from(MARKET_ZONES))
@settings(max_examples=settings().max_examples * 2 // 5)
def test_hours_of_the_clock_that_no_instant_shows_do_not_exist(year: int, zone: str) -> None:
    shown = hours_of(year, zone)["naive"]
    clock = pl.datetime_range(pl.datetime(year, 1, 1), pl.datetime(year, 12, 31, 23), "1h", time_unit="us", eager=True)
    skipped = pl.DataFrame({"naive": clock}).filter(~pl.col("naive").is_in(shown.to_list()))
    assert len(skipped) == len(clock) - shown.n_unique()
    assert skipped.select(label_problem(pl.col("naive"), zone).eq("non_existent_time").all()).item()
    assert skipped.select(to_utc(pl.col("naive"), zone).is_null().all()).item()


@given(years, st.sampled_from(MARKET_ZONES))
@settings(max_examples=settings().max_examples // 5)
def test_order_alone_distinguishes_the_hours_of_a_public_nyiso_file(year: int, zone: str) -> None:
    hours = hours_of(year, zone).with_columns(second=occurrence(pl.col("naive")) == 1)
    assert hours.select(to_utc(pl.col("naive"), zone, second=pl.col("second")).alias("ts"))["ts"].equals(hours["ts"])


@given(days, st.sampled_from(MARKET_ZONES))
def test_a_market_day_has_23_24_or_25_hours_and_the_days_follow_one_another(day: date, zone: str) -> None:
    start, end = day_bounds(day, zone)
    assert hours_in_day(day, zone) in (23, 24, 25)
    assert intervals_in_day(day, zone, Frequency.MIN_15) == 4 * hours_in_day(day, zone)
    assert end == day_start(day + timedelta(days=1), zone)
    instants = pl.Series([start - timedelta(microseconds=1), start, end - timedelta(microseconds=1), end])
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    assert pl.select(local_day(pl.lit(instants), zone)).to_series().to_list() == [before, day, day, after]


@given(st.lists(days, min_size=1, max_size=20), st.sampled_from(MARKET_ZONES + ODD_ZONES))
def test_starts_of_days_are_the_same_by_column_and_one_by_one(several: list[date], zone: str) -> None:
    midnights = pl.Series(several).cast(pl.Datetime("us"))
    by_column = pl.select(first_instant(pl.lit(midnights), zone)).to_series().to_list()
    assert by_column == [day_start(day, zone) for day in several]


@given(
    st.datetimes(datetime.fromisoformat("1970-01-02"), datetime.fromisoformat("2099-12-30")),
    st.sampled_from(MARKET_ZONES + ODD_ZONES),
)
def test_first_instant_is_the_first_at_which_the_clock_shows_or_has_passed_it(naive: datetime, zone: str) -> None:
    instant = pl.select(first_instant(pl.lit(naive, pl.Datetime("us")), zone)).item()
    assert instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) >= naive
    assert instant == naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
