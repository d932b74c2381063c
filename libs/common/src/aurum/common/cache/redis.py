"""The cache tier in Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from aurum.common.cache.tier import Stored, TierUnavailable
from aurum.common.clock import SystemClock

_PREFIX = "aurum:cache:"
_TAGGED = "aurum:cache:tagged:"
_BATCH = 1_000
"""Keys deleted with one command: a longer one would block other clients of the server."""


class RedisTier:
    """A ``Tier`` in Redis.

    Each key is a value that expires. Each tag is a sorted set of its keys with their expiry (seconds since 1970) as score, and
    expires with the last of them.
    """

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
            raise TierUnavailable(str(error)) from error
        return None if content is None or milliseconds <= 0 else Stored(content, milliseconds / 1000)

    async def put(self, key: str, content: bytes, *, fresh_s: float, tags: Iterable[str]) -> None:
        milliseconds = max(1, int(fresh_s * 1000))
        now = self._clock.now().timestamp()
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.set(_PREFIX + key, content, px=milliseconds)
                for tag in tags:
                    # Expired keys are removed here: under steady use the set itself never expires.
                    pipe.zremrangebyscore(_TAGGED + tag, "-inf", now)
                    pipe.zadd(_TAGGED + tag, {key: now + fresh_s})
                    # The expiry of the set only ever moves later: a key must not outlive the set through which it is deleted.
                    pipe.pexpire(_TAGGED + tag, milliseconds, nx=True)
                    pipe.pexpire(_TAGGED + tag, milliseconds, gt=True)
                await pipe.execute()
        except (RedisError, OSError) as error:
            raise TierUnavailable(str(error)) from error

    async def forget(self, tags: Iterable[str]) -> int:
        try:
            deleted = 0
            for tag in tags:
                while batch := cast("list[tuple[bytes, float]]", await self._client.zpopmin(_TAGGED + tag, _BATCH)):
                    deleted += int(await self._client.delete(*(f"{_PREFIX}{key.decode()}" for key, _ in batch)))
        except (RedisError, OSError) as error:
            raise TierUnavailable(str(error)) from error
        return deleted
