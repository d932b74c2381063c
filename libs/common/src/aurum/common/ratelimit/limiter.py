"""Who has asked how often: an account for each key, and one for all together.

The request path works on this process's own buckets alone. With ``shared`` they are put together with those of other
processes beside it; without, ``processes`` says how many share the limits evenly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aurum.common.ratelimit.bucket import Bucket
from aurum.common.ratelimit.headers import Headers, LimitHeaders
from aurum.common.ratelimit.window import Limits, Window, rate_limits

P = TypeVar("P", bound=Hashable)
Key = tuple[str, str]
"""Tenant and subject."""

EVERYBODY: Key = ("*", "*")
_SWEEP_FROM = 10_000
_NEVER = float("inf")


class Account:
    """What one key has asked for. ``take`` is all that a request costs; the rest is for who settles."""

    __slots__ = (
        "_asked_of",
        "_elsewhere",
        "_headers",
        "_offline",
        "_shared",
        "ask_at",
        "bucket",
        "key",
        "known_until",
        "marked",
        "plan",
        "spent",
    )

    def __init__(self, key: Key, plan: object, bucket: Bucket, asked_of: Asked, *, shared: bool) -> None:
        self.key = key
        self.plan = plan
        self.bucket = bucket
        self.spent = 0
        """Requests let in that nobody else knows of yet."""
        self.marked = not shared
        """Whether it waits to be settled; what is shared with nobody is marked, so that it is not put in line."""
        self.ask_at: float = _NEVER
        """So many requests spent, and it asks for more than it was given."""
        self.known_until = 0.0 if shared else _NEVER
        """From then on it can no longer be sure of what it was given, and asks at once."""
        self._asked_of = asked_of
        self._shared = shared
        self._elsewhere: Sequence[float] = (0.0,) * len(bucket.limits)
        self._headers = LimitHeaders(bucket.limits)
        self._offline = False

    def take(self, now: float) -> bool:
        """Let one request in, or refuse it. ``now``: of the limiter's clock."""
        let_in = self.bucket.take(now)
        if let_in:
            self.spent += 1
        if not self.marked:
            self.marked = True
            self._asked_of.marked.append(self)
        if self.spent >= self.ask_at or now >= self.known_until:
            self.ask_at = self.known_until = _NEVER
            self._asked_of.wake()
        return let_in

    def give_back(self) -> None:
        """Undo one ``take`` that let in."""
        self.bucket.give_back()
        self.spent -= 1

    def headers(self) -> Headers:
        """What the answer to a request that was just let in says of what is left, here and with other processes."""
        return self._headers.pairs(*self._shortest())

    def header_lines(self) -> bytes:
        """The same as lines that end with CRLF."""
        return self._headers.lines(*self._shortest())

    def _shortest(self) -> tuple[int, int, float]:
        """The window with the least left: its index, the requests left, and the seconds until it is full."""
        least, index = _NEVER, 0
        levels, elsewhere = self.bucket.at_last_take, self._elsewhere
        for i in range(len(levels)):
            total = levels[i] + elsewhere[i]
            if total < least:
                least, index = total, i
        window = self.bucket.limits[index]
        capacity = window.capacity
        remaining = 0.0 if least < 0 else min(least, capacity)
        return index, int(remaining), (capacity - remaining) / (window.limit / window.seconds)

    def left(self, now: float) -> list[float]:
        """Requests that each window would let in now, here and with other processes."""
        return [level + more for level, more in zip(self.bucket.levels(now), self._elsewhere, strict=True)]

    def refused(self, now: float) -> tuple[Window, float, Headers]:
        """The window that refuses for longest, the seconds to wait for it, and the headers that say so."""
        share = self.bucket.share if self._offline or not self._shared else 1.0
        waits = [
            (1.0 - level - more) / (window.rate * share) if level < 1.0 else 0.0
            for level, more, window in zip(self.bucket.levels(now), self._elsewhere, self.bucket.limits, strict=True)
        ]
        index = waits.index(max(waits))
        window = self.bucket.limits[index]
        return window, max(0.0, waits[index]), self._headers.pairs(index, 0, window.refill_s)

    def follow(self, limits: Limits, now: float) -> None:
        """Have other limits from now on."""
        self.bucket.resize(limits, self.bucket.share, now)
        self._headers = LimitHeaders(limits)
        self._elsewhere = (0.0,) * len(limits)
        self.known_until = 0.0 if self._shared else _NEVER

    def share(self, share: float, now: float) -> None:
        """Have another part of the limits, when nobody says more."""
        if share != self.bucket.share:
            self.bucket.resize(self.bucket.limits, share, now)

    def unsettled(self, now: float) -> list[float]:
        """What others shall be told was spent, of each window."""
        if not self._offline:
            return [float(self.spent)] * len(self.bucket.limits)
        # Of what was spent while nobody could be told, windows have been refilled in part since.
        return [min(float(self.spent), used) for used in self.bucket.used(now)]

    def settled(self, told: int, lease: float, totals: Sequence[float], processes: int, now: float) -> None:
        """Learn how it stands. ``told``: of ``spent``; ``lease``: requests that are this process's until it asks again;
        ``totals``: left of each window, for all processes.
        """
        self.spent -= told
        least = min(totals)
        levels = [_level(total, lease, least, processes) for total in totals]
        self._elsewhere = [total - level for total, level in zip(totals, levels, strict=True)]
        self.bucket.set_levels([level - self.spent for level in levels], now)
        self._offline = False

    def alone(self) -> None:
        """Nobody can be told: go on with what there is."""
        self._offline = True
        self._elsewhere = (0.0,) * len(self.bucket.limits)


def _level(total: float, lease: float, least: float, processes: int) -> float:
    if total < 0:
        return total / processes
    # Only the window with least is shared out request by request; the others matter when nobody can be asked.
    return lease if total <= least else max(lease, total / processes)


@dataclass(slots=True)
class Asked:
    """Accounts that wait to be settled, and how to have it done soon."""

    marked: list[Account]
    wake: Callable[[], None]


@dataclass(frozen=True, slots=True)
class LimiterState:
    """``accounts`` known; ``share``: the part of each that is this process's when nobody says more; requests ``refused``."""

    accounts: int
    share: float
    refused: int


class Limiter(Generic[P]):
    """Accounts by key. ``limits_of``: the windows of a plan. ``per_second``: of all keys together; 0: any number.

    ``processes`` have the limits together; ``shared``: they settle with each other (``shared.Sharing``), and their number
    follows from that.
    """

    def __init__(
        self,
        limits_of: Callable[[P], Limits],
        *,
        per_second: float = 0.0,
        processes: int = 1,
        shared: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.share = 1.0 / processes
        self.refused = 0
        """Counted by who asks."""
        self._shared = shared
        self.asked = Asked([], _nobody_to_wake)
        self._limits_of = limits_of
        self._accounts: dict[Key, Account] = {}
        self._sweep_at = _SWEEP_FROM
        self.everybody: Account | None = None
        if per_second:
            self.everybody = self._open(EVERYBODY, None, rate_limits(per_second), clock())

    def account(self, key: Key, plan: P, now: float) -> Account:
        """The account of a key, with the limits of its plan as it is now."""
        found = self._accounts.get(key)
        if found is None:
            return self._open(key, plan, self._limits_of(plan), now)
        if found.plan is not plan:
            if found.plan != plan:
                found.follow(self._limits_of(plan), now)
            found.plan = plan
        return found

    def accounts(self) -> list[Account]:
        """All there are."""
        return list(self._accounts.values())

    def share_with(self, processes: int) -> None:
        """So many processes have the limits together."""
        self.share = 1.0 / processes
        now = self.clock()
        for account in self._accounts.values():
            account.share(self.share, now)

    def state(self) -> LimiterState:
        return LimiterState(len(self._accounts), self.share, self.refused)

    def _open(self, key: Key, plan: object, limits: Limits, now: float) -> Account:
        if len(self._accounts) >= self._sweep_at:
            self._sweep(now)
        account = Account(key, plan, Bucket(limits, now, share=self.share), self.asked, shared=self._shared)
        self._accounts[key] = account
        return account

    def _sweep(self, now: float) -> None:
        """Forget the accounts that say no more than new ones would."""
        self._accounts = {
            key: account
            for key, account in self._accounts.items()
            if (account.spent and self._shared) or account is self.everybody or not account.bucket.is_full(now)
        }
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._accounts))


def _nobody_to_wake() -> None:
    return None
