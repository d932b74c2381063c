import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aurum.core.catalog import Quality
from aurum.core.frames import MANY_OBSERVATIONS, OBSERVATIONS, FrameMismatch
from aurum.core.frequency import Frequency
from aurum.core.series.resample import Aggregation, CannotResample, interval_end, resample

NEW_YORK = "America/New_York"
KNOWN = datetime(2025, 12, 1, tzinfo=UTC)

RESAMPLED = pl.Schema({**OBSERVATIONS, "count": pl.Int64()})


def observations(start: datetime, step: timedelta, values: list[float], **columns: object) -> pl.DataFrame:
    frame = pl.DataFrame({"ts": [start + step * n for n in range(len(values))], "value": values})
    named = {"quality": 0, "known_at": KNOWN} | columns
    literals = {name: pl.Series(column) if isinstance(column, list) else pl.lit(column) for name, column in named.items()}
    return frame.with_columns(**literals).select(pl.col(name).cast(dtype) for name, dtype in OBSERVATIONS.items())


def hourly(start: datetime, values: list[float], **columns: object) -> pl.DataFrame:
    return observations(start, timedelta(hours=1), values, **columns)


def daily(frame: pl.DataFrame, agg: Aggregation, freq: Frequency = Frequency.DAY, zone: str = NEW_YORK) -> pl.DataFrame:
    return resample(frame, series_frequency=Frequency.HOUR, freq=freq, agg=agg, zone=zone)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


FALL_DAY = hourly(utc(2025, 11, 2, 4), [float(n) for n in range(25)])


def test_daily_mean_of_the_fall_back_day_is_over_25_hours() -> None:
    answer = daily(FALL_DAY, Aggregation.MEAN)
    assert answer.rows() == [(utc(2025, 11, 2, 4), 12.0, 0, KNOWN, 25)]
    assert answer.schema == RESAMPLED


def test_spring_forward_day_has_23_hours() -> None:
    spring = hourly(utc(2025, 3, 9, 5), [1.0] * 23 + [5.0])
    answer = daily(spring, Aggregation.COUNT)
    assert answer.select("ts", "value").rows() == [(utc(2025, 3, 9, 5), 23.0), (utc(2025, 3, 10, 4), 1.0)]


@pytest.mark.parametrize(
    ("agg", "value"),
    [
        (Aggregation.MEAN, 2.5),
        (Aggregation.SUM, 10.0),
        (Aggregation.MIN, 1.0),
        (Aggregation.MAX, 4.0),
        (Aggregation.FIRST, 3.0),
        (Aggregation.LAST, 2.0),
        (Aggregation.MEDIAN, 2.5),
        (Aggregation.STD, math.sqrt(5 / 3)),
        (Aggregation.COUNT, 4.0),
    ],
)
def test_aggregations(agg: Aggregation, value: float) -> None:
    frame = hourly(utc(2025, 7, 1, 4), [3.0, 1.0, 4.0, 2.0])
    assert daily(frame, agg)["value"].to_list() == [pytest.approx(value)]


def test_deviation_of_a_single_value_is_not_a_number() -> None:
    assert daily(FALL_DAY.head(1), Aggregation.STD)["value"].is_nan().to_list() == [True]


@pytest.mark.parametrize(
    ("freq", "start"),
    [
        (Frequency.DAY, utc(2025, 8, 14, 4)),
        (Frequency.WEEK, utc(2025, 8, 11, 4)),  # a Monday
        (Frequency.MONTH, utc(2025, 8, 1, 4)),
        (Frequency.QUARTER, utc(2025, 7, 1, 4)),
        (Frequency.YEAR, utc(2025, 1, 1, 5)),  # midnight of standard time
    ],
)
def test_buckets_start_at_local_boundaries(freq: Frequency, start: datetime) -> None:
    assert daily(hourly(utc(2025, 8, 14, 12), [1.0]), Aggregation.SUM, freq)["ts"].to_list() == [start]


def test_last_local_hour_of_the_day_is_not_the_next_utc_day() -> None:
    frame = hourly(utc(2025, 7, 2, 3), [1.0, 2.0])  # 23:00 and 00:00 in New York
    assert daily(frame, Aggregation.SUM)["value"].to_list() == [1.0, 2.0]
    assert daily(frame, Aggregation.SUM, zone="UTC")["value"].to_list() == [3.0]


def test_both_hours_that_end_at_2_on_the_fall_day_stay_apart() -> None:
    quarters = observations(utc(2025, 11, 2, 5), timedelta(minutes=15), [1.0] * 4 + [2.0] * 4)
    answer = resample(quarters, series_frequency=Frequency.MIN_15, freq=Frequency.HOUR, agg=Aggregation.SUM, zone=NEW_YORK)
    assert answer.select("ts", "value").rows() == [(utc(2025, 11, 2, 5), 4.0), (utc(2025, 11, 2, 6), 8.0)]


def test_hours_of_a_clock_at_half_hours_start_on_its_hours() -> None:
    halves = observations(utc(2025, 7, 1, 0, 30), timedelta(minutes=30), [1.0, 2.0, 4.0])
    answer = resample(halves, series_frequency=Frequency.MIN_30, freq=Frequency.HOUR, agg=Aggregation.SUM, zone="Asia/Kolkata")
    assert answer.select("ts", "value").rows() == [(utc(2025, 7, 1, 0, 30), 3.0), (utc(2025, 7, 1, 1, 30), 4.0)]


def test_quarter_hours_are_those_of_utc_in_every_zone() -> None:
    minutes = observations(utc(2025, 7, 1, 0, 10), timedelta(minutes=5), [1.0, 2.0, 4.0])
    for zone in (NEW_YORK, "Asia/Kolkata", "Asia/Kathmandu", "Etc/GMT+5"):
        answer = resample(minutes, series_frequency=Frequency.MIN_5, freq=Frequency.MIN_15, agg=Aggregation.SUM, zone=zone)
        assert answer["ts"].to_list() == [utc(2025, 7, 1, 0, 0), utc(2025, 7, 1, 0, 15)]


def test_withdrawn_values_do_not_enter_and_their_withdrawal_is_known() -> None:
    later = KNOWN + timedelta(days=1)
    frame = hourly(
        utc(2025, 7, 1, 4),
        [1.0, float("nan"), 3.0],
        quality=[Quality.GOOD, Quality.WITHDRAWN, Quality.ESTIMATED],
        known_at=[KNOWN, later, KNOWN],
    )
    assert daily(frame, Aggregation.COUNT)["value"].to_list() == [2.0]
    assert daily(frame, Aggregation.MEAN).row(0) == (utc(2025, 7, 1, 4), 2.0, Quality.ESTIMATED, later, 2)
    assert daily(frame.head(2), Aggregation.LAST)["value"].to_list() == [1.0]
    assert daily(frame.tail(2), Aggregation.FIRST)["value"].to_list() == [3.0]


def test_bucket_in_which_everything_is_withdrawn_is_left_out() -> None:
    frame = hourly(utc(2025, 7, 1, 4), [float("nan")] * 3, quality=Quality.WITHDRAWN)
    assert daily(frame, Aggregation.SUM).height == 0


def test_quality_is_the_worst_and_known_at_the_latest_of_the_bucket() -> None:
    known = [KNOWN, KNOWN + timedelta(hours=5), KNOWN + timedelta(hours=1)]
    frame = hourly(utc(2025, 7, 1, 4), [1.0, 2.0, 3.0], quality=[3, 0, 1], known_at=known)
    answer = daily(frame, Aggregation.MAX)
    assert answer["quality"].to_list() == [Quality.SUSPECT]
    assert answer["known_at"].to_list() == [max(known)]


def test_the_same_frequency_passes_values_through_the_aggregation() -> None:
    assert daily(FALL_DAY, Aggregation.MEAN, Frequency.HOUR).drop("count").equals(FALL_DAY)
    assert set(daily(FALL_DAY, Aggregation.COUNT, Frequency.HOUR)["value"]) == {1.0}


def test_finer_than_the_data_is_refused() -> None:
    with pytest.raises(CannotResample, match="frequency 1h to 15min: the step is finer than the data") as caught:
        daily(FALL_DAY, Aggregation.MEAN, Frequency.MIN_15)
    assert caught.value.facts == {"series_frequency": "1h", "freq": "15min"}


def test_irregular_is_not_a_step_and_irregular_data_take_any() -> None:
    with pytest.raises(CannotResample, match="irregular is not a step"):
        daily(FALL_DAY, Aggregation.MEAN, Frequency.IRREGULAR)
    samples = observations(utc(2025, 7, 1, 4), timedelta(minutes=7), [1.0] * 9)
    answer = resample(samples, series_frequency=Frequency.IRREGULAR, freq=Frequency.HOUR, agg=Aggregation.COUNT, zone=NEW_YORK)
    assert answer["value"].to_list() == [9.0]


def test_series_are_resampled_each_for_itself() -> None:
    day = hourly(utc(2025, 7, 1, 4), [1.0, 2.0])
    ids = [pl.lit(number, pl.Int32).alias("series_id") for number in (7, 3)]
    many = pl.concat([day.select(ids[0], *OBSERVATIONS), day.select(ids[1], *OBSERVATIONS)])
    answer = resample(
        many,
        series_frequency=Frequency.HOUR,
        freq=Frequency.DAY,
        agg=Aggregation.SUM,
        zone=NEW_YORK,
        by=["series_id"],
    )
    assert answer.schema == pl.Schema({**MANY_OBSERVATIONS, "count": pl.Int64()})
    assert answer["series_id"].to_list() == [3, 7]
    assert answer["value"].to_list() == [3.0, 3.0]


def test_nothing_resamples_to_nothing() -> None:
    assert daily(OBSERVATIONS.to_frame(), Aggregation.MEAN).schema == RESAMPLED


def test_frame_of_another_shape_is_refused() -> None:
    with pytest.raises(FrameMismatch):
        daily(FALL_DAY.drop("known_at"), Aggregation.MEAN)


@pytest.mark.parametrize(
    ("frequency", "start", "end"),
    [
        (Frequency.MIN_5, utc(2025, 11, 2, 5, 55), utc(2025, 11, 2, 6)),
        (Frequency.HOUR, utc(2025, 11, 2, 5), utc(2025, 11, 2, 6)),
        (Frequency.DAY, utc(2025, 11, 2, 4), utc(2025, 11, 3, 5)),
        (Frequency.DAY, utc(2025, 3, 9, 5), utc(2025, 3, 10, 4)),
        (Frequency.WEEK, utc(2025, 10, 27, 4), utc(2025, 11, 3, 5)),
        (Frequency.MONTH, utc(2025, 11, 1, 4), utc(2025, 12, 1, 5)),
        (Frequency.QUARTER, utc(2025, 10, 1, 4), utc(2026, 1, 1, 5)),
        (Frequency.YEAR, utc(2025, 1, 1, 5), utc(2026, 1, 1, 5)),
        (Frequency.DAY, utc(2025, 11, 1, 13), utc(2025, 11, 2, 14)),  # a gas day from nine to nine
        (Frequency.IRREGULAR, utc(2025, 11, 2, 5), None),
    ],
)
def test_intervals_end_on_the_local_clock(frequency: Frequency, start: datetime, end: datetime | None) -> None:
    ends = FALL_DAY.head(1).select(interval_end(pl.lit(start), frequency, NEW_YORK).alias("end"))["end"]
    assert ends.dtype == pl.Datetime("us", "UTC")
    assert ends.to_list() == [end]
