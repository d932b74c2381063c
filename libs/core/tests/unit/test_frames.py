import polars as pl
import pytest

from aurum.core.errors import Invalid
from aurum.core.frames import MANY_OBSERVATIONS, OBSERVATIONS, UTC_US, FrameMismatch, conform


def test_conform_orders_columns_and_drops_others() -> None:
    frame = MANY_OBSERVATIONS.to_frame().select(pl.lit("x").alias("extra"), *reversed(MANY_OBSERVATIONS.names()))
    assert conform(frame, MANY_OBSERVATIONS).schema == MANY_OBSERVATIONS


def test_missing_column_and_other_dtype_are_named() -> None:
    frame = OBSERVATIONS.to_frame().drop("quality").with_columns(pl.col("value").cast(pl.Float32))
    with pytest.raises(FrameMismatch, match=r"value: Float32 instead of Float64; quality: missing instead of Int16"):
        conform(frame, OBSERVATIONS)
    assert issubclass(FrameMismatch, Invalid)


def test_naive_times_do_not_pass_for_utc() -> None:
    frame = OBSERVATIONS.to_frame().with_columns(pl.col("ts").dt.replace_time_zone(None))
    with pytest.raises(FrameMismatch, match="ts"):
        conform(frame, OBSERVATIONS)


def test_observations_of_many_series_are_observations_with_an_id() -> None:
    assert list(MANY_OBSERVATIONS) == ["series_id", *OBSERVATIONS]
    assert OBSERVATIONS["ts"] == UTC_US
