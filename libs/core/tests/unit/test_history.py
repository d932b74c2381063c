"""Months that are closed, and the comparison of two copies of their rows."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aurum.core.frames import HISTORY
from aurum.core.history import first_open_month, tally

START = datetime(2024, 12, 31, 22, tzinfo=UTC)


def rows(values: list[float], *, series_id: int = 1, superseded_at: datetime | None = None) -> pl.DataFrame:
    ts = [START + timedelta(hours=number) for number in range(len(values))]
    content = {
        "series_id": series_id,
        "ts": ts,
        "known_at": START,
        "superseded_at": superseded_at,
        "value": values,
        "quality": 0,
    }
    return pl.DataFrame(content, schema=HISTORY)


def test_a_part_is_a_series_in_a_utc_month() -> None:
    tallies = tally(pl.concat([rows([1.0, 2.0, 3.0]), rows([4.0], series_id=2)]))
    assert tallies.select("series_id", "month", "rows").rows() == [
        (1, date(2024, 12, 1), 2),
        (1, date(2025, 1, 1), 1),
        (2, date(2024, 12, 1), 1),
    ]


def test_a_tally_depends_on_no_order() -> None:
    frame = rows([float(number) for number in range(100)])
    assert_frame_equal(tally(frame.sample(fraction=1, shuffle=True, seed=1)), tally(frame))


@pytest.mark.parametrize(
    "other",
    [
        rows([1.0, 3.0]),
        rows([2.0, 1.0]),
        rows([1.0, float("nan")]),
        rows([1.0, 2.0], superseded_at=START + timedelta(days=1)),
        rows([1.0, 2.0]).with_columns(pl.lit(1, pl.Int16).alias("quality")),
        rows([1.0, 2.0]).with_columns(pl.col("known_at") + timedelta(microseconds=1)),
    ],
)
def test_whatever_differs_is_told_by_the_checksum(other: pl.DataFrame) -> None:
    assert tally(other)["checksum"].to_list() != tally(rows([1.0, 2.0]))["checksum"].to_list()


def test_a_row_twice_is_not_a_row_once() -> None:
    frame = rows([1.0])
    twice, once = tally(pl.concat([frame, frame])), tally(frame)
    assert (twice["rows"].item(), twice["checksum"].item() == once["checksum"].item()) == (2, False)


def test_a_month_is_closed_once_the_time_has_passed_since_its_end() -> None:
    month = timedelta(days=31)
    assert first_open_month(datetime(2026, 3, 3, tzinfo=UTC), closed_after=month) == date(2026, 1, 1)
    assert first_open_month(datetime(2026, 3, 4, tzinfo=UTC), closed_after=month) == date(2026, 2, 1)
