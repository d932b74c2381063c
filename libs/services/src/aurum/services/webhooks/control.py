"""Webhooks of a tenant: created, deleted, turned on and off, tested. Each change is one transaction with its audit record."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from aurum.common.outbound.errors import InvalidAddress
from aurum.common.outbound.post import check_url
from aurum.core.alerts.signature import SECRET_BYTES, secret_text
from aurum.core.errors import InvalidParameters
from aurum.core.names import nearest
from aurum.services.webhooks.events import PING, Event, delivery_of, job_of
from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transactions
from aurum.storage.ports.webhooks import Delivery, Webhook

EVENTS = ("alert.opened", "alert.acknowledged", "alert.resolved")
"""The events that a webhook can be sent. A name up to a dot, such as ``alert``, stands for all that begin with it."""
_TURNED_OFF = "turned off by its owner"


async def create_webhook(
    transactions: Transactions,
    url: str,
    events: Sequence[str],
    *,
    by: Actor,
    tenant: str,
    now: datetime,
    most: int,
) -> tuple[Webhook, str]:
    """Store a webhook and return it with its secret, which is shown this once.

    ``events``: empty for all. ``most``: webhooks that a tenant may have. Raises ``InvalidParameters``, ``TooManyWebhooks``.
    """
    _check(url, events)
    secret = secret_text(secrets.token_bytes(SECRET_BYTES))
    webhook = Webhook(uuid4().hex, tenant, url, tuple(events), now, by.subject)
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        await tx.webhooks.insert(webhook, secret, most=most)
        await tx.audit.append("webhook.create", webhook.webhook_id, {"url": url, "events": list(events)})
    return webhook, secret


async def delete_webhook(transactions: Transactions, webhook_id: str, *, by: Actor, tenant: str) -> Webhook:
    """Delete a webhook with the log of its deliveries, and return it. Raises ``UnknownWebhook``."""
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        webhook = await tx.webhooks.delete(webhook_id)
        await tx.audit.append("webhook.delete", webhook_id, {"url": webhook.url})
    return webhook


async def switch_webhook(transactions: Transactions, webhook_id: str, *, on: bool, by: Actor, tenant: str) -> Webhook:
    """Turn a webhook on or off and return it. Events while it is off are not sent later. Raises ``UnknownWebhook``."""
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        webhook = await tx.webhooks.switch(webhook_id, off_reason="" if on else _TURNED_OFF)
        await tx.audit.append("webhook.on" if on else "webhook.off", webhook_id, {"url": webhook.url})
    return webhook


async def rotate_secret(transactions: Transactions, webhook_id: str, *, by: Actor, tenant: str) -> tuple[Webhook, str]:
    """Replace the secret of a webhook and return both. The one before signs beside it, until it is replaced, too.

    Raises ``UnknownWebhook``.
    """
    secret = secret_text(secrets.token_bytes(SECRET_BYTES))
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        webhook = await tx.webhooks.rotate(webhook_id, secret)
        await tx.audit.append("webhook.rotate", webhook_id, {"url": webhook.url})
    return webhook, secret


async def ping_webhook(transactions: Transactions, webhook: Webhook, *, by: Actor, now: datetime) -> Delivery:
    """Send the event ``ping`` to a webhook, to test it, and return the delivery. Raises ``UnknownWebhook``."""
    delivery = delivery_of(Event(PING, now, {}), webhook)
    async with transactions.transaction(by=by, tenant=webhook.tenant) as tx:
        await tx.webhooks.send(delivery)
        await tx.jobs.submit([job_of(delivery, subject=by.subject)])
        await tx.audit.append("webhook.ping", webhook.webhook_id, {"delivery_id": delivery.delivery_id})
    return delivery


async def send_again(transactions: Transactions, delivery_id: str, *, by: Actor, tenant: str) -> Delivery:
    """Send a delivery again, with the same id and body, and return it. Raises ``UnknownDelivery``."""
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        delivery = await tx.webhooks.send_again(delivery_id)
        await tx.jobs.submit([job_of(delivery, subject=by.subject)])
        await tx.audit.append("webhook.retry", delivery.webhook_id, {"delivery_id": delivery_id})
    return delivery


def _check(url: str, events: Sequence[str]) -> None:
    errors: list[tuple[str, str, object]] = []
    try:
        check_url(url)
    except InvalidAddress as error:
        errors.append(("url", error.detail, url))
    names = {*EVENTS, *(event.partition(".")[0] for event in EVENTS)}
    for position, event in enumerate(events):
        if event not in names:
            hint = ", ".join(nearest(event, names) or sorted(names))
            errors.append((f"events.{position}", f"{event!r} is not an event: choose one of {hint}", event))
    if errors:
        raise InvalidParameters(*errors)
