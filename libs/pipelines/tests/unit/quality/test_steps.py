"""The step of a file against the step of its dataset."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aurum.core.catalog import Reason
from aurum.core.frames import PARSED, REFUSED
from aurum.core.frequency import Frequency
from aurum.pipelines.quality.gate import GateResult, check_rows
from aurum.pipelines.quality.suites import Suite
from aurum.pipelines.source import Dataset, Measure, Parsed, describe_series

START = datetime(2025, 7, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def checked(
    frequency: Frequency, instants: Sequence[datetime] | dict[str, Sequence[datetime]], zone: str = "UTC"
) -> GateResult:
    """Check a file with one value at each instant of location A, or of each location."""
    dataset = Dataset("invented", "prices", "Invented", zone, frequency, (Measure("lmp", "USD/MWh"),))
    by_location = instants if isinstance(instants, dict) else {"A": instants}
    points = [(location, ts) for location, stamps in by_location.items() for ts in stamps]
    rows = pl.DataFrame(
        {
            "location": [location for location, _ in points],
            "measure": ["lmp"] * len(points),
            "ts": [ts for _, ts in points],
            "value": [1.0] * len(points),
            "quality": [0] * len(points),
            "version": [0] * len(points),
            "line": list(range(2, 2 + len(points))),
        },
        schema=PARSED,
    )
    series = describe_series(dataset, rows)
    return check_rows(Parsed(dataset, rows, series, pl.DataFrame(schema=REFUSED), len(points), str), Suite("none"))


def every(step: timedelta, count: int, start: datetime = START) -> list[datetime]:
    return [start + step * n for n in range(count)]


def firsts(count: int, months: int = 1) -> list[datetime]:
    return [datetime(2020 + n * months // 12, n * months % 12 + 1, 1, tzinfo=UTC) for n in range(count)]


@pytest.mark.parametrize(
    ("frequency", "instants", "said"),
    [
        (Frequency.HOUR, every(5 * MINUTE, 36), "spacing 5 minutes, the dataset's is 1 hour"),
        (Frequency.HOUR, every(15 * MINUTE, 12), "spacing 15 minutes, the dataset's is 1 hour"),
        (Frequency.MIN_15, every(5 * MINUTE, 12), "spacing 5 minutes, the dataset's is 15 minutes"),
        (Frequency.MIN_5, every(HOUR, 24), "spacing 1 hour, the dataset's is 5 minutes"),
        (Frequency.HOUR, every(DAY, 7), "spacing 1 day, the dataset's is 1 hour"),
        (Frequency.DAY, every(HOUR, 24), "spacing 1 hour, the dataset's is 1 day"),
        (Frequency.DAY, firsts(3), "spacing 1 month, the dataset's is 1 day"),
        (Frequency.DAY, firsts(2), "spacing 1 month, the dataset's is 1 day"),
        (Frequency.DAY, firsts(3, 3), "spacing 1 quarter, the dataset's is 1 day"),
        (Frequency.DAY, every(7 * DAY, 6), "spacing 1 week, the dataset's is 1 day"),
        (Frequency.WEEK, every(DAY, 14), "spacing 1 day, the dataset's is 1 week"),
        (Frequency.WEEK, firsts(3), "spacing 1 month, the dataset's is 1 week"),
        (Frequency.MONTH, every(DAY, 31), "spacing 1 day, the dataset's is 1 month"),
        (Frequency.MONTH, every(7 * DAY, 5), "spacing 1 week, the dataset's is 1 month"),
        (Frequency.MONTH, firsts(3, 12), "spacing 1 year, the dataset's is 1 month"),
    ],
)
def test_a_file_of_another_step_is_refused_whole_and_says_which(
    frequency: Frequency, instants: list[datetime], said: str
) -> None:
    result = checked(frequency, instants)
    assert said in result.refusal
    assert result.rows.is_empty()
    assert result.series.is_empty()


@pytest.mark.parametrize(
    ("frequency", "instants", "said"),
    [
        (
            Frequency.HOUR,
            every(HOUR, 24, START + 30 * MINUTE),
            "rows are 1 hour apart, but not on the step of 1 hour: 2025-07-01 00:30 UTC",
        ),
        (
            Frequency.DAY,
            every(DAY, 7, START + 12 * HOUR),
            "rows are 1 day apart, but not on the step of 1 day: 2025-07-01 12:00 UTC",
        ),
    ],
)
def test_a_file_beside_its_grid_is_not_said_to_have_another_spacing(
    frequency: Frequency, instants: list[datetime], said: str
) -> None:
    assert checked(frequency, instants).refusal == f"another step: {said}; nothing of the file was stored"


@pytest.mark.parametrize(
    ("frequency", "instants"),
    [
        (Frequency.HOUR, every(HOUR, 24)),
        (Frequency.HOUR, [START]),
        (Frequency.HOUR, [START, START + 2 * HOUR, START + 5 * HOUR, START + 6 * HOUR]),
        (Frequency.DAY, [each for each in every(DAY, 60) if each.weekday() < 5]),
        (Frequency.DAY, [START, START + DAY, START + 40 * DAY]),
        (Frequency.WEEK, every(7 * DAY, 10)),
        (Frequency.MONTH, firsts(12)),
        (Frequency.QUARTER, firsts(4, 3)),
        (Frequency.YEAR, firsts(4, 12)),
        (Frequency.IRREGULAR, [START, START + MINUTE, START + 7 * MINUTE]),
        (Frequency.HOUR, []),
    ],
)
def test_a_file_of_its_own_step_passes_with_its_gaps(frequency: Frequency, instants: list[datetime]) -> None:
    result = checked(frequency, instants)
    assert (result.refusal, result.rows.height) == ("", len(instants))


def test_single_rows_off_the_grid_are_held_back_alone() -> None:
    result = checked(Frequency.HOUR, [*every(HOUR, 6), START + 30 * MINUTE])
    assert result.rows.height == 6
    assert result.quarantine.select("line", "reason", "detail").rows() == [
        (8, Reason.INVALID_TIME, "not on the step of 1 hour")
    ]


def test_one_location_of_another_step_is_held_back_with_its_whole_hours() -> None:
    result = checked(Frequency.HOUR, {"A": every(HOUR, 24), "B": every(HOUR, 24), "C": every(5 * MINUTE, 24)})
    assert result.refusal == ""
    assert result.rows["location"].unique(maintain_order=True).to_list() == ["A", "B"]
    assert result.series["location"].to_list() == ["A", "B"]
    assert set(result.quarantine["detail"]) == {"spacing 5 minutes, that of C is 1 hour"}


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Helsinki"])
def test_days_are_days_of_the_zone_over_both_clock_changes(zone: str) -> None:
    local = pl.datetime_range(datetime(2025, 1, 1), datetime(2025, 12, 31), "1d", time_zone=zone, eager=True)
    days = local.dt.convert_time_zone("UTC").to_list()
    assert checked(Frequency.DAY, days, zone).rows.height == 365
    off = checked(Frequency.DAY, [*days, days[-1] + HOUR], zone)
    assert off.quarantine["reason"].to_list() == [Reason.INVALID_TIME]


def test_hours_of_a_zone_that_is_half_an_hour_off_are_on_the_grid() -> None:
    assert checked(Frequency.HOUR, every(HOUR, 24, START + 30 * MINUTE), "Asia/Kolkata").rows.height == 24


def test_series_of_several_steps_in_one_file_are_each_checked_against_their_own() -> None:
    dataset = Dataset("invented", "prices", "Invented", "UTC", Frequency.IRREGULAR, (Measure("lmp", "USD/MWh"),))
    instants = {"DAILY": firsts(6), "MONTHLY": firsts(6), "OTHER": firsts(6)}
    points = [(location, ts) for location, stamps in instants.items() for ts in stamps]
    rows = pl.DataFrame(
        {"location": [each for each, _ in points], "ts": [ts for _, ts in points], "line": range(2, 2 + len(points))}
    ).with_columns(measure=pl.lit("lmp"), value=pl.lit(1.0), quality=pl.lit(0), version=pl.lit(0))
    rows = rows.select(pl.col(name).cast(dtype) for name, dtype in PARSED.items())
    steps = {"DAILY": "1d", "MONTHLY": "1mo", "OTHER": "1mo"}
    series = describe_series(dataset, rows).with_columns(frequency=pl.col("location").replace_strict(steps))
    file = Parsed(dataset, rows, series, pl.DataFrame(schema=REFUSED), len(points), str)
    result = check_rows(file, Suite("none"))
    assert result.series["location"].to_list() == ["MONTHLY", "OTHER"]
    assert set(result.quarantine["detail"]) == {"spacing 1 month, that of DAILY is 1 day"}
    only_one = replace(
        file, rows=rows.filter(pl.col("location") == "DAILY"), series=series.filter(pl.col("location") == "DAILY")
    )
    assert check_rows(only_one, Suite("none")).refusal


def test_days_of_uneven_weeks_are_not_said_to_be_a_week_apart() -> None:
    stamps = [START + n * DAY for n in (0, 1, 3, 6, 10, 15, 22, 29)]
    assert "most rows are less than 1 week apart" in checked(Frequency.WEEK, stamps).refusal
