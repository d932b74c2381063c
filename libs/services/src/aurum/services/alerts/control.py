"""Acknowledging and resolving an alert. Each is one transaction with its audit record and the events for webhooks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aurum.core.alerts.alert import Alert, acknowledged, resolved
from aurum.services.alerts.recording import event_of
from aurum.services.webhooks.events import send_events
from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transactions


async def acknowledge_alert(transactions: Transactions, alert_id: str, *, by: Actor, now: datetime) -> Alert:
    """Record that a person has seen an open alert, and return it. Any other stays as it is. Raises ``UnknownAlert``."""
    return await _change(transactions, alert_id, "acknowledged", acknowledged, by=by, now=now)


async def resolve_alert(transactions: Transactions, alert_id: str, *, by: Actor, now: datetime) -> Alert:
    """Record that a person has settled an alert, and return it. It is not opened again on its day. Raises ``UnknownAlert``."""
    return await _change(transactions, alert_id, "resolved", resolved, by=by, now=now)


async def _change(
    transactions: Transactions,
    alert_id: str,
    what: str,
    change: Callable[[Alert, str, datetime], Alert],
    *,
    by: Actor,
    now: datetime,
) -> Alert:
    async with transactions.transaction(by=by) as tx:
        before = await tx.alerts.alert(alert_id)
        after = change(before, by.subject, now)
        if after != before:
            await tx.alerts.put([after])
            await tx.audit.append(f"alert.{what}", alert_id, {"summary": after.summary})
            await send_events(tx, [event_of(after, what, now)], subject=by.subject)
    return after
