"""Which instants of a schedule are to be fired now. Pure: the same answer wherever and however often it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import takewhile

from aurum.core.schedule.times import LONGEST_S, InvalidSchedule, Times

MOST_MISSED = 100
"""The most instants that ``Misfire.ALL`` fires at once: the newest ones."""
GRACE = timedelta(minutes=1)
"""An instant is missed when nothing fired it for longer than that."""
_WINDOWS = tuple(timedelta(days=days) for days in (1 / 24, 1, 32, 366, 3660))
"""How far to look back for the newest instants, shortest first, so that a long outage costs no walk over all of it. What was
due before the longest of them is left out."""


class Misfire(StrEnum):
    """The treatment of instants that were missed, because no scheduler ran."""

    SKIP = "skip"
    """They are left out."""
    ONCE = "once"
    """The newest is fired, in place of all of them."""
    ALL = "all"
    """Each is fired, the newest hundred at most."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule. ``jitter_s``: it fires later by a number of seconds below it, always the same for one name.

    Raises ``InvalidSchedule``.
    """

    name: str
    times: Times
    jitter_s: int = 0
    misfire: Misfire = Misfire.ONCE
    is_on: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.jitter_s <= LONGEST_S:
            raise InvalidSchedule("jitter", self.jitter_s, f"takes 0 to {LONGEST_S} seconds")

    @property
    def delay(self) -> timedelta:
        """The time from an instant to its firing: below ``jitter_s``, spread over the names, so that not all fire at once."""
        if not self.jitter_s:
            return timedelta()
        return timedelta(seconds=int.from_bytes(sha256(self.name.encode()).digest()[:8], "big") % self.jitter_s)


@dataclass(frozen=True, slots=True)
class Due:
    """Instants that are due: those to fire, ascending, and the newest that is over, fired or left out. UTC."""

    instants: tuple[datetime, ...]
    last: datetime


def due(schedule: Schedule, now: datetime, last: datetime, *, grace: timedelta = GRACE) -> Due:
    """Return the instants that a schedule fires at ``now``.

    ``last``: the newest instant that is over; for a new schedule, when it began. All are in UTC. With a jitter an instant is
    fired later, and stays the same instant.
    """
    if not schedule.is_on:
        return Due((), last)
    until = now - schedule.delay
    newest = _newest(schedule.times, last, until, MOST_MISSED if schedule.misfire is Misfire.ALL else 1)
    if not newest:
        return Due((), last)
    is_left_out = schedule.misfire is Misfire.SKIP and until - newest[-1] > grace
    return Due(() if is_left_out else newest, newest[-1])


def next_firing(schedule: Schedule, last: datetime) -> datetime | None:
    """Return when a schedule fires next, its jitter included; None when it is off. ``last``: as in ``due``."""
    if not schedule.is_on:
        return None
    instant = next(schedule.times.after(last), None)
    return instant + schedule.delay if instant is not None else None


def _newest(times: Times, after: datetime, until: datetime, most: int) -> tuple[datetime, ...]:
    """Return the newest instants of ``(after, until]``, at most ``most``."""
    instants: list[datetime] = []
    for window in _WINDOWS:
        begin = max(after, until - window)
        instants = list(takewhile(until.__ge__, times.after(begin)))
        if len(instants) >= most or begin == after:
            break
    return tuple(instants[-most:])
