"""Records the findings of a check: alerts are opened, seen again or resolved, and webhooks are sent each change.

All of it commits in one transaction: the alerts, the deliveries and the jobs that send them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from aurum.core.alerts.alert import Alert, AlertState, Finding, not_seen, seen_again
from aurum.services.webhooks.events import Event, send_events
from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transactions

CHECK = Actor("job:alerts.check")


@dataclass(frozen=True, slots=True)
class Changes:
    """The alerts that a check has opened and resolved."""

    opened: tuple[Alert, ...]
    resolved: tuple[Alert, ...]


def event_of(alert: Alert, what: str, at: datetime) -> Event:
    """Return the event ``alert.<what>``, with the alert as its data."""
    return Event(f"alert.{what}", at, {"alert": alert_members(alert)})


def alert_members(alert: Alert) -> dict[str, object]:
    """Return an alert as JSON members, without the people who changed it: all tenants are sent it.

    Instants are ISO 8601 texts in UTC.
    """
    return {
        "alert_id": alert.alert_id,
        "source": alert.subject.source,
        "dataset": alert.subject.dataset,
        "kind": str(alert.subject.kind),
        "day": alert.subject.day.isoformat(),
        "state": str(alert.state),
        "summary": alert.summary,
        "facts": dict(alert.facts),
        "opened_at": alert.opened_at.isoformat(),
        "seen_at": alert.seen_at.isoformat(),
        "acknowledged_at": alert.acknowledged_at.isoformat() if alert.acknowledged_at else None,
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
    }


async def record_findings(transactions: Transactions, findings: Sequence[Finding], *, now: datetime) -> Changes:
    """Record the findings of a check of all datasets, and return which alerts were opened and resolved.

    Raises ``Unavailable``.
    """
    by_subject = {finding.subject: finding for finding in findings}
    async with transactions.transaction(by=CHECK) as tx:
        await tx.alerts.lock()
        stored = await tx.alerts.about(list(by_subject))
        known = {alert.subject for alert in stored}
        updated = [
            (alert, seen_again(alert, by_subject[alert.subject], now) if alert.subject in by_subject else not_seen(alert, now))
            for alert in stored
        ]
        opened = [
            Alert(uuid4().hex, finding.subject, AlertState.OPEN, finding.summary, now, now, finding.facts)
            for subject, finding in by_subject.items()
            if subject not in known
        ]
        resolved = [after for before, after in updated if after.state != before.state]
        await tx.alerts.put([*opened, *(after for before, after in updated if after != before)])
        events = [event_of(alert, "opened", now) for alert in opened]
        events += [event_of(alert, "resolved", now) for alert in resolved]
        await send_events(tx, events, subject=CHECK.subject)
    return Changes(tuple(opened), tuple(resolved))
