"""A process that sends requests to a shared limiter at a fixed rate.

Prints how many were admitted, how many processes shared the limit, and when it began and ended (seconds of the monotonic clock,
which is that of all processes of a machine).

Arguments: URL of Redis, requests a second of the limit, requests a second to send, seconds, seconds to wait first.
"""

from __future__ import annotations

import asyncio
import sys
import time

import structlog
from redis.asyncio import Redis

from aurum.common.ratelimit import Limiter, Limits, Window
from aurum.common.ratelimit.shared import Sharing


def limits_of(per_second: float) -> Limits:
    return (Window("second", int(per_second), 1.0, per_second), Window("hour", 1_000_000, 3600.0, 1_000_000.0))


async def main(url: str, limit: float, rate: float, seconds: float, first: float) -> None:
    limiter: Limiter[float] = Limiter(limits_of, shared=True)
    client = Redis.from_url(url, socket_timeout=60, socket_connect_timeout=60)
    sharing = Sharing(limiter, client, every_s=0.05)
    settling = asyncio.create_task(sharing.run())
    # By now each process knows how many there are.
    await asyncio.sleep(first)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    admitted, begin, done = 0, time.monotonic(), 0
    while (elapsed := time.monotonic() - begin) < seconds:
        while done < elapsed * rate:
            now = time.monotonic()
            admitted += limiter.account(("acme", "key:1"), limit, now).take(now)
            done += 1
        await asyncio.sleep(0.002)
    print(admitted, sharing.state().processes, begin, time.monotonic(), flush=True)
    settling.cancel()
    await asyncio.wait([settling])
    await client.aclose()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(sys.argv[1], *map(float, sys.argv[2:6])))
