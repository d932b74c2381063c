from datetime import UTC, date, datetime

import polars as pl
import pytest

from aurum.core.markettime import hour_ending, label_problem, occurrence, to_utc

NEW_YORK = "America/New_York"
FALL, SPRING = date(2025, 11, 2), date(2025, 3, 9)


def hours(day: date, labels: list[int], second: list[bool | None] | None = None, zone: str = NEW_YORK) -> list[str | None]:
    """Return the UTC starts of hour-ending labels, as ``%d %H``."""
    columns: dict[str, object] = {"hour": labels} | ({} if second is None else {"second": second})
    flag = None if second is None else pl.col("second").cast(pl.Boolean)
    frame = pl.DataFrame(columns).select(hour_ending(pl.lit(day), pl.col("hour"), zone, second=flag).alias("ts"))
    assert frame.schema["ts"] == pl.Datetime("us", "UTC")
    return frame["ts"].dt.strftime("%d %H").to_list()


def test_hour_ending_one_begins_at_midnight_and_24_belongs_to_the_day_it_ends() -> None:
    assert hours(date(2025, 7, 1), [1, 2, 24]) == ["01 04", "01 05", "02 03"]


def test_labels_outside_1_to_24_name_no_hour() -> None:
    assert hours(date(2025, 7, 1), [0, 25, -1]) == [None, None, None]


def test_spring_forward_day_has_no_hour_ending_3() -> None:
    assert hours(SPRING, [2, 3, 4]) == ["09 06", None, "09 07"]


def test_repeated_hour_without_a_mark_is_never_guessed() -> None:
    assert hours(FALL, [1, 2, 3]) == ["02 04", None, "02 07"]


def test_repeated_hour_with_a_mark_is_two_hours() -> None:
    assert hours(FALL, [1, 2, 2, 3], [False, False, True, False]) == ["02 04", "02 05", "02 06", "02 07"]


def test_mark_that_is_missing_leaves_the_repeated_hour_open_and_no_other() -> None:
    assert hours(FALL, [2, 3], [None, None]) == [None, "02 07"]


def test_mark_has_no_effect_on_hours_that_come_once() -> None:
    assert hours(FALL, [1, 3], [True, True]) == hours(FALL, [1, 3], [False, False]) == ["02 04", "02 07"]


def test_standard_time_all_year_has_24_hours_on_the_days_clocks_change() -> None:
    assert hours(FALL, list(range(1, 25)), zone="Etc/GMT+5")[:3] == ["02 05", "02 06", "02 07"]
    assert None not in hours(SPRING, list(range(1, 25)), zone="Etc/GMT+5")


@pytest.mark.parametrize(
    ("naive", "problem"),
    [
        (None, "invalid_time"),
        (datetime.fromisoformat("2025-03-09 02:30"), "non_existent_time"),
        (datetime.fromisoformat("2025-11-02 01:30"), "ambiguous_time"),
        (datetime.fromisoformat("2025-11-02 02:00"), None),
    ],
)
def test_label_problem_says_why_a_label_names_no_single_instant(naive: datetime | None, problem: str | None) -> None:
    frame = pl.DataFrame({"naive": [naive]}, schema={"naive": pl.Datetime("us")})
    answer = frame.select(problem=label_problem(pl.col("naive"), NEW_YORK), ts=to_utc(pl.col("naive"), NEW_YORK))
    assert answer["problem"].to_list() == [problem]
    assert answer["ts"].is_null().to_list() == [problem is not None]


def test_to_utc_keeps_microseconds_whatever_the_unit_of_the_input() -> None:
    frame = pl.DataFrame({"naive": [datetime.fromisoformat("2025-07-01")]}, schema={"naive": pl.Datetime("ns")})
    ts = frame.select(ts=to_utc(pl.col("naive"), NEW_YORK))["ts"]
    assert ts.dtype == pl.Datetime("us", "UTC")
    assert ts.to_list() == [datetime(2025, 7, 1, 4, tzinfo=UTC)]


def test_occurrence_numbers_equal_keys_in_row_order() -> None:
    frame = pl.DataFrame({"zone": ["A", "B", "A", "A"], "hour": [1, 1, 1, 2]})
    assert frame.select(occurrence(pl.col("zone"), pl.col("hour"))).to_series().to_list() == [0, 0, 1, 0]
