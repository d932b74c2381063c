"""The push of changes to listeners, over a store in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from api_events import Event, Parser, events_in
from starlette.types import Message

from aurum.api.contract.changes import change_document
from aurum.api.http.event_stream import EventStream
from aurum.api.process.background import background
from aurum.api.push.hub import ChangeHub
from aurum.api.push.places import TooManyListeners
from aurum.api.testing import file_of, hourly
from aurum.common.clock import SystemClock
from aurum.common.settings import ChangesSettings
from aurum.core.access import EVERY_PERMISSION, LOCAL, Caller, RatePlan
from aurum.core.errors import Unavailable
from aurum.services.changes import position_text
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.recordings import ChangeFilter, ChangePosition
from aurum.storage.testing.waiting import wait_until

START = datetime(2025, 11, 3, tzinfo=UTC)
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
KEYS = [f"{source}:{dataset}:{place}:lmp" for source in ("nyiso", "pjm") for dataset in ("da", "rt") for place in "12"]
FILTERS = [
    ChangeFilter(),
    ChangeFilter(source="nyiso"),
    ChangeFilter(dataset="rt"),
    ChangeFilter(series=("pjm:*",)),
    ChangeFilter(series=("*:1:lmp",)),
    ChangeFilter(source="nyiso", series=("nyiso:da:2:lmp", "pjm:da:1:lmp")),
]
KEY_CALLER = Caller("acme", "key:1", EVERY_PERMISSION, RatePlan("trial", 1, 1, 1, 1.0, 1, 2))
SOON_S = 300
"""Ends a test that hangs."""


class ChangeLogWithFaults:
    """A log whose answers come late, and sometimes not at all."""

    def __init__(self, log: Any, rnd: random.Random, faults: float) -> None:
        self._log, self._rnd, self._faults = log, rnd, faults

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._log, name)

        async def call(*arguments: object, **named: object) -> object:
            for _ in range(self._rnd.randrange(4)):
                await asyncio.sleep(0)
            if self._rnd.random() < self._faults:
                raise Unavailable("the store does not answer")
            result = await method(*arguments, **named)
            for _ in range(self._rnd.randrange(4)):
                await asyncio.sleep(0)
            return result

        return call


@dataclass
class Pushed:
    """A store with a hub."""

    store: MemoryStore
    hub: ChangeHub
    files: int = 0

    async def load(self, key: str = KEYS[0]) -> str:
        """Load a file, announce it and return its position."""
        self.files += 1
        await self.store.loader.load(file_of(hourly(key, START, [float(self.files)]), content=str(self.files)))
        last = (await self.store.change_log.bounds(ALWAYS)).last
        self.hub.changed(Change(ChangeKind.RECORDED, (str(last.number),)))
        return position_text(last)

    async def last(self) -> ChangePosition:
        return (await self.store.change_log.bounds(ALWAYS)).last

    async def listed(self, criteria: ChangeFilter, after: ChangePosition) -> list[dict[str, Any]]:
        page = await self.store.change_log.changes(after, criteria, limit=10_000)
        return [change_document(one).model_dump(mode="json") for one in page.entries]


@dataclass
class Reading:
    """A client of one stream."""

    stream: AsyncGenerator[bytes]
    parser: Parser = field(default_factory=Parser)
    events: list[Event] = field(default_factory=list[Event])
    pieces: int = 0
    has_ended: bool = False

    async def piece(self) -> None:
        data = await anext(self.stream, b"")
        self.has_ended = not data
        self.pieces += 1
        self.events += events_in(data, self.parser)

    async def until(self, count: int) -> Sequence[str]:
        """Read until a number of events have come; return their positions."""
        while len(self.events) < count and not self.has_ended:
            await self.piece()
        return [event.id for event in self.events]

    async def to_the_end(self) -> None:
        while not self.has_ended:
            await self.piece()


def pushed(settings: ChangesSettings | None = None, *, rnd: random.Random | None = None, faults: float = 0.0) -> Pushed:
    store = MemoryStore(SystemClock())
    log: Any = ChangeLogWithFaults(store.change_log, rnd or random.Random(0), faults)
    return Pushed(store, ChangeHub(log, settings or ChangesSettings()))


def read(
    hub: ChangeHub, start: ChangePosition, criteria: ChangeFilter = FILTERS[0], caller: Caller = LOCAL, *, resumes: bool = True
) -> Reading:
    return Reading(hub.stream(criteria, start, caller, resumes=resumes))


async def test_a_listener_gets_each_new_entry_as_the_list_has_it() -> None:
    service = pushed()
    await service.load()
    start = await service.last()
    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        reader = read(service.hub, start, resumes=False)
        async with aclosing(reader.stream):
            await reader.piece()
            assert (reader.parser.last_id, len(reader.parser.retry_ms)) == (position_text(start), 1)
            first = asyncio.create_task(reader.until(1))
            positions = [await service.load(key) for key in KEYS[:3]]
            await first
            assert await reader.until(3) == positions
    assert [event.data for event in reader.events] == await service.listed(ChangeFilter(), start)
    assert {event.kind for event in reader.events} == {"change"}
    assert [event.data["position"] for event in reader.events] == positions


async def test_a_listener_that_resumes_gets_what_it_missed_and_then_what_is_new() -> None:
    service = pushed()
    start = await service.last()
    missed = [await service.load() for _ in range(5)]
    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        reader = read(service.hub, start)
        async with aclosing(reader.stream):
            assert await reader.until(5) == missed
            live = asyncio.create_task(reader.until(7))
            new = [await service.load() for _ in range(2)]
            assert await live == missed + new


async def test_a_slow_listener_loses_nothing_and_gets_nothing_twice() -> None:
    service = pushed(ChangesSettings(queue=2))
    start = await service.last()
    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        slow, quick = read(service.hub, start), read(service.hub, start)
        async with aclosing(slow.stream), aclosing(quick.stream):
            await slow.piece()
            waiting = asyncio.create_task(slow.until(1))
            positions = [await service.load()]
            await waiting
            for count in range(2, 30):
                positions.append(await service.load())
                assert await quick.until(count) == positions
            assert await slow.until(len(positions)) == positions


@pytest.mark.parametrize("seed", range(20))
async def test_listeners_get_what_the_list_has_however_steps_interleave(seed: int) -> None:
    rnd = random.Random(seed)
    settings = ChangesSettings(queue=rnd.choice([1, 2, 50]), comment_s=rnd.choice([0.001, 60.0]))
    service = pushed(settings, rnd=rnd, faults=0.0)
    await service.load()

    async def follow(criteria: ChangeFilter) -> tuple[ChangeFilter, ChangePosition, list[Event]]:
        """Follow the events over several connections, each closed after a random number of them."""
        start, events, parser = await service.last(), list[Event](), Parser()
        while not is_over.is_set():
            at = await service.store.change_log.position(int(parser.last_id.split("-")[0])) if parser.last_id else start
            assert at is not None
            reader = read(service.hub, at, criteria, resumes=parser.last_id != "")
            reader.parser, reader.events = parser, events
            async with aclosing(reader.stream):
                for _ in range(rnd.randrange(1, 8)):
                    reading = asyncio.ensure_future(reader.piece())
                    await asyncio.wait([reading, over], return_when=asyncio.FIRST_COMPLETED)
                    if not reading.done():
                        reading.cancel()
                        await asyncio.wait([reading])
                        break
        at = await service.store.change_log.position(int(parser.last_id.split("-")[0])) if parser.last_id else start
        assert at is not None
        expected = await service.listed(criteria, at)
        reader = read(service.hub, at, criteria)
        reader.events = events
        async with aclosing(reader.stream):
            await reader.until(len(events) + len(expected))
        return criteria, start, events

    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        is_over = asyncio.Event()
        over = asyncio.create_task(is_over.wait())
        following = [asyncio.create_task(follow(rnd.choice(FILTERS))) for _ in range(6)]
        for _ in range(30):
            await service.load(rnd.choice(KEYS))
            for _ in range(rnd.randrange(6)):
                await asyncio.sleep(0)
        is_over.set()
        for criteria, start, events in await asyncio.gather(*following):
            assert [event.data for event in events] == await service.listed(criteria, start)


async def test_reads_that_fail_are_repeated_until_they_succeed() -> None:
    service = pushed(rnd=random.Random(1), faults=0.5)
    start = await service.last()
    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        reader = read(service.hub, start, ChangeFilter(series=("nyiso:*",)))
        async with aclosing(reader.stream):
            reading = asyncio.create_task(reader.until(4))
            positions = [await service.load() for _ in range(4)]
            assert await reading == positions


async def test_a_quiet_stream_has_comments_and_moves_its_position_past_what_it_does_not_select() -> None:
    service = pushed(ChangesSettings(comment_s=0.001))
    start = await service.last()
    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        reader = read(service.hub, start, ChangeFilter(source="unknown"))
        async with aclosing(reader.stream):
            await reader.piece()
            await reader.piece()
            position = await service.load()
            while reader.parser.last_id != position:
                await reader.piece()
    assert reader.parser.comments > 0
    assert reader.events == []


async def test_streams_end_with_a_retry_when_the_process_drains_and_new_ones_at_once() -> None:
    service = pushed(ChangesSettings(retry_s=3.0))
    start = await service.last()
    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        reader = read(service.hub, start)
        ending = asyncio.create_task(reader.to_the_end())
        await service.load()
        await wait_until(lambda: bool(reader.events))
        service.hub.drain()
        await ending
        late = read(service.hub, start)
        await late.to_the_end()
    assert len(reader.parser.retry_ms) == len(late.parser.retry_ms) == 2
    assert all(3_000 <= one <= 6_000 for one in reader.parser.retry_ms)
    assert late.events == []


async def test_a_stream_ends_after_its_longest_time() -> None:
    service = pushed(ChangesSettings(stream_s=0.01))
    async with asyncio.timeout(SOON_S):
        reader = read(service.hub, await service.last())
        await reader.to_the_end()
    assert len(reader.parser.retry_ms) == 2


@pytest.mark.parametrize("sent", [0, 1, 3])
async def test_a_client_that_stops_reading_loses_its_stream_and_its_place(sent: int) -> None:
    service = pushed(ChangesSettings(comment_s=0.001))
    hub, messages, never = service.hub, list[Message](), asyncio.Event()
    events = hub.stream(FILTERS[0], await service.last(), LOCAL, resumes=False)
    response = EventStream(events, send_s=hub.send_s, closed=hub.places.enter(LOCAL))

    async def send(message: Message) -> None:
        if len(messages) == sent:
            await never.wait()
        messages.append(message)

    async def receive() -> Message:
        await never.wait()
        return {"type": "http.disconnect"}

    async with asyncio.timeout(SOON_S), background(hub.run()):
        await response({"type": "http", "path": "/v2/changes/events"}, receive, send)
    assert (len(messages), hub.places.total) == (sent, 0)
    assert await anext(events, None) is None


async def test_streams_of_keys_end_when_access_changes() -> None:
    service = pushed()
    start = await service.last()
    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        local, keyed = read(service.hub, start), read(service.hub, start, caller=KEY_CALLER)
        async with aclosing(local.stream):
            reading = asyncio.create_task(local.until(2))
            ending = asyncio.create_task(keyed.to_the_end())
            await service.load()
            await wait_until(lambda: bool(local.events and keyed.events))
            service.hub.changed(Change(ChangeKind.ACCESS))
            await ending
            await service.load()
            assert len(await reading) == 2


@pytest.mark.parametrize("is_same", [True, False])
async def test_after_an_interruption_streams_go_on_if_the_store_is_the_same_one(*, is_same: bool) -> None:
    service = pushed()
    start = await service.last()
    async with asyncio.timeout(SOON_S), background(service.hub.run()):
        reader = read(service.hub, start)
        async with aclosing(reader.stream):
            reading = asyncio.create_task(reader.until(2))
            await service.load()
            await wait_until(lambda: bool(reader.events))
            if not is_same:
                # As after a restore: another transaction committed at the same position.
                (lost,) = service.store.state.changes
                service.store.state.changes.clear()
                service.store.state.recordings.remove(lost.recording)
                await service.store.loader.load(file_of(hourly(KEYS[0], START, [9.0]), content="another"))
            service.hub.changed(Change(ChangeKind.EVERYTHING))
            if is_same:
                await service.load()
            await reading
    assert reader.has_ended is not is_same
    assert len(reader.events) == (2 if is_same else 1)


def test_listeners_have_limits_of_the_process_of_the_tenant_and_of_the_key() -> None:
    service = pushed(ChangesSettings(listeners=5, key_listeners=1))
    places = service.hub.places
    leave = places.enter(KEY_CALLER)
    with pytest.raises(TooManyListeners, match="a key or user may have 1") as by_key:
        places.enter(KEY_CALLER)
    assert by_key.value.facts["limit"] == 1
    second = Caller("acme", "key:2", EVERY_PERMISSION, KEY_CALLER.plan)
    places.enter(second)
    with pytest.raises(TooManyListeners, match="plan trial allows 2"):
        places.enter(Caller("acme", "key:3", EVERY_PERMISSION, KEY_CALLER.plan))
    leave()
    places.enter(KEY_CALLER)
    for _ in range(3):
        places.enter(LOCAL)
    with pytest.raises(Unavailable, match="5 listeners"):
        places.enter(LOCAL)
    assert places.total == 5
