"""A client of server-sent events that connects again and resumes, as browsers do."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Event:
    """A dispatched event, with the id at that time."""

    id: str
    kind: str
    data: dict[str, Any]


@dataclass
class Parser:
    """Reads lines as the specification of server-sent events says.

    ``last_id``: the id to resume from. ``retry_ms``: as the server said last. ``comments``: number of comment lines.
    """

    last_id: str = ""
    retry_ms: list[int] = field(default_factory=list[int])
    comments: int = 0
    _new_id: str = ""
    _kind: str = ""
    _data: list[str] = field(default_factory=list[str])

    def line(self, line: str) -> Event | None:
        """Read a line without its end; return the event that it completes."""
        if not line:
            return self._dispatched()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            self.comments += 1
        elif name == "id":
            self._new_id = value
        elif name == "event":
            self._kind = value
        elif name == "data":
            self._data.append(value)
        elif name == "retry":
            self.retry_ms.append(int(value))
        else:
            raise AssertionError(f"unknown field: {line}")
        return None

    def _dispatched(self) -> Event | None:
        self.last_id = self._new_id
        kind, data = self._kind, self._data
        self._kind, self._data = "", []
        return Event(self.last_id, kind, json.loads("\n".join(data))) if data else None


def events_in(data: bytes, parser: Parser | None = None) -> list[Event]:
    """Return the events of a piece of a stream that ends with an empty line."""
    parser = parser or Parser()
    lines = data.decode().split("\n")
    return [event for line in lines[:-1] if (event := parser.line(line)) is not None]


async def events_of(response: httpx.Response, parser: Parser) -> AsyncGenerator[Event]:
    """Yield the events of a response until it ends."""
    async for line in response.aiter_lines():
        if (event := parser.line(line)) is not None:
            yield event


@dataclass
class Follower:
    """A client that follows changes for good. ``url``: returns the address of the service at present.

    ``events``: all that it got. ``statuses``: of its connections.
    """

    url: Callable[[], str]
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    pause_s: float = 0.02
    parser: Parser = field(default_factory=Parser)
    events: list[Event] = field(default_factory=list[Event])
    statuses: Counter[int] = field(default_factory=Counter[int])
    broken: int = 0

    @property
    def positions(self) -> list[str]:
        return [event.id for event in self.events]

    @property
    def is_connected(self) -> bool:
        return self.parser.last_id != ""

    async def run(self) -> None:
        """Follow until cancelled."""
        async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(60)) as client:
            while True:
                try:
                    await self._connect(client)
                except httpx.TransportError:
                    self.broken += 1
                await asyncio.sleep(self.pause_s)

    async def _connect(self, client: httpx.AsyncClient) -> None:
        resume = {"Last-Event-ID": self.parser.last_id} if self.parser.last_id else {}
        parser = self.parser = Parser(self.parser.last_id, _new_id=self.parser.last_id)
        url = f"{self.url()}/v2/changes/events"
        async with client.stream("GET", url, params=self.query, headers={**self.headers, **resume}) as response:
            self.statuses[response.status_code] += 1
            if response.status_code != 200:
                assert response.status_code in (429, 503), (await response.aread()).decode()
                return
            async for event in events_of(response, parser):
                self.events.append(event)


@asynccontextmanager
async def following(*followers: Follower) -> AsyncIterator[None]:
    """Let followers run for the length of the block."""
    tasks = [asyncio.create_task(one.run()) for one in followers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
