"""The driver of a profile: sends its requests on schedule and stops at its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bench.load.mix import Mix
from bench.load.profiles import Phase, Profile
from bench.load.tally import Summary, Tally
from bench.load.wire import Connection, UnexpectedAnswer

_ANSWER_WITHIN_S = 30.0
"""A request without an answer by then counts as broken."""
_MOST_CONNECTIONS = 200


class Driver:
    """A sender of the requests of a mix, over reused connections.

    ``connect``: makes a connection. ``pause_s``: mean pause of a user between an answer and the next request. ``clock``:
    seconds.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        mix: Mix,
        *,
        pause_s: float = 1.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._connect = connect
        self._mix = mix
        self._pause_s = pause_s
        self._clock = clock
        self._tally = Tally()
        self._idle: list[Connection] = []
        self._room = asyncio.Semaphore(_MOST_CONNECTIONS)

    async def run(self, profile: Profile) -> Summary:
        """Run all phases, wait for the answers that are missing, and return the summary."""
        began = self._clock()
        try:
            for phase in profile.phases:
                await (self._at_a_rate(phase) if phase.rate else self._by_users(phase))
        finally:
            for connection in self._idle:
                connection.close()
        return self._tally.summary(self._clock() - began)

    async def _at_a_rate(self, phase: Phase) -> None:
        began = self._clock()
        async with asyncio.TaskGroup() as requests:
            for number in range(int(phase.seconds * phase.rate)):
                due = began + number / phase.rate
                await asyncio.sleep(due - self._clock())
                requests.create_task(self._request(due))
            await asyncio.sleep(began + phase.seconds - self._clock())

    async def _by_users(self, phase: Phase) -> None:
        until = self._clock() + phase.seconds
        async with asyncio.TaskGroup() as users:
            for _ in range(phase.users):
                users.create_task(self._user(until))

    async def _user(self, until: float) -> None:
        # Users start at random times, as people do.
        await asyncio.sleep(min(self._mix.random.random() * self._pause_s, until - self._clock()))
        while (now := self._clock()) < until:
            await self._request(now)
            think = self._mix.random.expovariate(1 / self._pause_s) if self._pause_s else 0.0
            await asyncio.sleep(max(0.0, min(think, until - self._clock())))

    async def _request(self, due: float) -> None:
        """Send one request, timed from when it was due, so that a late answer does not hide the wait of the next request."""
        path, headers = self._mix.draw()
        async with self._room:
            connection = self._idle.pop() if self._idle else self._connect()
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    reply = await connection.exchange(path, headers)
            except (OSError, UnexpectedAnswer):  # a TimeoutError is an OSError
                connection.close()
                self._tally.note_broken(self._clock() - due)
                return
            self._idle.append(connection)
        self._tally.note(reply, self._clock() - due)
        if reply.status == 200 and "etag" in reply.headers:
            self._mix.tags[path] = reply.headers["etag"]
