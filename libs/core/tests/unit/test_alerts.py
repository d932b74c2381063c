"""Rules that find faults of datasets, and what the findings of checks do to alerts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.alerts.alert import (
    CLEAR_CHECKS,
    Alert,
    AlertKind,
    AlertState,
    Finding,
    Subject,
    acknowledged,
    not_seen,
    resolved,
    seen_again,
)
from aurum.core.alerts.rules import Publication, incomplete, late, shrinking, stale

NOW = datetime(2025, 11, 3, 12, tzinfo=UTC)
DAY = date(2025, 11, 3)
HOUR = timedelta(hours=1)
FINDING = Finding(Subject("nyiso", "damlbmp_zone", AlertKind.LATE, DAY), "it is late", {"minutes_overdue": 5})


def opened() -> Alert:
    return Alert("1", FINDING.subject, AlertState.OPEN, FINDING.summary, NOW, NOW, FINDING.facts)


def test_a_publication_is_late_after_its_usual_time_and_the_grace() -> None:
    def found_at(now: datetime) -> Finding | None:
        return late("nyiso", "damlbmp_zone", missing=DAY, usual=NOW, grace=HOUR, now=now)

    assert found_at(NOW + HOUR) is None
    finding = found_at(NOW + HOUR + timedelta(minutes=1))
    assert finding is not None
    assert finding.subject == FINDING.subject
    assert finding.facts["minutes_overdue"] == 61


def test_a_dataset_is_stale_on_the_local_day_of_the_check() -> None:
    check = datetime(2025, 11, 3, 3, tzinfo=UTC)  # the evening of the 2nd in New York

    def found_of(newest: datetime) -> Finding | None:
        return stale("nyiso", "isolf", zone="America/New_York", newest=newest, freshness_hours=48, now=check)

    assert found_of(check - 48 * HOUR) is None
    finding = found_of(check - 49 * HOUR)
    assert finding is not None
    assert finding.subject.day == date(2025, 11, 2)


def test_a_day_with_gaps_is_incomplete() -> None:
    assert incomplete("pjm", "hubs", day=DAY, series=0, missing=0, expected=240) is None
    finding = incomplete("pjm", "hubs", day=DAY, series=1, missing=3, expected=240)
    assert finding is not None
    assert "1 series has gaps, 3 of 240 intervals" in finding.summary


@pytest.mark.parametrize(("rows", "series", "has_shrunk"), [(90, 10, False), (89, 10, True), (100, 8, True), (200, 20, False)])
def test_a_publication_under_nine_tenths_of_the_usual_one_has_shrunk(rows: int, series: int, *, has_shrunk: bool) -> None:
    earlier = [Publication(DAY, 100, 10)] * 10 + [Publication(DAY, 10_000, 10_000)] * 20

    assert (shrinking("a", "b", Publication(DAY, rows, series), earlier) is not None) is has_shrunk


def test_without_three_earlier_publications_there_is_no_usual_size() -> None:
    assert shrinking("a", "b", Publication(DAY, 0, 0), [Publication(DAY, 100, 10)] * 2) is None


def test_an_alert_is_resolved_after_two_clear_checks_in_a_row() -> None:
    once = not_seen(opened(), NOW)
    assert once.state is AlertState.OPEN
    assert not_seen(seen_again(once, FINDING, NOW), NOW).state is AlertState.OPEN
    twice = not_seen(once, NOW + HOUR)
    assert (twice.state, twice.resolved_at, twice.resolved_by) == (AlertState.RESOLVED, NOW + HOUR, "")


def test_a_person_acknowledges_an_open_alert_and_resolves_any() -> None:
    seen = acknowledged(opened(), "key:a", NOW)
    assert (seen.state, seen.acknowledged_by) == (AlertState.ACKNOWLEDGED, "key:a")
    assert acknowledged(seen, "key:b", NOW) == seen
    settled = resolved(seen, "key:b", NOW)
    assert (settled.state, settled.resolved_by) == (AlertState.RESOLVED, "key:b")
    assert resolved(settled, "key:c", NOW) == settled
    assert acknowledged(settled, "key:c", NOW) == settled


@given(st.lists(st.booleans(), max_size=30))
def test_findings_that_come_and_go_never_reopen_an_alert(checks: list[bool]) -> None:
    alert, clear = opened(), 0
    for number, is_seen in enumerate(checks):
        before = alert.state
        alert = seen_again(alert, FINDING, NOW + number * HOUR) if is_seen else not_seen(alert, NOW + number * HOUR)
        clear = 0 if is_seen else clear + 1
        if before is AlertState.RESOLVED:
            assert alert.state is AlertState.RESOLVED
        else:
            assert (alert.state is AlertState.RESOLVED) == (clear >= CLEAR_CHECKS)
