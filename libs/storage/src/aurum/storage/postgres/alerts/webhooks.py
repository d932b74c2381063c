"""Webhooks and their deliveries on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from aurum.core.errors import UnknownName
from aurum.storage.ports.access import OtherTenant
from aurum.storage.ports.webhooks import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Sending,
    TooManyWebhooks,
    UnknownDelivery,
    UnknownWebhook,
    Webhook,
)
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_WEBHOOK = "webhook_id, tenant_id, url, events, created_at, created_by, off_reason"
_DELIVERY = "delivery_id, webhook_id, tenant_id, event, body, state, created_at, attempts, status, reason, last_at"
_WEBHOOKS = f"SELECT {_WEBHOOK} FROM webhook ORDER BY created_at, webhook_id"  # noqa: S608 - constants
_ONE_WEBHOOK = f"SELECT {_WEBHOOK} FROM webhook WHERE webhook_id = $1"  # noqa: S608 - constants
_DELIVERIES = f"""
SELECT {_DELIVERY} FROM webhook_delivery
WHERE webhook_id = $1 AND ($2::timestamptz IS NULL OR (created_at, delivery_id) < ($2, $3::text))
ORDER BY created_at DESC, delivery_id DESC LIMIT $4
"""  # noqa: S608 - constants
_ATTEMPTS = "SELECT at, status, milliseconds, reason FROM webhook_attempt WHERE delivery_id = $1 ORDER BY number"
_SENDING = """
SELECT d.delivery_id, d.webhook_id, d.tenant_id, d.event, d.body, d.state, d.created_at, d.attempts, d.status, d.reason,
       d.last_at, w.url, w.events, w.created_at AS webhook_created_at, w.created_by, w.off_reason, w.secret, w.earlier_secret
FROM webhook_delivery AS d JOIN webhook AS w USING (webhook_id) WHERE d.delivery_id = $1
"""
# The lock makes the count hold until the insert commits.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('aurum webhooks of ' || $1, 0))"
_INSERT = """
INSERT INTO webhook (webhook_id, tenant_id, url, events, created_at, created_by, off_reason, secret)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_DELETE = f"DELETE FROM webhook WHERE webhook_id = $1 RETURNING {_WEBHOOK}"  # noqa: S608 - constants
_SWITCH = f"UPDATE webhook SET off_reason = $2 WHERE webhook_id = $1 RETURNING {_WEBHOOK}"  # noqa: S608 - constants
_ROTATE = f"""
UPDATE webhook SET secret = $2, earlier_secret = secret WHERE webhook_id = $1 RETURNING {_WEBHOOK}
"""  # noqa: S608 - constants
_SEND = """
INSERT INTO webhook_delivery (delivery_id, webhook_id, tenant_id, event, body, state, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_SEND_AGAIN = f"""
UPDATE webhook_delivery SET state = 'pending' WHERE delivery_id = $1 RETURNING {_DELIVERY}
"""  # noqa: S608 - constants
_LISTENING = f"""
SELECT {_WEBHOOK} FROM webhook
WHERE off_reason = '' AND tenant_id IN (SELECT tenant_id FROM tenant WHERE disabled_at IS NULL)
ORDER BY created_at, webhook_id
"""  # noqa: S608 - constants
_RECORD = """
UPDATE webhook_delivery SET attempts = attempts + 1, state = $2, status = $3, reason = $4, last_at = $5
WHERE delivery_id = $1 RETURNING attempts, tenant_id
"""
_RECORD_ATTEMPT = """
INSERT INTO webhook_attempt (delivery_id, number, tenant_id, at, status, milliseconds, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_DELETE_OLD = """
DELETE FROM webhook_delivery WHERE delivery_id IN (
    SELECT delivery_id FROM webhook_delivery WHERE created_at < $1 AND state <> 'pending' ORDER BY created_at LIMIT $2
)
"""


class PostgresWebhookStore:
    """``WebhookStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def webhooks(self, tenant: str) -> Sequence[Webhook]:
        async with self._pool.for_tenant(tenant) as connection:
            return [_webhook(row) for row in await connection.fetch(_WEBHOOKS)]

    async def webhook(self, tenant: str, webhook_id: str) -> Webhook:
        async with self._pool.for_tenant(tenant) as connection:
            return _existing(await connection.fetchrow(_ONE_WEBHOOK, webhook_id), webhook_id)

    async def deliveries(
        self, tenant: str, webhook_id: str, *, before: tuple[datetime, str] | None = None, limit: int
    ) -> Sequence[Delivery]:
        at, delivery_id = before or (None, None)
        async with self._pool.for_tenant(tenant) as connection:
            return [_delivery(row) for row in await connection.fetch(_DELIVERIES, webhook_id, at, delivery_id, limit)]

    async def attempts(self, tenant: str, delivery_id: str) -> Sequence[DeliveryAttempt]:
        async with self._pool.for_tenant(tenant) as connection:
            if await connection.fetchval("SELECT 1 FROM webhook_delivery WHERE delivery_id = $1", delivery_id) is None:
                raise UnknownDelivery(delivery_id)
            return [DeliveryAttempt(*row) for row in await connection.fetch(_ATTEMPTS, delivery_id)]

    async def sending(self, delivery_id: str) -> Sending:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_SENDING, delivery_id)
        if row is None:
            raise UnknownDelivery(delivery_id)
        webhook = Webhook(
            row["webhook_id"],
            row["tenant_id"],
            row["url"],
            tuple(row["events"]),
            row["webhook_created_at"],
            row["created_by"],
            row["off_reason"],
        )
        secrets = (row["secret"], *((row["earlier_secret"],) if row["earlier_secret"] else ()))
        return Sending(_delivery(row), webhook, secrets)


class PostgresWebhookWriter:
    """``WebhookWriter`` on the connection of a transaction that acts for one tenant."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    async def insert(self, webhook: Webhook, secret: str, *, most: int) -> None:
        if webhook.tenant != self._tenant:
            raise OtherTenant(self._tenant, webhook.tenant)
        if await self._connection.fetchval("SELECT 1 FROM tenant WHERE tenant_id = $1", webhook.tenant) is None:
            raise UnknownName("tenant", webhook.tenant)
        await self._connection.execute(_LOCK, webhook.tenant)
        if await self._connection.fetchval("SELECT count(*) FROM webhook") >= most:
            raise TooManyWebhooks(most)
        await self._connection.execute(
            _INSERT,
            webhook.webhook_id,
            webhook.tenant,
            webhook.url,
            list(webhook.events),
            webhook.created_at,
            webhook.created_by,
            webhook.off_reason,
            secret,
        )

    async def delete(self, webhook_id: str) -> Webhook:
        return _existing(await self._connection.fetchrow(_DELETE, webhook_id), webhook_id)

    async def switch(self, webhook_id: str, *, off_reason: str) -> Webhook:
        return _existing(await self._connection.fetchrow(_SWITCH, webhook_id, off_reason), webhook_id)

    async def rotate(self, webhook_id: str, secret: str) -> Webhook:
        return _existing(await self._connection.fetchrow(_ROTATE, webhook_id, secret), webhook_id)

    async def send(self, delivery: Delivery) -> None:
        _existing(await self._connection.fetchrow(_ONE_WEBHOOK, delivery.webhook_id), delivery.webhook_id)
        await self._connection.execute(_SEND, *_values(delivery))

    async def send_again(self, delivery_id: str) -> Delivery:
        row = await self._connection.fetchrow(_SEND_AGAIN, delivery_id)
        if row is None:
            raise UnknownDelivery(delivery_id)
        return _delivery(row)


class PostgresDeliveryWriter:
    """``DeliveryWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def listening(self, events: Sequence[str]) -> Sequence[Webhook]:
        webhooks = [_webhook(row) for row in await self._connection.fetch(_LISTENING)]
        return [webhook for webhook in webhooks if any(webhook.wants(event) for event in events)]

    async def send(self, deliveries: Sequence[Delivery]) -> None:
        await self._connection.executemany(_SEND, [_values(delivery) for delivery in deliveries])

    async def record(self, delivery_id: str, attempt: DeliveryAttempt, state: DeliveryState) -> None:
        row = await self._connection.fetchrow(_RECORD, delivery_id, str(state), attempt.status, attempt.reason, attempt.at)
        if row is None:
            raise UnknownDelivery(delivery_id)
        await self._connection.execute(
            _RECORD_ATTEMPT,
            delivery_id,
            row["attempts"],
            row["tenant_id"],
            attempt.at,
            attempt.status,
            attempt.milliseconds,
            attempt.reason,
        )

    async def turn_off(self, webhook_id: str, reason: str) -> None:
        await self._connection.execute("UPDATE webhook SET off_reason = $2 WHERE webhook_id = $1", webhook_id, reason)

    async def delete_old(self, *, before: datetime, limit: int) -> int:
        status: str = await self._connection.execute(_DELETE_OLD, before, limit)
        return int(status.rpartition(" ")[2])


def _existing(row: asyncpg.Record | None, webhook_id: str) -> Webhook:
    if row is None:
        raise UnknownWebhook(webhook_id)
    return _webhook(row)


def _webhook(row: asyncpg.Record) -> Webhook:
    return Webhook(
        webhook_id=row["webhook_id"],
        tenant=row["tenant_id"],
        url=row["url"],
        events=tuple(row["events"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        off_reason=row["off_reason"],
    )


def _values(delivery: Delivery) -> tuple[object, ...]:
    return (
        delivery.delivery_id,
        delivery.webhook_id,
        delivery.tenant,
        delivery.event,
        dict(delivery.body),
        str(delivery.state),
        delivery.created_at,
    )


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        delivery_id=row["delivery_id"],
        webhook_id=row["webhook_id"],
        tenant=row["tenant_id"],
        event=row["event"],
        body=row["body"],
        state=DeliveryState(row["state"]),
        created_at=row["created_at"],
        attempts=row["attempts"],
        status=row["status"],
        reason=row["reason"],
        last_at=row["last_at"],
    )
