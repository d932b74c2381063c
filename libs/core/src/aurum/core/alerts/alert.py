"""An alert, its states, and how the findings of a check change it.

    (no alert) ──finding──▶ open ──▶ acknowledged
                              │            │
                              └────────────┴──▶ resolved   by a person, or after two checks in a row without the finding

There is at most one alert of a kind for a dataset and local day, so a finding that comes and goes opens one alert, not ten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

CLEAR_CHECKS = 2
"""Checks in a row without the finding after which an alert is resolved."""


class AlertKind(StrEnum):
    """The kind of an alert."""

    LATE = "late"
    """A publication is missing although its usual time and the grace after it are over."""
    STALE = "stale"
    """The newest interval is older than the freshness of the dataset allows."""
    INCOMPLETE = "incomplete"
    """A market day is over, and series have fewer intervals of it than its calendar has."""
    SHRINKING = "shrinking"
    """A publication has far fewer rows or series than the ones before it."""


class AlertState(StrEnum):
    """The state of an alert."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Subject:
    """The dataset, kind and local day that an alert is about; the day is in the time zone of the dataset."""

    source: str
    dataset: str
    kind: AlertKind
    day: date


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that a check sees now. ``summary``: one sentence. ``facts``: the numbers behind it, JSON-representable."""

    subject: Subject
    summary: str
    facts: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert; times in UTC. ``clear_checks``: checks in a row without the finding, since it was last seen.

    ``acknowledged_by``, ``resolved_by``: subjects of callers; ``resolved_by`` is empty where a check resolved it.
    """

    alert_id: str
    subject: Subject
    state: AlertState
    summary: str
    opened_at: datetime
    seen_at: datetime
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    clear_checks: int = 0
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""


def seen_again(alert: Alert, finding: Finding, now: datetime) -> Alert:
    """Return an alert after a check that has the finding. A resolved alert stays resolved: its day has had its alert."""
    if alert.state is AlertState.RESOLVED:
        return alert
    return replace(alert, summary=finding.summary, facts=finding.facts, seen_at=now, clear_checks=0)


def not_seen(alert: Alert, now: datetime) -> Alert:
    """Return an alert after a check without the finding: resolved after ``CLEAR_CHECKS`` of them in a row."""
    if alert.state is AlertState.RESOLVED:
        return alert
    checks = alert.clear_checks + 1
    if checks < CLEAR_CHECKS:
        return replace(alert, clear_checks=checks)
    return replace(alert, clear_checks=checks, state=AlertState.RESOLVED, resolved_at=now)


def acknowledged(alert: Alert, by: str, now: datetime) -> Alert:
    """Return an alert that a person has seen. One that is not open stays as it is."""
    if alert.state is not AlertState.OPEN:
        return alert
    return replace(alert, state=AlertState.ACKNOWLEDGED, acknowledged_at=now, acknowledged_by=by)


def resolved(alert: Alert, by: str, now: datetime) -> Alert:
    """Return an alert that a person has settled. One that is resolved already stays as it is."""
    if alert.state is AlertState.RESOLVED:
        return alert
    return replace(alert, state=AlertState.RESOLVED, resolved_at=now, resolved_by=by)
