"""Rate limits that several processes share through Redis, synchronized in the background.

For each account Redis holds the requests used in each window, which fall with time, and the lease of each process. A process
reports the requests it has admitted every ``every_s`` seconds, or at once when its lease runs low. It then receives a lease of
half of the requests that remain and are not leased to another process; a lease ends after one second. So all processes
together hardly ever admit more than the limits, however the load is spread. Requests beyond the limits, which occur because a
key that is new to a process is served before Redis answers, become a debt.

While Redis does not answer, each process goes on with an even share, and reports its requests when Redis is back.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from aurum.common.ratelimit.limiter import Account, Limiter, no_wake

P = TypeVar("P", bound=Hashable)

_PREFIX = "aurum:limits:"
_PROCESSES = "aurum:limits:processes"
_LEASE_S = 1.0
_HEARTBEAT_S = 1.0
_GONE_AFTER_S = 3.0
"""Time without a heartbeat after which a process no longer counts."""
_PAUSE_S = 0.01
"""Shortest time between two settlements."""
_RETRY_S = 0.5
"""Time between two attempts while Redis does not answer; also the longest time to sign off at the end."""
_ROUND_TRIP_S = 0.05
"""Time that an exchange with Redis may take."""
_BATCH = 500
"""Accounts settled in one round trip."""

_SETTLE = """
local me, lease_ms, processes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local at, used, others = now, {}, 0
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local kind, name, value = string.sub(stored[i], 1, 2), string.sub(stored[i], 3), stored[i + 1]
  if kind == 'u:' then
    used[name] = tonumber(value)
  elseif kind == 'l:' and name ~= me then
    local amount, till = string.match(value, '^(%S+) (%S+)$')
    if tonumber(till) > now then others = others + tonumber(amount) else redis.call('HDEL', KEYS[1], stored[i]) end
  elseif kind == 'at' then
    at = math.min(tonumber(value), now)
  end
end
local lease, answer, fields, lasts = math.huge, {0}, {'at', string.format('%.3f', now)}, 1000
for i = 4, #ARGV, 4 do
  local name, capacity, rate = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]) / 1000
  local level = math.max(0, (used[name] or 0) - (now - at) * rate) + tonumber(ARGV[i + 3])
  -- Debt above a tenth of the capacity is dropped: after a change to a smaller plan a caller must not be refused for days.
  level = math.min(level, capacity * 1.1)
  local left = capacity - level
  lease = math.min(lease, left - others)
  lasts = math.max(lasts, math.ceil(level / rate))
  answer[#answer + 1] = string.format('%.4f', left)
  fields[#fields + 1] = 'u:' .. name
  fields[#fields + 1] = string.format('%.4f', level)
end
local rest = 0
if processes > 1 then
  rest = lease / 2
  lease = lease / 2
end
lease = math.max(0, lease)
answer[1] = string.format('%.4f', lease)
table.insert(answer, 2, string.format('%.4f', math.max(0, rest)))
fields[#fields + 1] = 'l:' .. me
fields[#fields + 1] = string.format('%.4f %.3f', lease, now + lease_ms)
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], lasts + lease_ms)
return answer
"""
"""Lua script of one settlement.

KEYS: the account. ARGV: name of the process, length of the lease in ms, number of processes; then for each window its name,
capacity, requests a second and requests spent. Returns the lease, the requests that could be leased besides, and the requests
remaining in each window. Fields of the account's hash: ``at`` (ms), ``u:<window>`` (requests used), ``l:<process>`` (requests
leased and the end of the lease in ms).
"""

_HEARTBEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""


@dataclass(frozen=True, slots=True)
class SharingState:
    """Statistics of the synchronization.

    ``connected``: whether Redis answered the last time. ``processes``: how many share the limits. ``settled``: accounts settled
    so far. ``failures``: attempts that failed.
    """

    connected: bool
    processes: int
    settled: int
    failures: int


class Sharing(Generic[P]):
    """A background task (``run``) that settles the accounts of a limiter with Redis.

    ``every_s``: longest time between two settlements. ``name``: of this process, random by default.
    """

    def __init__(self, limiter: Limiter[P], client: Redis, *, every_s: float, name: str | None = None) -> None:
        self._limiter = limiter
        self._client = client
        self._every_s = every_s
        self._name = name or secrets.token_hex(6)
        self._wake = asyncio.Event()
        self._scripts: tuple[str, str] | None = None
        self._processes = max(1, round(1 / limiter.share))
        self._next_heartbeat = 0.0
        self._connected = False
        self._settled = self._failures = 0
        self._log = structlog.get_logger(__name__)

    def state(self) -> SharingState:
        return SharingState(self._connected, self._processes, self._settled, self._failures)

    async def run(self) -> None:
        """Settle until cancelled; then sign off, so that the other processes have this process's share at once."""
        self._limiter.queue.wake = self._wake.set
        self._limiter.queue.delay_s = self._every_s + _ROUND_TRIP_S
        task = asyncio.current_task()
        assert task is not None
        try:
            # Tested each time: on Python 3.11 the wait_for inside redis-py loses a cancellation that arrives while it sends.
            while not task.cancelling():
                await asyncio.sleep(await self._try_to_settle())
                await self._wait_for_wake()
        finally:
            self._limiter.queue.wake = no_wake
            await self._sign_off()

    async def settle(self) -> None:
        """Settle all accounts in the queue. Raises ``RedisError`` or ``OSError``."""
        if self._limiter.clock() >= self._next_heartbeat:
            await self._send_heartbeat()
        queued = self._limiter.queue.accounts
        # The number of batches is fixed here: accounts that enter the queue meanwhile wait for the next time.
        for _ in range(0, len(queued), _BATCH):
            batch = queued[:_BATCH]
            await self._settle_batch(batch)
            del queued[: len(batch)]

    async def _try_to_settle(self) -> float:
        """Settle, and return the seconds to pause before the next time."""
        self._wake.clear()
        try:
            await self.settle()
        except (RedisError, OSError) as error:
            self._disconnected(error)
            return _RETRY_S
        if not self._connected:
            self._connected = True
            self._log.info("rate limits shared with other processes", processes=self._processes)
        return _PAUSE_S

    async def _wait_for_wake(self) -> None:
        try:
            async with asyncio.timeout(self._every_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send_heartbeat(self) -> None:
        """Report that this process runs, and learn how many processes do."""
        _, heartbeat = await self._loaded_scripts()
        count = int(cast("int", await self._run_script(heartbeat, _PROCESSES, self._name, int(_GONE_AFTER_S * 1000))))
        self._next_heartbeat = self._limiter.clock() + _HEARTBEAT_S
        if count != self._processes:
            self._processes = count
            self._limiter.share_with(count)

    async def _settle_batch(self, batch: list[Account]) -> None:
        settle, _ = await self._loaded_scripts()
        reported = [account.spent for account in batch]
        async with self._client.pipeline(transaction=False) as pipe:
            for account in batch:
                pipe.evalsha(settle, 1, _PREFIX + ":".join(account.key), *self._arguments(account))
            try:
                answers = cast("list[list[bytes]]", await pipe.execute())
            except NoScriptError:
                # The server has restarted without its scripts: the next attempt loads them.
                self._scripts = None
                raise
        now = self._limiter.clock()
        for account, spent, answer in zip(batch, reported, answers, strict=True):
            lease, rest, *totals = map(float, answer)
            account.apply_settlement(spent, lease, totals, self._processes, now)
            account.is_queued = account.spent > 0
            account.settle_at = max(1.0, lease / 2) if rest >= 1.0 else float("inf")
            account.lease_until = now + _LEASE_S
            if account.is_queued:
                self._limiter.queue.accounts.append(account)
        self._settled += len(batch)

    def _arguments(self, account: Account) -> list[Any]:
        arguments: list[Any] = [self._name, int(_LEASE_S * 1000), self._processes]
        spent = account.spent_by_window(self._limiter.clock())
        for window, count in zip(account.bucket.limits, spent, strict=True):
            arguments += [window.name, window.capacity, window.rate, count]
        return arguments

    async def _loaded_scripts(self) -> tuple[str, str]:
        """Return the digests of the scripts for a settlement and for a heartbeat, loading them when needed."""
        if self._scripts is None:
            self._scripts = (await self._load(_SETTLE), await self._load(_HEARTBEAT))
        return self._scripts

    async def _load(self, script: str) -> str:
        return str(await self._client.script_load(script))

    async def _run_script(self, digest: str, key: str, *arguments: Any) -> Any:
        return await self._client.evalsha(digest, 1, key, *arguments)

    def _disconnected(self, error: Exception) -> None:
        self._failures += 1
        self._next_heartbeat = 0.0
        self._scripts = None
        for account in self._limiter.queue.accounts:
            account.go_offline()
        if self._connected:
            self._connected = False
            self._log.warning("rate limits not shared: no answer from redis", cause=repr(error), share=self._limiter.share)

    async def _sign_off(self) -> None:
        """Remove this process from the count of processes."""
        try:
            async with asyncio.timeout(_RETRY_S):
                await self._client.zrem(_PROCESSES, self._name)
        except (RedisError, OSError, TimeoutError) as error:
            self._log.debug("process not signed off from shared rate limits", cause=repr(error))
