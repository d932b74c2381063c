"""Values that were in force some time before their interval."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.frames import HISTORY, MANY_OBSERVATIONS, UTC_US
from aurum.core.series.leads import DaysAhead, HoursAhead, Lead, known_ahead

NEW_YORK = "America/New_York"
SPRING = datetime(2026, 3, 8, 5, tzinfo=UTC)
"""Begin of the day in New York on which clocks skip the hour from two to three."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def cutoff(lead: Lead, ts: str) -> datetime:
    return lead.cutoffs(pl.Series("ts", [utc(ts)], UTC_US), NEW_YORK).item()


def history(*rows: tuple[datetime, datetime, datetime | None, float]) -> pl.DataFrame:
    """Return versions of one series: ``ts``, ``known_at``, ``superseded_at``, value."""
    return pl.DataFrame([(1, ts, known, end, value, 0) for ts, known, end, value in rows], schema=HISTORY, orient="row")


@pytest.mark.parametrize(
    ("lead", "ts", "expected"),
    [
        (DaysAhead(1), "2025-11-02T04:00", "2025-11-02T03:59:59.999999"),
        (DaysAhead(1), "2025-11-03T04:59", "2025-11-02T03:59:59.999999"),
        (DaysAhead(2), "2025-11-03T05:00", "2025-11-02T03:59:59.999999"),
        (DaysAhead(1, time(10)), "2025-11-02T04:00", "2025-11-01T14:00"),
        (DaysAhead(1, time(10)), "2025-11-03T05:00", "2025-11-02T15:00"),
        (DaysAhead(0, time(10)), "2025-11-03T05:00", "2025-11-03T15:00"),
        (DaysAhead(1, time(2, 30)), "2026-03-09T04:00", "2026-03-08T07:00"),
        (DaysAhead(1, time(1, 30)), "2025-11-03T05:00", "2025-11-02T05:30"),
        (HoursAhead(timedelta(hours=6)), "2026-03-08T07:00", "2026-03-08T01:00"),
        (HoursAhead(timedelta(minutes=30)), "2026-03-08T07:00", "2026-03-08T06:30"),
    ],
)
def test_a_lead_gives_each_interval_its_own_cut_off(lead: Lead, ts: str, expected: str) -> None:
    assert cutoff(lead, ts) == utc(expected)


def test_the_value_at_the_cut_off_is_that_of_the_last_publication_up_to_it() -> None:
    ts, hour = SPRING + timedelta(hours=12), timedelta(hours=1)
    versions = history(
        (ts, ts - 10 * hour, ts - 6 * hour, 1.0), (ts, ts - 6 * hour, ts - 2 * hour, 2.0), (ts, ts - 2 * hour, None, 3.0)
    )
    answers = {
        ahead: known_ahead(versions, HoursAhead(timedelta(hours=ahead)), zone=NEW_YORK)["value"].to_list()
        for ahead in (11, 10, 7, 6, 2, 1)
    }
    assert answers == {11: [], 10: [1.0], 7: [1.0], 6: [2.0], 2: [3.0], 1: [3.0]}


def test_no_cut_off_is_after_the_instant_of_the_read() -> None:
    ts, hour = SPRING, timedelta(hours=1)
    versions = history((ts, ts - 10 * hour, ts - 6 * hour, 1.0), (ts, ts - 6 * hour, None, 2.0))
    at = known_ahead(versions, HoursAhead(hour), zone=NEW_YORK, as_of=ts - 7 * hour)
    assert at["value"].to_list() == [1.0]


def test_no_versions_give_no_values() -> None:
    answer = known_ahead(pl.DataFrame(schema=HISTORY), DaysAhead(1), zone=NEW_YORK)
    assert_frame_equal(answer, pl.DataFrame(schema=MANY_OBSERVATIONS))


leads = st.one_of(
    st.builds(DaysAhead, st.integers(1, 3)),
    st.builds(DaysAhead, st.integers(1, 3), st.times().map(lambda at: at.replace(second=0, microsecond=0))),
    st.builds(HoursAhead, st.integers(1, 4000).map(lambda minutes: timedelta(minutes=minutes))),
)
known_minutes = st.lists(st.integers(-6000, 600), min_size=1, max_size=5, unique=True).map(sorted)


@given(lead=leads, known=known_minutes, hours=st.integers(0, 47), as_of=st.none() | st.integers(-6000, 600))
def test_each_interval_has_the_answer_as_of_its_cut_off(lead: Lead, known: list[int], hours: int, as_of: int | None) -> None:
    ts = SPRING + timedelta(hours=hours)
    times = [SPRING + timedelta(minutes=minutes) for minutes in known]
    versions = history(*zip([ts] * len(times), times, [*times[1:], None], map(float, known), strict=True))
    instant = SPRING + timedelta(minutes=as_of) if as_of is not None else None
    at = lead.cutoffs(pl.Series("ts", [ts], UTC_US), NEW_YORK).item()
    at = min(at, instant) if instant is not None else at
    expected = [float(minutes) for minutes, time_ in zip(known, times, strict=True) if time_ <= at][-1:]
    assert known_ahead(versions, lead, zone=NEW_YORK, as_of=instant)["value"].to_list() == expected
