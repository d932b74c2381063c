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


def test_the_schedule_is_told_in_local_time_on_both_sides_of_a_clock_change() -> None:
    ts = pl.DataFrame({"ts": [datetime(2025, 11, 2, 12, tzinfo=UTC), datetime(2025, 11, 3, 12, tzinfo=UTC)]}).with_columns(
        pl.col("ts").dt.cast_time_unit("us")
    )
    known = ts.select(known_time(file(), KnownAtPolicy(KnownAtBasis.SCHEDULE)).column.alias("known_at"))["known_at"]
    assert known.to_list() == [datetime(2025, 11, 1, 17, 30, tzinfo=UTC), datetime(2025, 11, 2, 18, 30, tzinfo=UTC)]


def test_a_basis_that_the_file_or_its_dataset_lacks_refuses_the_file() -> None:
    with pytest.raises(RefusedFile, match="does not say"):
        known_time(file(None), KnownAtPolicy(KnownAtBasis.FILE))
    with pytest.raises(RefusedFile, match="no publication schedule"):
        known_time(file(dataset=replace(DATASET, schedule=None)), KnownAtPolicy(KnownAtBasis.SCHEDULE))


@pytest.mark.parametrize("text", ["yesterday", "2026-01-01T00:00:00", ""])
def test_a_known_time_that_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidKnownAt):
        KnownAtPolicy.parse(text)
