"""Limits that several processes keep together, through Redis, beside the requests.

Redis holds what was used of each window, which falls with time, and what each process was lent. A process tells what it has
spent, every ``every_s`` seconds or at once when it runs low, and is lent half of what is left and lent to nobody; a second
later what it was lent is anybody's again. So all together hardly ever let in more than the limits, however they share the
load, and what they let in too many is a debt: a key that comes to a process for the first time is served before Redis answers.

Without Redis each goes on with an even share, and tells the rest when Redis is back.
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

from aurum.common.ratelimit.limiter import Account, Limiter

P = TypeVar("P", bound=Hashable)

_PREFIX = "aurum:limits:"
_PROCESSES = "aurum:limits:processes"
_LENT_S = 1.0
_BEAT_S = 1.0
_GONE_AFTER_S = 3.0
_GAP_S = 0.01
"""Between two times of settling at least."""
_AWAY_S = 0.5
"""Between two tries while Redis is away."""
_MOST_AT_ONCE = 500
"""Accounts settled in one round trip."""

_SETTLE = """
local me, lent_ms, processes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local at, used, others = now, {}, 0
local kept = redis.call('HGETALL', KEYS[1])
for i = 1, #kept, 2 do
  local kind, name, value = string.sub(kept[i], 1, 2), string.sub(kept[i], 3), kept[i + 1]
  if kind == 'u:' then
    used[name] = tonumber(value)
  elseif kind == 'l:' and name ~= me then
    local amount, till = string.match(value, '^(%S+) (%S+)$')
    if tonumber(till) > now then others = others + tonumber(amount) else redis.call('HDEL', KEYS[1], kept[i]) end
  elseif kind == 'at' then
    at = math.min(tonumber(value), now)
  end
end
local lease, answer, fields, lasts = math.huge, {0}, {'at', string.format('%.3f', now)}, 1000
for i = 4, #ARGV, 4 do
  local name, capacity, rate = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]) / 1000
  local level = math.max(0, (used[name] or 0) - (now - at) * rate) + tonumber(ARGV[i + 3])
  -- More debt than a tenth is forgiven: a smaller plan must not shut its owner out for days.
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
fields[#fields + 1] = string.format('%.4f %.3f', lease, now + lent_ms)
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], lasts + lent_ms)
return answer
"""
"""KEYS: the account. ARGV: process, for how long it is lent, processes; then for each window its name, capacity, requests a
second, requests spent. Answers what is lent, what could be lent besides, and what is left of each window."""

_BEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""


@dataclass(frozen=True, slots=True)
class SharingState:
    """``connected``: whether Redis answered last time. ``processes`` that share the limits."""

    connected: bool
    processes: int
    settled: int
    failures: int


class Sharing(Generic[P]):
    """Settles the accounts of a limiter with Redis: ``run`` it beside the requests."""

    def __init__(self, limiter: Limiter[P], client: Redis, *, every_s: float, name: str | None = None) -> None:
        self._limiter = limiter
        self._client = client
        self._every_s = every_s
        self._name = name or secrets.token_hex(6)
        self._wake = asyncio.Event()
        self._scripts: tuple[str, str] | None = None
        self._processes = max(1, round(1 / limiter.share))
        self._next_beat = 0.0
        self._connected = False
        self._settled = self._failures = 0
        self._log = structlog.get_logger(__name__)

    def state(self) -> SharingState:
        return SharingState(self._connected, self._processes, self._settled, self._failures)

    async def run(self) -> None:
        """Settle until cancelled; then leave, so that the others have the share of this process at once."""
        self._limiter.asked.wake = self._wake.set
        task = asyncio.current_task()
        assert task is not None
        try:
            # Asked each time: on Python 3.11 the wait_for inside redis-py loses a cancellation that comes as it sends.
            while not task.cancelling():
                await asyncio.sleep(await self._try_to_settle())
                await self._until_asked()
        finally:
            self._limiter.asked.wake = _nobody
            await self._leave()

    async def settle(self) -> None:
        """Put together what was spent with what others spent. Raises ``RedisError`` or ``OSError``."""
        if self._limiter.clock() >= self._next_beat:
            await self._beat()
        marked = self._limiter.asked.marked
        # Those that are marked again meanwhile wait for the next time.
        for _ in range(0, len(marked), _MOST_AT_ONCE):
            batch = marked[:_MOST_AT_ONCE]
            await self._settle_all(batch)
            del marked[: len(batch)]

    async def _try_to_settle(self) -> float:
        """How long to rest."""
        self._wake.clear()
        try:
            await self.settle()
        except (RedisError, OSError) as error:
            self._went_away(error)
            return _AWAY_S
        if not self._connected:
            self._connected = True
            self._log.info("rate limits are shared", processes=self._processes)
        return _GAP_S

    async def _until_asked(self) -> None:
        try:
            async with asyncio.timeout(self._every_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _beat(self) -> None:
        """Say that this process is there, and learn how many are."""
        _, beat = await self._loaded()
        count = int(cast("int", await self._run_script(beat, _PROCESSES, self._name, int(_GONE_AFTER_S * 1000))))
        self._next_beat = self._limiter.clock() + _BEAT_S
        if count != self._processes:
            self._processes = count
            self._limiter.share_with(count)

    async def _settle_all(self, batch: list[Account]) -> None:
        settle, _ = await self._loaded()
        told = [account.spent for account in batch]
        async with self._client.pipeline(transaction=False) as pipe:
            for account in batch:
                pipe.evalsha(settle, 1, _PREFIX + ":".join(account.key), *self._arguments(account))
            try:
                answers = cast("list[list[bytes]]", await pipe.execute())
            except NoScriptError:
                # The server was started anew: the next time brings the scripts along.
                self._scripts = None
                raise
        now = self._limiter.clock()
        for account, spent, answer in zip(batch, told, answers, strict=True):
            lease, rest, *totals = map(float, answer)
            account.settled(spent, lease, totals, self._processes, now)
            account.marked = account.spent > 0
            account.ask_at = max(1.0, lease / 2) if rest >= 1.0 else float("inf")
            account.known_until = now + _LENT_S
            if account.marked:
                self._limiter.asked.marked.append(account)
        self._settled += len(batch)

    def _arguments(self, account: Account) -> list[Any]:
        arguments: list[Any] = [self._name, int(_LENT_S * 1000), self._processes]
        spent = account.unsettled(self._limiter.clock())
        for window, count in zip(account.bucket.limits, spent, strict=True):
            arguments += [window.name, window.capacity, window.rate, count]
        return arguments

    async def _loaded(self) -> tuple[str, str]:
        if self._scripts is None:
            self._scripts = (await self._load(_SETTLE), await self._load(_BEAT))
        return self._scripts

    async def _load(self, script: str) -> str:
        return str(await self._client.script_load(script))

    async def _run_script(self, digest: str, key: str, *arguments: Any) -> Any:
        return await self._client.evalsha(digest, 1, key, *arguments)

    def _went_away(self, error: Exception) -> None:
        self._failures += 1
        self._next_beat = 0.0
        self._scripts = None
        for account in self._limiter.asked.marked:
            account.alone()
        if self._connected:
            self._connected = False
            self._log.warning("rate limits are not shared for now", cause=repr(error), share=self._limiter.share)

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(_AWAY_S):
                await self._client.zrem(_PROCESSES, self._name)
        except (RedisError, OSError, TimeoutError) as error:
            self._log.debug("could not say good-bye", cause=repr(error))


def _nobody() -> None:
    return None
