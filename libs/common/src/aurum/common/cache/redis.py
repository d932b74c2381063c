"""The second tier: Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from aurum.common.cache.tier import Stored, TierAway

_PREFIX = "aurum:cache:"


class RedisTier:
    """``Tier`` on Redis: a value a key, and a set of keys a tag that lives as long as its longest key."""

    name = "redis"

    def __init__(self, client: Redis) -> None:
        self._client = client

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
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.set(_PREFIX + key, content, px=milliseconds)
                for tag in tags:
                    pipe.sadd(f"{_PREFIX}tag:{tag}", key)
                    # Longer each time, never shorter: a key must not outlive the set that leads to it.
                    pipe.pexpire(f"{_PREFIX}tag:{tag}", milliseconds, nx=True)
                    pipe.pexpire(f"{_PREFIX}tag:{tag}", milliseconds, gt=True)
                await pipe.execute()
        except (RedisError, OSError) as error:
            raise TierAway(str(error)) from error

    async def forget(self, tags: Iterable[str]) -> int:
        try:
            dropped = 0
            for tag in tags:
                keys = cast("set[bytes]", await self._client.smembers(f"{_PREFIX}tag:{tag}"))  # pyright: ignore[reportGeneralTypeIssues, reportUnknownMemberType] - one signature for two kinds of client
                names = [f"{_PREFIX}{key.decode()}" for key in keys]
                dropped += int(await self._client.delete(*names, f"{_PREFIX}tag:{tag}")) - 1 if names else 0
        except (RedisError, OSError) as error:
            raise TierAway(str(error)) from error
        return dropped
