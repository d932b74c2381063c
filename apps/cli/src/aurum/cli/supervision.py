"""Restarts the servers and processes of ``aurum up`` when they end: with growing pauses, and not for ever."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aurum.common.settings import SupervisionSettings
from aurum.core.errors import Unavailable


class GaveUp(Unavailable):
    """A process that everything depends on has ended too often. Facts: ``role``."""


class Restartable(Protocol):
    """A server or process that the supervisor watches."""

    @property
    def role(self) -> str:
        """Its name in messages, such as ``PostgreSQL``."""
        ...

    @property
    def is_needed(self) -> bool:
        """Whether nothing works without it. One that is not needed stays down after too many failures, and the rest runs on."""
        ...

    def ended(self) -> str | None:
        """Return how it has ended, such as ``exit code 1``; None while it runs."""
        ...

    def start_again(self) -> None:
        """Start it after it has ended. Raises ``Unavailable`` with the reason."""
        ...


@dataclass(slots=True)
class _Watched:
    member: Restartable
    failures: list[float] = field(default_factory=list[float])
    """The times of its failures within the window."""
    start_at: float | None = None
    """When it is started again; None while it runs."""
    down: str = ""
    """Why it stays down; empty for one that does not."""


class Supervisor:
    """Watches servers and processes; ``look`` is called again and again.

    ``say``: prints a line for the operator. ``clock``: seconds, ``time.monotonic`` in a running service.
    """

    def __init__(
        self,
        members: Sequence[Restartable],
        settings: SupervisionSettings,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watched = [_Watched(member) for member in members]
        self._settings = settings
        self._say = say
        self._clock = clock

    def look(self) -> None:
        """Notice what has ended, and start what has waited long enough. Raises ``GaveUp``."""
        for watched in self._watched:
            if not watched.down:
                self._look_at(watched)

    def state(self) -> dict[str, str]:
        """Return ``running``, ``restarting``, or why it stays down, by role."""
        return {each.member.role: each.down or ("running" if each.start_at is None else "restarting") for each in self._watched}

    def _look_at(self, watched: _Watched) -> None:
        now, member = self._clock(), watched.member
        if watched.start_at is None:
            how = member.ended()
            if how is not None:
                self._failed(watched, now, f"ended ({how})")
        elif now >= watched.start_at:
            try:
                member.start_again()
            except Unavailable as error:
                self._failed(watched, self._clock(), f"did not start: {error.detail}")
            else:
                watched.start_at = None
                self._say(f"{member.role}: started again")

    def _failed(self, watched: _Watched, now: float, what: str) -> None:
        settings, member = self._settings, watched.member
        watched.failures = [when for when in watched.failures if now - when < settings.within_s]
        watched.failures.append(now)
        count = len(watched.failures)
        if count < settings.failures:
            pause = min(settings.first_pause_s * 2 ** (count - 1), settings.longest_pause_s)
            watched.start_at = now + pause
            self._say(f"{member.role}: {what}; it is started again in {pause:g} s")
            return
        failures = "1 failure" if count == 1 else f"{count} failures"
        why = f"{member.role}: {what}, {failures} within {settings.within_s:g} s"
        if member.is_needed:
            raise GaveUp(why, role=member.role)
        watched.down = what
        self._say(f"{why}: it stays down, and the rest runs on")


def write_state(path: Path, state: dict[str, str]) -> None:
    """Write the state of the processes for the health check of the API, whole or not at all. A full disk fails nothing."""
    new = path.with_suffix(".new")
    with suppress(OSError):
        new.write_text(json.dumps(state))
        os.replace(new, path)
