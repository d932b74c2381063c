"""Events for webhooks: each becomes one delivery, and one job that sends it, for every webhook that wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from aurum.services.jobs.definitions import DELIVERY, DeliverWebhook
from aurum.services.jobs.submit import new_job
from aurum.storage.ports.jobs import JobWriter, NewJob
from aurum.storage.ports.webhooks import Delivery, DeliveryState, DeliveryWriter, Webhook

PING = "ping"
"""The event of a test that a user asks for. It is sent to one webhook, whatever events that wants."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event, such as ``alert.opened``. ``at``: UTC. ``data``: JSON-representable members of its body."""

    name: str
    at: datetime
    data: Mapping[str, object]


class DeliveringTransaction(Protocol):
    """The parts of a transaction that events need."""

    @property
    def deliveries(self) -> DeliveryWriter: ...
    @property
    def jobs(self) -> JobWriter: ...


def delivery_of(event: Event, webhook: Webhook) -> Delivery:
    """Return a new delivery of an event for a webhook."""
    body = {"type": event.name, "timestamp": event.at.isoformat(), "data": dict(event.data)}
    return Delivery(uuid4().hex, webhook.webhook_id, webhook.tenant, event.name, body, DeliveryState.PENDING, event.at)


def job_of(delivery: Delivery, *, subject: str) -> NewJob:
    """Return the job that sends a delivery."""
    return new_job(DELIVERY, DeliverWebhook(delivery_id=delivery.delivery_id), subject=subject, tenant=delivery.tenant)


async def send_events(tx: DeliveringTransaction, events: Sequence[Event], *, subject: str) -> None:
    """Store a delivery of each event for every webhook that wants it, with the jobs that send them."""
    if not events:
        return
    webhooks = await tx.deliveries.listening([event.name for event in events])
    deliveries = [delivery_of(event, webhook) for event in events for webhook in webhooks if webhook.wants(event.name)]
    await tx.deliveries.send(deliveries)
    await tx.jobs.submit([job_of(delivery, subject=subject) for delivery in deliveries])
