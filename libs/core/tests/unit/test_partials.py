from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aurum.core.asof import Span
from aurum.core.frames import MANY_OBSERVATIONS
from aurum.core.frequency import Frequency
from aurum.core.markettime import parse_instant
from aurum.core.series.partials import PARTIALS, CannotCompose, buckets_in, compose, composes, keeps_whole_hours, partials
from aurum.core.series.resample import Aggregation

T0 = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def frame(*points: tuple[int, float, int]) -> pl.DataFrame:
    """Return observations of one series from (minutes after ``T0``, value, quality); each is known at its own ``ts``."""
    rows = [(7, T0 + timedelta(minutes=at), value, quality, T0 + timedelta(minutes=at)) for at, value, quality in points]
    return pl.DataFrame(rows, schema=MANY_OBSERVATIONS, orient="row")


def test_an_hour_has_sum_count_and_extremes_of_its_valid_values() -> None:
    hours = partials(frame((0, 2.0, 0), (5, -1.0, 2), (10, float("nan"), 0), (55, float("nan"), 9), (60, 4.0, 0)))
    assert hours.schema == PARTIALS
    assert hours.rows() == [
        (7, T0, 1.0, 2, -1.0, 2.0, 2, T0 + timedelta(minutes=55)),
        (7, T0 + HOUR, 4.0, 1, 4.0, 4.0, 0, T0 + HOUR),
    ]


def test_an_hour_without_a_valid_value_has_its_known_time() -> None:
    hours = partials(frame((0, float("nan"), 9)))
    assert hours.select("sum", "count", "quality", "known_at").rows() == [(0.0, 0, 0, T0)]
    assert hours["min"].is_nan().all()
    day = compose(hours, series_frequency=Frequency.MIN_5, freq=Frequency.DAY, agg=Aggregation.SUM, zone="UTC")
    assert day.is_empty()


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1.7e308, -1e290])
def test_a_value_that_could_overflow_a_sum_is_refused_except_for_extremes(value: float) -> None:
    hours = partials(frame((0, value, 0), (5, 1.0, 0)))
    assert hours["sum"].is_nan().all()
    for agg in (Aggregation.SUM, Aggregation.MEAN):
        with pytest.raises(CannotCompose):
            compose(hours, series_frequency=Frequency.MIN_5, freq=Frequency.DAY, agg=agg, zone="UTC")
    least = compose(hours, series_frequency=Frequency.MIN_5, freq=Frequency.DAY, agg=Aggregation.MIN, zone="UTC")
    assert least["value"].to_list() == [min(value, 1.0)]


@pytest.mark.parametrize(
    ("own", "freq", "agg", "expected"),
    [
        ("5min", "1d", "mean", True),
        ("30min", "1h", "sum", True),
        ("1min", "1y", "count", True),
        ("1h", "1d", "mean", False),
        ("1d", "1mo", "mean", False),
        ("5min", "15min", "mean", False),
        ("5min", "1d", "median", False),
        ("5min", "1d", "std", False),
        ("5min", "1d", "first", False),
        ("irregular", "1d", "mean", False),
        ("5min", "irregular", "mean", False),
    ],
)
def test_hours_give_aggregates_that_add_up_of_data_finer_than_an_hour(own: str, freq: str, agg: str, expected: bool) -> None:
    assert composes(Frequency(own), Frequency(freq), Aggregation(agg)) is expected
    if not expected and freq != "irregular":
        with pytest.raises(CannotCompose):
            compose(partials(frame()), series_frequency=Frequency(own), freq=Frequency(freq), agg=Aggregation(agg), zone="UTC")


def test_clocks_at_half_hours_are_recognized_before_rows_are_read() -> None:
    assert keeps_whole_hours("America/New_York", T0, T0 + 180 * 24 * HOUR)
    assert not keeps_whole_hours("Asia/Kolkata", T0)
    # Eleven hours from UTC in January, ten and a half in July.
    assert keeps_whole_hours("Australia/Lord_Howe", T0)
    assert not keeps_whole_hours("Australia/Lord_Howe", T0, T0 + 180 * 24 * HOUR)


def test_a_span_has_the_hours_that_start_in_it() -> None:
    half = timedelta(minutes=30)
    assert buckets_in(Span(T0, T0 + half)) == Span(T0, T0 + HOUR)
    assert buckets_in(Span(T0 + half, T0 + HOUR)) == Span(T0 + HOUR, T0 + HOUR)
    assert buckets_in(Span()) == Span()
    last = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    assert buckets_in(Span(T0, last)) == Span(T0, None)


def test_the_fall_day_counts_25_hours_and_the_spring_day_23() -> None:
    for day, hours in (("2025-11-02", 25), ("2025-03-09", 23)):
        start = parse_instant(day, "America/New_York")
        count = 12 * 48
        ts = pl.datetime_range(start, start + timedelta(minutes=5) * (count - 1), "5m", time_unit="us", eager=True)
        rows = (
            ts.alias("ts")
            .to_frame()
            .select(
                pl.lit(7, pl.Int32).alias("series_id"),
                "ts",
                value=pl.lit(1.0),
                quality=pl.lit(0, pl.Int16),
                known_at=pl.col("ts"),
            )
        )
        day = compose(
            partials(rows),
            series_frequency=Frequency.MIN_5,
            freq=Frequency.DAY,
            agg=Aggregation.COUNT,
            zone="America/New_York",
        )
        assert day.row(0)[1:3] == (start, 12.0 * hours)
