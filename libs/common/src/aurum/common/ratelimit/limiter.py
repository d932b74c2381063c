"""The rate limiter of a process: an account for each caller, and one for all callers together.

Requests use the buckets of this process only. With ``shared``, a background task (``shared.Sharing``) synchronizes the buckets
with those of other processes. Without it, each of ``processes`` processes has an even share of the limits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aurum.common.ratelimit.bucket import FULL_REQUEST, Bucket
from aurum.common.ratelimit.headers import Headers, LimitHeaders
from aurum.common.ratelimit.window import Limits, Window, rate_limits

P = TypeVar("P", bound=Hashable)
Key = tuple[str, str]
"""Tenant and subject of a caller."""

GLOBAL_KEY: Key = ("*", "*")
_SWEEP_FROM = 10_000
"""Accounts from which on full ones are removed."""
_NEVER = float("inf")
_ROUNDING = 1e-3


class Account:
    """The requests of one caller and the limits of its plan.

    A request calls only ``take``. The other methods are for headers, for statistics and for settling, which is reporting the
    admitted requests to Redis and receiving a lease: a number of requests that this process may admit on its own.
    """

    __slots__ = (
        "_elsewhere",
        "_headers",
        "_offline",
        "_queue",
        "_shared",
        "bucket",
        "is_queued",
        "key",
        "lease_until",
        "plan",
        "settle_at",
        "spent",
    )

    def __init__(self, key: Key, plan: object, bucket: Bucket, queue: SettlementQueue, *, shared: bool) -> None:
        self.key = key
        self.plan = plan
        self.bucket = bucket
        self.spent = 0
        """Requests admitted that are not reported to other processes yet."""
        self.is_queued = not shared
        """Whether it waits to be settled. Always True when limits are not shared, so that it never enters the queue."""
        self.settle_at: float = _NEVER
        """Number of ``spent`` requests at which the account is settled at once, for a new lease."""
        self.lease_until = 0.0 if shared else _NEVER
        """Time at which the lease ends; a request at or after it has the account settled at once."""
        self._queue = queue
        self._shared = shared
        self._elsewhere: Sequence[float] = (0.0,) * len(bucket.limits)
        """Requests of each window that remain for other processes."""
        self._headers = LimitHeaders(bucket.limits)
        self._offline = False

    def take(self, now: float) -> bool:
        """Admit one request and return True, or refuse it and return False. ``now``: seconds of the limiter's clock."""
        is_admitted = self.bucket.take(now)
        if is_admitted:
            self.spent += 1
        if not self.is_queued:
            self.is_queued = True
            self._queue.accounts.append(self)
        if self.spent >= self.settle_at or now >= self.lease_until:
            self.settle_at = self.lease_until = _NEVER
            self._queue.wake()
        return is_admitted

    def give_back(self) -> None:
        """Undo one ``take`` that admitted a request."""
        self.bucket.give_back()
        self.spent -= 1

    def headers(self) -> Headers:
        """Return the headers for a request that was just admitted: requests remaining in this and all other processes."""
        return self._headers.pairs(*self._scarcest_window())

    def header_lines(self) -> bytes:
        """Return the same headers as HTTP/1.1 lines, each ending with CRLF."""
        return self._headers.lines(*self._scarcest_window())

    def _scarcest_window(self) -> tuple[int, int, float]:
        """Return index, remaining requests and seconds until full of the window with the fewest requests remaining."""
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

    def remaining(self, now: float) -> list[float]:
        """Return how many requests each window would admit now, in this and all other processes."""
        return [level + elsewhere for level, elsewhere in zip(self.bucket.levels(now), self._elsewhere, strict=True)]

    def refusal(self, now: float) -> tuple[Window, float, Headers]:
        """Return the window that ran out, the seconds until the next request is admitted, and the headers for a refusal.

        Of several windows, it is the one with the longest wait. Each process refills its share of a window by itself, so that
        the wait suffices whatever the other processes do with theirs, and whichever of them the next request reaches.
        """
        share = self.bucket.share
        # Another process, or this one after the next settlement, may have refilled nothing yet.
        refilled, more = (1.0, 0.0) if share == 1.0 and not self._shared else (0.0, self._queue.delay_s)
        waits = [
            (1.0 - min(level, refilled)) / (window.rate * share) + more if level < FULL_REQUEST else 0.0
            for level, window in zip(self.bucket.levels(now), self.bucket.limits, strict=True)
        ]
        index = waits.index(max(waits))
        window = self.bucket.limits[index]
        # Whole milliseconds, rounded up: a response says no more.
        wait = math.ceil(waits[index] * 1000 - _ROUNDING) / 1000
        return window, wait, self._headers.pairs(index, 0, window.refill_s)

    def set_limits(self, limits: Limits, now: float) -> None:
        """Replace the limits, when the plan has changed."""
        self.bucket.resize(limits, self.bucket.share, now)
        self._headers = LimitHeaders(limits)
        self._elsewhere = (0.0,) * len(limits)
        self.lease_until = 0.0 if self._shared else _NEVER

    def set_share(self, share: float, now: float) -> None:
        """Replace this process's part of the limits, which holds without a lease."""
        if share != self.bucket.share:
            self.bucket.resize(self.bucket.limits, share, now)

    def spent_by_window(self, now: float) -> list[float]:
        """Return the requests to report, for each window."""
        if not self._offline:
            return [float(self.spent)] * len(self.bucket.limits)
        # Requests admitted while Redis did not answer have been refilled in part since: only the rest counts.
        return [min(float(self.spent), used) for used in self.bucket.used(now)]

    def apply_settlement(self, reported: int, lease: float, totals: Sequence[float], processes: int, now: float) -> None:
        """Take over the answer of a settlement.

        ``reported``: how many of the ``spent`` requests were reported. ``lease``: requests that this process may admit until it
        settles again. ``totals``: requests remaining in each window, for all processes.
        """
        self.spent -= reported
        least = min(totals)
        levels = [_level(total, lease, least, processes) for total in totals]
        self._elsewhere = [total - level for total, level in zip(totals, levels, strict=True)]
        self.bucket.set_levels([level - self.spent for level in levels], now)
        self._offline = False

    def go_offline(self) -> None:
        """Go on with the present levels, because Redis does not answer."""
        self._offline = True
        self._elsewhere = (0.0,) * len(self.bucket.limits)


def _level(total: float, lease: float, least: float, processes: int) -> float:
    if total < 0:
        return total / processes
    # Only the scarcest window is leased. The levels of the others matter only while Redis does not answer.
    return lease if total <= least else max(lease, total / processes)


@dataclass(slots=True)
class SettlementQueue:
    """Accounts that wait to be settled. ``wake``: has them settled at once. ``delay_s``: longest time until they are."""

    accounts: list[Account]
    wake: Callable[[], None]
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LimiterState:
    """Statistics of a limiter.

    ``accounts``: how many it holds. ``share``: this process's part of the limits, without a lease. ``refused``: requests.
    """

    accounts: int
    share: float
    refused: int


class Limiter(Generic[P]):
    """The accounts of all callers.

    ``limits_of``: returns the windows of a plan. ``per_second``: the rate of all callers together; 0: no limit. ``processes``:
    how many processes share the limits. ``shared``: they settle with each other (``shared.Sharing``), which also counts them.
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
        """Requests refused; the callers of ``take`` count them."""
        self._shared = shared
        self.queue = SettlementQueue([], no_wake)
        self._limits_of = limits_of
        self._accounts: dict[Key, Account] = {}
        self._sweep_at = _SWEEP_FROM
        self.global_account: Account | None = None
        """The account of all callers together; None without ``per_second``."""
        if per_second:
            self.global_account = self._open(GLOBAL_KEY, None, rate_limits(per_second), clock())

    def account(self, key: Key, plan: P, now: float) -> Account:
        """Return the account of a key, with the present limits of its plan."""
        account = self._accounts.get(key)
        if account is None:
            return self._open(key, plan, self._limits_of(plan), now)
        if account.plan is not plan:
            if account.plan != plan:
                account.set_limits(self._limits_of(plan), now)
            account.plan = plan
        return account

    def accounts(self) -> list[Account]:
        """Return all accounts, the global one included."""
        return list(self._accounts.values())

    def share_with(self, processes: int) -> None:
        """Set the number of processes that share the limits."""
        self.share = 1.0 / processes
        now = self.clock()
        for account in self._accounts.values():
            account.set_share(self.share, now)

    def state(self) -> LimiterState:
        return LimiterState(len(self._accounts), self.share, self.refused)

    def _open(self, key: Key, plan: object, limits: Limits, now: float) -> Account:
        if len(self._accounts) >= self._sweep_at:
            self._sweep(now)
        account = Account(key, plan, Bucket(limits, now, share=self.share), self.queue, shared=self._shared)
        self._accounts[key] = account
        return account

    def _sweep(self, now: float) -> None:
        """Remove the accounts that are equal to new ones."""
        self._accounts = {
            key: account
            for key, account in self._accounts.items()
            if (account.spent and self._shared) or account is self.global_account or not account.bucket.is_full(now)
        }
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._accounts))


def no_wake() -> None:
    """Do nothing: stands in for ``SettlementQueue.wake`` while no task settles."""
