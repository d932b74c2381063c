"""Turns at a publisher's hosts: the least time between two requests, shared by all processes of a machine.

The time of the last request to a host is in a file of its own, which is locked for the moment of looking and writing. A process
that ends while it waits holds nothing up.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from aurum.core.clock import Clock
from aurum.pipelines.fetch.atomic_write import FolderUnusable
from aurum.pipelines.public_files import Politeness

USUAL_S = 0.5
"""Seconds between requests to a host whose publisher states no rule. Aurum's own choice."""
_LONGEST_HOLD_S = 3600.0
_SHORTEST_WAIT_S = 1e-4
"""Clocks and the times in files are rounded: a shorter wait could be one that no clock shows."""


class Turns:
    """The times are in files of ``folder``. ``seconds``: between two requests, by host, in place of the publishers' rules."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        politeness: Iterable[Politeness],
        *,
        seconds: Mapping[str, float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._seconds = {rule.host: rule.seconds for rule in politeness} | dict(seconds)
        self._sleep = sleep

    async def turn(self, host: str) -> None:
        """Return when a request to the host may begin, and note that it does. Raises ``FolderUnusable``."""
        while (wait_s := self._begin(host)) > 0:
            await self._sleep(wait_s)

    def hold(self, host: str, seconds: float) -> None:
        """Let no request to the host begin for some seconds, as its server asks. Raises ``FolderUnusable``."""
        with self._locked(host) as times:
            times.write(times.last, max(times.until, self._now() + min(seconds, _LONGEST_HOLD_S)))

    def held_s(self, host: str) -> float:
        """Return the seconds for which ``hold`` still lets no request to a host begin. Raises ``FolderUnusable``."""
        with self._locked(host) as times:
            return self._held_s(times, self._now())

    def seconds_between(self, host: str) -> float:
        """Return the least seconds between two requests to a host."""
        return self._seconds.get(host, USUAL_S)

    def _begin(self, host: str) -> float:
        """Return the seconds to wait before the next look; 0 after noting that a request begins."""
        seconds = self.seconds_between(host)
        with self._locked(host) as times:
            now = self._now()
            # A time ahead of now is from before the clock was set back.
            since_last = now - times.last if times.last <= now else seconds
            wait_s = max(seconds - since_last, self._held_s(times, now))
            if wait_s > _SHORTEST_WAIT_S:
                return wait_s
            times.write(now, times.until)
            return 0.0

    def _held_s(self, times: _Times, now: float) -> float:
        left = times.until - now
        return left if 0 < left <= _LONGEST_HOLD_S else 0.0

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _locked(self, host: str) -> _Times:
        return _Times(self._folder / f"{host.replace(':', '_').replace('/', '_')}.json")


class _Times:
    """The times of a host in a locked file, as a context manager. ``last``: of the last request; ``until``: end of a hold."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last = self.until = 0.0

    def __enter__(self) -> _Times:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._read(os.read(self._file, 1024))
        except OSError as error:
            folder = str(self._path.parent)
            raise FolderUnusable(f"{folder} cannot be written: {error.strerror}", folder=folder) from error
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def _read(self, text: bytes) -> None:
        try:
            self.last, self.until = (float(number) for number in json.loads(text))
        except (ValueError, TypeError):
            self.last = self.until = 0.0  # a new file, or one that a full disk cut

    def write(self, last: float, until: float) -> None:
        content = json.dumps([last, until]).encode()
        os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))
