"""Rows whose two columns of times name different instants are not stored."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.pipelines.reading.dates import times
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.reading.two_times import hold_to_second_time, local_clock
from aurum.pipelines.source import RefusedFile

ZONE = "America/New_York"
NOON = datetime(2025, 7, 4, 16, tzinfo=UTC)


def held(*pairs: tuple[datetime, str | None]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that pass and those held back, of a table with the columns UTC and EPT."""
    table = pl.DataFrame(
        {
            "ts": [ts for ts, _ in pairs],
            "UTC": [f"{ts:%Y-%m-%d %H:%M}" for ts, _ in pairs],
            "EPT": [label for _, label in pairs],
            "line": list(range(2, 2 + len(pairs))),
        },
        schema={"ts": pl.Datetime("us", "UTC"), "UTC": pl.String, "EPT": pl.String, "line": pl.UInt32},
    )
    refusals = Refusals(lambda line: f"text of line {line}")
    label, expected = times(pl.col("EPT"), ("%Y-%m-%d %H:%M",)), [local_clock(pl.col("ts"), ZONE)]
    passed = hold_to_second_time(table, refusals, first="UTC", second=["EPT"], label=label, expected=expected)
    return passed, refusals.frame()


def hours(count: int, *, start: datetime = NOON, behind: int = 4) -> list[tuple[datetime, str | None]]:
    instants = [start + timedelta(hours=n) for n in range(count)]
    return [(ts, f"{ts - timedelta(hours=behind):%Y-%m-%d %H:%M}") for ts in instants]


def test_columns_that_agree_pass_unchanged() -> None:
    passed, refused = held(*hours(24))
    assert passed["line"].to_list() == list(range(2, 26))
    assert refused.is_empty()


@pytest.mark.parametrize("label", ["2025-07-04 13:00", "2025-07-05 12:00", "2025-07-04 16:00", "noon"])
def test_a_row_whose_second_time_is_another_is_held_back_with_both(label: str) -> None:
    passed, refused = held((NOON, label), *hours(4, start=NOON + timedelta(hours=1)))
    assert passed["line"].to_list() == [3, 4, 5, 6]
    assert passed.columns == ["ts", "UTC", "EPT", "line"]
    assert refused.select("line", "column", "reason", "detail", "raw").rows() == [
        (2, "EPT", Reason.INVALID_TIME, f"EPT {label}: not the time of UTC 2025-07-04 16:00", "text of line 2")
    ]


def test_a_row_without_a_second_time_passes() -> None:
    passed, refused = held((NOON, None), *hours(2))
    assert (passed.height, refused.height) == (3, 0)


def test_both_hours_of_a_fall_day_have_the_local_time_they_have() -> None:
    start = datetime(2025, 11, 2, 5, tzinfo=UTC)
    passed, _ = held((start, "2025-11-02 01:00"), (start + timedelta(hours=1), "2025-11-02 01:00"))
    assert passed.height == 2


@pytest.mark.parametrize("behind", [5, 0, 3])
def test_a_file_most_of_whose_rows_disagree_is_refused_with_an_example(behind: int) -> None:
    wrong = hours(5, behind=behind)
    with pytest.raises(
        RefusedFile, match=rf"line 2: the time in EPT disagrees with UTC in 5 of 9 rows.*{wrong[0][1]} and 2025-07-04 16"
    ):
        held(*wrong, *hours(4))


def test_half_of_the_rows_is_not_most() -> None:
    passed, refused = held(*hours(4, behind=5), *hours(4))
    assert (passed.height, refused.height) == (4, 4)


def test_day_and_month_exchanged_in_both_columns_show_around_midnight_and_refuse_the_file() -> None:
    instants = [datetime(2025, 7, 4, 4, tzinfo=UTC) + timedelta(hours=n) for n in range(24)]
    with pytest.raises(RefusedFile, match="day and month are exchanged"):
        held(*exchanged(instants))


def hour_in_all(count: int) -> list[tuple[datetime, str | None]]:
    """Return five-minute rows whose second column repeats the hour of the first ones."""
    fives = [(NOON + timedelta(minutes=5 * n), n % 12 * 5) for n in range(count)]
    return [(ts, f"2025-07-04 12:{minute:02d}") for ts, minute in fives]


@pytest.mark.parametrize("count", [24, 36])
def test_a_second_column_that_repeats_times_does_not_refuse_the_first_one(count: int) -> None:
    passed, refused = held(*hour_in_all(count))
    assert (passed.height, refused.height) == (count, 0)
    assert passed.columns == ["ts", "UTC", "EPT", "line"]


def test_a_second_column_of_one_time_does_not_refuse_the_first_one() -> None:
    passed, refused = held(*[(ts, "2025-07-04 12:00") for ts, _ in hours(24)])
    assert (passed.height, refused.height) == (24, 0)


def test_a_first_column_that_was_filled_down_refuses_the_file() -> None:
    with pytest.raises(RefusedFile, match="in 23 of 24 rows"):
        held(*[(NOON, label) for _, label in hours(24)])


def test_repeated_times_of_an_instant_that_has_the_right_one_too_are_of_a_damaged_first_column() -> None:
    others = [(NOON, label) for _, label in hours(5)[1:]]
    with pytest.raises(RefusedFile, match="in 4 of 7 rows"):
        held(*hours(3), *others)


def exchanged(instants: Sequence[datetime]) -> list[tuple[datetime, str | None]]:
    locals_ = [ts - timedelta(hours=4) for ts in instants]
    return [
        (ts.replace(month=ts.day, day=ts.month), f"{at.replace(month=at.day, day=at.month):%Y-%m-%d %H:%M}")
        for ts, at in zip(instants, locals_, strict=True)
    ]
