"""Restarts the servers and processes of ``aurum up`` when they end, after growing pauses, up to a number of failures."""

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
        """Whether nothing works without it. Other members stay down after too many failures, and the rest runs on."""
        ...

    def ended(self) -> str | None:
        """Return how it has ended, such as ``exit code 1``; None while it runs."""
        ...

    def start_again(self) -> None:
        """Start it after it has ended. Raises ``Unavailable`` with the reason."""
        ...


@dataclass(slots=True)
class _Watched:
    """A member with its failures. It runs, waits for its next start, or stays down."""

    member: Restartable
    failures: list[float] = field(default_factory=list[float])
    """The times of its failures within the window."""
    start_at: float | None = None
    """Time of its next start; None while it runs."""
    down: str = ""
    """Why it stays down; empty otherwise."""


class Supervisor:
    """Watches servers and processes. Its owner calls ``look`` every half second or so.

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
        """Notice members that have ended, and start those whose pause is over. Raises ``GaveUp``."""
        for watched in self._watched:
            if not watched.down:
                self._look_at(watched)

    def state(self) -> dict[str, str]:
        """Return the state of each member by its role: ``running``, ``restarting``, or the reason why it stays down."""
        return {
            watched.member.role: watched.down or ("running" if watched.start_at is None else "restarting")
            for watched in self._watched
        }

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

    def _failed(self, watched: _Watched, now: float, failure: str) -> None:
        settings, member = self._settings, watched.member
        watched.failures = [when for when in watched.failures if now - when < settings.within_s]
        watched.failures.append(now)
        count = len(watched.failures)
        if count < settings.failures:
            pause = min(settings.first_pause_s * 2 ** (count - 1), settings.longest_pause_s)
            watched.start_at = now + pause
            self._say(f"{member.role}: {failure}; it is started again in {pause:g} s")
            return
        failures = "1 failure" if count == 1 else f"{count} failures"
        why = f"{member.role}: {failure}, {failures} within {settings.within_s:g} s"
        if member.is_needed:
            raise GaveUp(why, role=member.role)
        watched.down = failure
        self._say(f"{why}: it stays down, and the rest runs on")


def write_state(path: Path, state: dict[str, str]) -> None:
    """Write the state of the processes for the health check of the API, whole or not at all.

    Errors of the file system are ignored: a full disk must not end the processes.
    """
    new = path.with_suffix(".new")
    with suppress(OSError):
        new.write_text(json.dumps(state))
        os.replace(new, path)
