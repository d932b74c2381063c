"""The second tier: Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from aurum.common.cache.tier import Stored, TierAway
from aurum.common.clock import SystemClock

_PREFIX = "aurum:cache:"
_TAGGED = "aurum:cache:tagged:"
_AT_ONCE = 1_000
"""Keys dropped with one command: others want something of the server, too."""


class RedisTier:
    """``Tier`` on Redis: a value a key, and a set of keys a tag, by when they end, that lives as long as its longest key."""

    name = "redis"

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._clock = SystemClock()

    async def get(self, key: str) -> Stored | None:
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.get(_PREFIX + key)
                pipe.pttl(_PREFIX + key)
                content, milliseconds = cast("tuple[bytes | None, int]", await pipe.execute())
        except (RedisError, OSError) as error:
            raise TierAway(str(error)) from error
        return None if content is None or milliseconds <= 0 else Stored(content, milliseconds / 1000)

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None:
        milliseconds = max(1, int(fresh_s * 1000))
        now = self._clock.now().timestamp()
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.set(_PREFIX + key, content, px=milliseconds)
                for tag in tags:
                    # What has ended since leaves the set: under steady use the set itself never ends.
                    pipe.zremrangebyscore(_TAGGED + tag, "-inf", now)
                    pipe.zadd(_TAGGED + tag, {key: now + fresh_s})
                    # Longer each time, never shorter: a key must not outlive the set that leads to it.
                    pipe.pexpire(_TAGGED + tag, milliseconds, nx=True)
                    pipe.pexpire(_TAGGED + tag, milliseconds, gt=True)
                await pipe.execute()
        except (RedisError, OSError) as error:
            raise TierAway(str(error)) from error

    async def forget(self, tags: Iterable[str]) -> int:
        try:
            dropped = 0
            for tag in tags:
                while found := cast("list[tuple[bytes, float]]", await self._client.zpopmin(_TAGGED + tag, _AT_ONCE)):
                    dropped += int(await self._client.delete(*(f"{_PREFIX}{key.decode()}" for key, _ in found)))
        except (RedisError, OSError) as error:
            raise TierAway(str(error)) from error
        return dropped
