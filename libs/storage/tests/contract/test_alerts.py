"""Alerts: stored with their subject, listed, and the facts that a check of all datasets needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from aurum.core.alerts.alert import Alert, AlertKind, AlertState, Subject
from aurum.storage.ports.access import Actor
from aurum.storage.ports.alerts import AlertFilter, UnknownAlert
from aurum.storage.testing.stores import Store

NOW = datetime(2025, 11, 3, 12, tzinfo=UTC)
CHECK = Actor("job:alerts.check")


def alert(number: int, *, dataset: str = "damlbmp_zone", kind: AlertKind = AlertKind.LATE, day: int = 1) -> Alert:
    subject = Subject("nyiso", dataset, kind, date(2025, 11, day))
    at = NOW + timedelta(minutes=number)
    return Alert(f"alert-{number}", subject, AlertState.OPEN, "it is late", at, at, {"minutes_overdue": 12})


async def put(store: Store, *alerts: Alert) -> None:
    async with store.transactions.transaction(by=CHECK) as tx:
        await tx.alerts.lock()
        await tx.alerts.put(alerts)


async def test_an_alert_is_read_as_it_was_stored(store: Store) -> None:
    stored = replace(
        alert(1), state=AlertState.RESOLVED, clear_checks=2, acknowledged_at=NOW, acknowledged_by="key:a", resolved_at=NOW
    )
    await put(store, stored)

    assert await store.alerts.alert("alert-1") == stored
    with pytest.raises(UnknownAlert):
        await store.alerts.alert("alert-2")


async def test_alerts_are_listed_the_last_opened_first_and_filtered(store: Store) -> None:
    first, second = alert(1), alert(2, dataset="isolf", kind=AlertKind.STALE)
    third = replace(alert(3, day=2), state=AlertState.RESOLVED)
    await put(store, first, second, third)

    assert await store.alerts.page(AlertFilter(), limit=2) == [third, second]
    assert await store.alerts.page(AlertFilter(), before=(second.opened_at, second.alert_id), limit=2) == [first]
    assert await store.alerts.page(AlertFilter(source="nyiso", dataset="isolf"), limit=9) == [second]
    assert await store.alerts.page(AlertFilter(kind=AlertKind.LATE, states=(AlertState.OPEN,)), limit=9) == [first]


async def test_a_check_sees_alerts_of_its_findings_and_all_that_are_not_resolved(store: Store) -> None:
    opened, other = alert(1), replace(alert(2, day=2), state=AlertState.RESOLVED)
    forgotten = replace(alert(3, day=3), state=AlertState.RESOLVED)
    await put(store, opened, other, forgotten)

    async with store.transactions.transaction(by=CHECK) as tx:
        assert await tx.alerts.about([other.subject]) == [opened, other]
        assert await tx.alerts.about([]) == [opened]


async def test_an_alert_of_a_transaction_that_fails_is_not_stored(store: Store) -> None:
    async def put_and_fail() -> None:
        async with store.transactions.transaction(by=CHECK) as tx:
            await tx.alerts.put([alert(1)])
            await tx.alerts.alert("alert-2")

    with pytest.raises(UnknownAlert):
        await put_and_fail()

    assert await store.alerts.page(AlertFilter(), limit=9) == []
