from dataclasses import replace
from datetime import UTC, datetime, time

import polars as pl
import pytest

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.frames import PARSED, REFUSED
from aurum.core.frequency import Frequency
from aurum.pipelines.loading.known_time import InvalidKnownAt, KnownAtPolicy, known_time
from aurum.pipelines.source import Dataset, Parsed, PublicationSchedule, RefusedFile, describe_series

DATASET = Dataset(
    source="invented",
    name="da",
    title="Day-ahead",
    zone="America/New_York",
    frequency=Frequency.HOUR,
    measures=(),
    schedule=PublicationSchedule(days=-1, at=time(13, 30), zone="America/New_York"),
)
STATED = datetime(2026, 6, 3, 16, 57, tzinfo=UTC)
EMPTY = pl.DataFrame(schema=PARSED)


def file(known_at: datetime | None = STATED, dataset: Dataset = DATASET) -> Parsed:
    return Parsed(dataset, EMPTY, describe_series(dataset, EMPTY), pl.DataFrame(schema=REFUSED), 0, str, known_at)


def test_the_file_speaks_for_itself_when_no_basis_is_requested() -> None:
    known = known_time(file(), KnownAtPolicy())
    assert (known.basis, known.time) == (KnownAtBasis.FILE, STATED)


def test_a_file_that_says_nothing_is_known_when_it_was_available_else_when_it_is_loaded() -> None:
    available = KnownAtPolicy(KnownAtBasis.AVAILABLE, STATED)
    assert known_time(file(None), available).time == STATED
    assert known_time(file(None), KnownAtPolicy()).basis is KnownAtBasis.INGESTION


def test_an_argument_wins_over_what_the_file_says() -> None:
    policy = KnownAtPolicy.parse("2026-01-01T00:00:00+01:00")
    known = known_time(file(), policy)
    assert (known.basis, known.time) == (KnownAtBasis.ARGUMENT, datetime(2025, 12, 31, 23, tzinfo=UTC))


def scheduled(
    *ts: datetime, frequency: Frequency = Frequency.HOUR, zone: str = "America/New_York", week: str = ""
) -> list[object]:
    """Known times by the schedule, of observations of one series."""
    count = len(ts)
    columns = {"location": ["A"] * count, "measure": ["x"] * count, "ts": list(ts), "value": [1.0] * count}
    rows = pl.DataFrame(columns).with_columns(quality=pl.lit(0), version=pl.lit(0), line=pl.lit(1)).cast(dict(PARSED))
    labels = {"week": week} if week else {}
    series = describe_series(DATASET, rows, labels=labels).with_columns(zone=pl.lit(zone), frequency=pl.lit(str(frequency)))
    parsed = Parsed(DATASET, rows, series, pl.DataFrame(schema=REFUSED), count, str)
    known = known_time(parsed, KnownAtPolicy(KnownAtBasis.SCHEDULE))
    joined = rows.join(series.select("location", "measure", *known.of_series), on=["location", "measure"])
    return joined.select(known.column.alias("known_at"))["known_at"].to_list()


def test_the_schedule_is_told_in_local_time_on_both_sides_of_a_clock_change() -> None:
    known = scheduled(datetime(2025, 11, 2, 12, tzinfo=UTC), datetime(2025, 11, 3, 12, tzinfo=UTC))
    assert known == [datetime(2025, 11, 1, 17, 30, tzinfo=UTC), datetime(2025, 11, 2, 18, 30, tzinfo=UTC)]


def test_the_schedule_counts_from_the_day_of_the_series_own_clock() -> None:
    midnight_in_brussels = datetime(2025, 11, 2, 23, tzinfo=UTC)
    assert scheduled(midnight_in_brussels, zone="Europe/Brussels") == [datetime(2025, 11, 2, 18, 30, tzinfo=UTC)]


def test_the_schedule_counts_from_the_last_day_of_a_weekly_flow() -> None:
    friday, saturday_before = datetime(2025, 11, 7, 5, tzinfo=UTC), datetime(2025, 11, 1, 4, tzinfo=UTC)
    level = scheduled(friday, frequency=Frequency.WEEK, week="level")
    assert scheduled(saturday_before, frequency=Frequency.WEEK, week="flow") == level


def test_a_basis_that_the_file_or_its_dataset_lacks_refuses_the_file() -> None:
    with pytest.raises(RefusedFile, match="does not say"):
        known_time(file(None), KnownAtPolicy(KnownAtBasis.FILE))
    with pytest.raises(RefusedFile, match="no publication schedule"):
        known_time(file(dataset=replace(DATASET, schedule=None)), KnownAtPolicy(KnownAtBasis.SCHEDULE))


@pytest.mark.parametrize("text", ["yesterday", "2026-01-01T00:00:00", ""])
def test_a_known_time_that_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidKnownAt):
        KnownAtPolicy.parse(text)
