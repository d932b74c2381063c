"""The sending of one delivery, which is a job. Every attempt has the same id, the same body, and a line in the log."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from aurum.common.outbound.errors import AddressRefused, InvalidAddress, NotSent
from aurum.common.outbound.post import Answer
from aurum.core.alerts.signature import headers
from aurum.core.clock import Clock
from aurum.core.errors import Invalid, Unavailable
from aurum.services.jobs.definitions import DELIVERY, DeliverWebhook
from aurum.services.jobs.running import Result, RunningJob
from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transactions
from aurum.storage.ports.webhooks import DeliveryAttempt, DeliveryState, Sending, UnknownDelivery, WebhookStore

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[Answer]]
"""A function that posts a body with headers to an address, as ``common.outbound.post.Poster.post`` does."""

_WORKER = Actor("job:webhook.deliver")
_LONGEST_REASON = 300


class NotDelivered(Unavailable):
    """The receiver did not accept a delivery; it is sent again later. Facts: ``delivery_id``."""


class DeliveryFailed(Invalid):
    """A delivery that is not sent again by itself. Facts: ``delivery_id``."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Sends deliveries. ``post``: the function that reaches the receivers."""

    store: WebhookStore
    transactions: Transactions
    clock: Clock
    post: Post

    async def deliver(self, payload: DeliverWebhook, job: RunningJob) -> Result:
        """Send a delivery and record the attempt.

        A deleted webhook, and a delivery that was received already, are left. Raises ``NotDelivered`` for another attempt, and
        ``DeliveryFailed`` after the last one or where another one would not help.
        """
        try:
            sending = await self.store.sending(payload.delivery_id)
        except UnknownDelivery:
            return {"state": "the webhook was deleted"}
        if sending.delivery.state is DeliveryState.DELIVERED:
            return {"state": str(sending.delivery.state)}
        attempt, is_final = await self._attempt(sending)
        is_received = not attempt.reason
        is_last = is_final or job.attempts >= DELIVERY.attempts
        state = DeliveryState.DELIVERED if is_received else DeliveryState.FAILED if is_last else DeliveryState.PENDING
        result = {"state": str(state), "status": attempt.status}
        async with self.transactions.transaction(by=_WORKER) as tx:
            await tx.deliveries.record(payload.delivery_id, attempt, state)
            if attempt.status == HTTPStatus.GONE:
                await tx.deliveries.turn_off(sending.webhook.webhook_id, "the receiver answered 410 Gone")
            if is_received:
                await job.succeed(tx, result)
        if is_received:
            return result
        failure = DeliveryFailed if is_last else NotDelivered
        raise failure(f"delivery {payload.delivery_id}: {attempt.reason}", delivery_id=payload.delivery_id)

    async def _attempt(self, sending: Sending) -> tuple[DeliveryAttempt, bool]:
        """Send once and return the attempt, and whether another one would not help."""
        at = self.clock.now()
        if sending.webhook.off_reason:
            return DeliveryAttempt(at, None, None, f"the webhook is off: {sending.webhook.off_reason}"), True
        body = json.dumps(sending.delivery.body, sort_keys=True, separators=(",", ":")).encode()
        signed = headers(sending.secrets, sending.delivery.delivery_id, int(at.timestamp()), body)
        try:
            answer = await self.post(sending.webhook.url, body, {"content-type": "application/json", **signed})
        except NotSent as error:
            is_final = isinstance(error, AddressRefused | InvalidAddress)
            return DeliveryAttempt(at, None, None, _printable(error.detail)), is_final
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return DeliveryAttempt(at, answer.status, answer.milliseconds), False
        reason = _printable(f"status {answer.status}: {answer.excerpt}".rstrip(": "))
        return DeliveryAttempt(at, answer.status, answer.milliseconds, reason), answer.status == HTTPStatus.GONE


def _printable(text: str) -> str:
    """Return the beginning of a text that a receiver wrote, as a line that every database and terminal accepts."""
    return "".join(character if character.isprintable() else " " for character in text[:_LONGEST_REASON])
