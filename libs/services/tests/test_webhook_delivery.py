"""The sending of webhooks to a receiver on this machine: signed, at least once, with one id, and never where it must not go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from aurum.common.outbound.network import AllowedTargets
from aurum.common.outbound.post import Poster
from aurum.core.alerts.signature import sign
from aurum.services.jobs.definitions import DELIVERY, DeliverWebhook
from aurum.services.jobs.running import JobTransaction, Result
from aurum.services.webhooks.delivery import Deliveries, DeliveryFailed, NotDelivered
from aurum.services.webhooks.events import Event, delivery_of
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.webhooks import Delivery, DeliveryState, Webhook

OPERATOR = Actor("operator")
NOW = datetime(2025, 11, 3, 12, tzinfo=UTC)
LOOPBACK = AllowedTargets.of(["127.0.0.1"])
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Attempt:
    """A ``RunningJob`` whose success is recorded here, because no worker runs it."""

    attempt: int = 1
    attempts: int = 1
    job_id: str = "job"
    tenant: str | None = "local"
    subject: str = "operator"
    results: list[Result] = field(default_factory=list[Result])

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        raise AssertionError((done, total, note))

    async def succeed(self, tx: JobTransaction, result: Result = None) -> None:
        assert tx.jobs is not None
        self.results.append(result)


@dataclass
class Receiver:
    """A receiver that answers with raw bytes, and remembers the requests."""

    answer: bytes
    port: int = 0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(":") for line in head.splitlines()[1:]]
        headers = {name.lower(): value.strip() for name, _, value in lines if name}
        self.requests.append((headers, await reader.readexactly(int(headers.get("content-length", "0")))))
        try:
            writer.write(self.answer)
            await writer.drain()
        except ConnectionError:
            pass  # the sender has read enough
        finally:
            writer.close()


@asynccontextmanager
async def receiving(answer: bytes) -> AsyncGenerator[Receiver]:
    receiver = Receiver(answer)
    async with await asyncio.start_server(receiver.serve, "127.0.0.1", 0) as server:
        receiver.port = server.sockets[0].getsockname()[1]
        yield receiver


def status(code: str, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {code}", f"content-length: {len(body)}", "connection: close", *headers, "", body]
    return "\r\n".join(lines).encode()


@dataclass
class World:
    store: MemoryStore
    clock: Clock
    deliveries: Deliveries

    async def pending(self, url: str) -> Delivery:
        webhook = Webhook("hook", "local", url, (), NOW, "key:a")
        delivery = delivery_of(Event("alert.opened", NOW, {"alert": {"value": 1.5}}), webhook)
        async with self.store.transactions.transaction(by=OPERATOR, tenant="local") as tx:
            await tx.webhooks.insert(webhook, SECRET, most=9)
            await tx.webhooks.send(delivery)
        return delivery

    async def deliver(self, delivery: Delivery, attempt: int = 1) -> Attempt:
        job = Attempt(attempt, attempt)
        await self.deliveries.deliver(DeliverWebhook(delivery_id=delivery.delivery_id), job)
        return job

    async def state(self, delivery: Delivery) -> DeliveryState:
        return (await self.store.webhooks.sending(delivery.delivery_id)).delivery.state


def world(allowed: AllowedTargets = LOOPBACK, *, whole_s: float = 120.0) -> World:
    clock = Clock()
    store = MemoryStore(clock)
    post = Poster(allowed, whole_s=whole_s).post
    return World(store, clock, Deliveries(store.webhooks, store.transactions, clock, post))


async def test_a_delivery_is_signed_and_recorded_with_the_success_of_its_job() -> None:
    service = world()
    async with receiving(status("204 No Content")) as receiver:
        delivery = await service.pending(receiver.url)
        job = await service.deliver(delivery)
    ((headers, body),) = receiver.requests
    assert json.loads(body) == delivery.body
    assert headers["webhook-id"] == delivery.delivery_id
    assert headers["webhook-signature"] == sign(SECRET, delivery.delivery_id, int(headers["webhook-timestamp"]), body)
    assert job.results == [{"state": "delivered", "status": 204}]
    assert await service.state(delivery) is DeliveryState.DELIVERED


async def test_a_receiver_that_fails_for_a_day_gets_the_same_id_and_body_each_time() -> None:
    service = world()
    async with receiving(status("500 Internal Server Error", body="out of order")) as receiver:
        delivery = await service.pending(receiver.url)
        for attempt in range(1, DELIVERY.attempts):
            service.clock.at = NOW + timedelta(minutes=30 * attempt)
            with pytest.raises(NotDelivered, match="status 500: out of order"):
                await service.deliver(delivery, attempt)
        assert service.clock.at - NOW > timedelta(days=1)
        assert await service.state(delivery) is DeliveryState.PENDING
        with pytest.raises(DeliveryFailed):
            await service.deliver(delivery, DELIVERY.attempts)
    assert await service.state(delivery) is DeliveryState.FAILED
    assert len({(headers["webhook-id"], body) for headers, body in receiver.requests}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.requests}) > 1
    assert len(await service.store.webhooks.attempts("local", delivery.delivery_id)) == DELIVERY.attempts


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://[::ffff:127.0.0.1]:{}/", "http://0.0.0.0:{}/"]
)
async def test_nothing_is_sent_to_an_address_that_is_not_public(url: str) -> None:
    service = world(AllowedTargets())
    async with receiving(status("200 OK")) as receiver:
        delivery = await service.pending(url.format(receiver.port))
        with pytest.raises(DeliveryFailed, match="not a public address"):
            await service.deliver(delivery)
    assert receiver.requests == []
    assert await service.state(delivery) is DeliveryState.FAILED


async def test_a_redirect_is_not_followed() -> None:
    service = world()
    async with (
        receiving(status("200 OK")) as inner,
        receiving(status("307 Temporary Redirect", f"location: {inner.url}")) as receiver,
    ):
        delivery = await service.pending(receiver.url)
        with pytest.raises(NotDelivered, match="status 307"):
            await service.deliver(delivery)
    assert inner.requests == []


async def test_a_receiver_that_is_gone_turns_its_webhook_off() -> None:
    service = world()
    async with receiving(status("410 Gone")) as receiver:
        delivery = await service.pending(receiver.url)
        with pytest.raises(DeliveryFailed, match="status 410"):
            await service.deliver(delivery)
    assert (await service.store.webhooks.webhook("local", "hook")).off_reason == "the receiver answered 410 Gone"


@pytest.mark.parametrize(
    "answer",
    [b"", b"220 mail.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000, b"HTTP/1.1 999999 OK\r\n\r\n"],
)
async def test_an_answer_that_is_not_http_is_a_failed_attempt(answer: bytes) -> None:
    service = world()
    async with receiving(answer) as receiver:
        delivery = await service.pending(receiver.url)
        with pytest.raises(NotDelivered):
            await service.deliver(delivery)
    (attempt,) = await service.store.webhooks.attempts("local", delivery.delivery_id)
    assert (attempt.status, len(attempt.reason) <= 300) == (None, True)


async def test_an_answer_that_no_database_stores_is_on_record_as_a_readable_line() -> None:
    service = world()
    async with receiving(status("500 Internal Server Error", body="a\0b\r\nc\x1b[31m")) as receiver:
        delivery = await service.pending(receiver.url)
        with pytest.raises(NotDelivered):
            await service.deliver(delivery)
    (attempt,) = await service.store.webhooks.attempts("local", delivery.delivery_id)
    assert attempt.reason == "status 500: a b  c [31m"


async def test_a_failed_delivery_whose_job_is_retried_is_sent_again() -> None:
    service = world()
    async with receiving(status("500 Internal Server Error")) as receiver:
        delivery = await service.pending(receiver.url)
        with pytest.raises(DeliveryFailed):
            await service.deliver(delivery, DELIVERY.attempts)
        receiver.answer = status("200 OK")
        await service.deliver(delivery)
    assert await service.state(delivery) is DeliveryState.DELIVERED


async def test_only_the_beginning_of_a_long_answer_is_read() -> None:
    service = world()
    async with receiving(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 50000000\r\n\r\n" + b"x" * 5_000_000) as receiver:
        delivery = await service.pending(receiver.url)
        with pytest.raises(NotDelivered, match=r"status 400: x{10}"):
            await service.deliver(delivery)


async def test_a_receiver_that_never_ends_its_answer_is_given_up() -> None:
    service, waiting = world(whole_s=0.2), asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx")
        await waiting.wait()
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        delivery = await service.pending(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        with pytest.raises(NotDelivered, match=r"within 0\.2 s"):
            await service.deliver(delivery)
        waiting.set()


async def test_what_was_received_already_is_not_sent_again() -> None:
    service = world()
    async with receiving(status("200 OK")) as receiver:
        delivery = await service.pending(receiver.url)
        await service.deliver(delivery)
        await service.deliver(delivery)
    assert len(receiver.requests) == 1


async def test_the_delivery_of_a_deleted_webhook_is_left() -> None:
    service = world()
    async with receiving(status("200 OK")) as receiver:
        delivery = await service.pending(receiver.url)
        async with service.store.transactions.transaction(by=OPERATOR, tenant="local") as tx:
            await tx.webhooks.delete("hook")
        await service.deliver(delivery)
    assert receiver.requests == []
