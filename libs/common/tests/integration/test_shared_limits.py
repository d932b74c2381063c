"""Rate limits that several processes share, over a real Redis-compatible server."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from aurum.common.ratelimit import Limiter, Limits, Window
from aurum.common.ratelimit.shared import Sharing
from aurum.storage.embedded import EmbeddedValkey
from aurum.storage.testing.waiting import wait_until

pytestmark = pytest.mark.needs_redis

PROCESS = Path(__file__).parents[1] / "support" / "limited_process.py"
KEY = ("acme", "key:1")


@pytest.fixture
def server() -> Iterator[EmbeddedValkey]:
    folder = Path(tempfile.mkdtemp(prefix="aurum-limits-"))
    with EmbeddedValkey(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def admitted_by_processes(url: str, *, limit: float, rates: list[float], seconds: float) -> tuple[int, float]:
    """Return how many requests the processes admitted together, and the seconds from their first request to their last.

    ``rates``: requests a second sent to each process.
    """
    command = [sys.executable, str(PROCESS), url, str(limit)]
    processes = [
        subprocess.Popen([*command, str(rate), str(seconds), "2.5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for rate in rates
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    lines = [process.communicate(timeout=120)[0].split() for process in processes]
    assert [line[1] for line in lines] == [str(len(rates))] * len(rates)
    took = max(float(line[3]) for line in lines) - min(float(line[2]) for line in lines)
    return sum(int(line[0]) for line in lines), took


@pytest.mark.parametrize("rates", [[300.0, 300.0, 300.0], [500.0, 40.0, 40.0]], ids=["evenly", "mostly one"])
def test_three_processes_pass_a_limit_by_5_percent_at_most(server: EmbeddedValkey, rates: list[float]) -> None:
    limit, seconds = 200.0, 4.0
    admitted, took = admitted_by_processes(server.url, limit=limit, rates=rates, seconds=seconds)
    assert admitted <= 1.05 * (limit + limit * took)
    # What a process has leased and does not use, because the machine does other work, is lost to the others for a second.
    assert admitted >= 0.75 * (limit + limit * seconds)


def test_two_processes_below_the_limit_refuse_nothing(server: EmbeddedValkey) -> None:
    admitted, _ = admitted_by_processes(server.url, limit=500.0, rates=[150.0, 30.0], seconds=2.0)
    assert admitted >= 0.99 * 360


Shared = tuple[Limiter[int], Sharing[int]]


def limits_of(an_hour: int) -> Limits:
    """So slow that a test sees nothing refilled, however long the machine takes."""
    return (
        Window("hour", an_hour, 3_600.0, float(an_hour)),
        Window("day", an_hour * 100, 86_400.0, an_hour * 100.0),
    )


@pytest_asyncio.fixture(loop_scope="session")
async def start(server: EmbeddedValkey) -> AsyncIterator[Callable[[], Shared]]:
    """Start another limiter that shares its limits, as another process would."""
    running: list[asyncio.Task[None]] = []
    clients: list[Redis] = []

    def begin() -> Shared:
        client = Redis.from_url(server.url, socket_timeout=60, socket_connect_timeout=60)
        limiter: Limiter[int] = Limiter(limits_of, shared=True)
        sharing = Sharing(limiter, client, every_s=0.05)
        running.append(asyncio.create_task(sharing.run()))
        clients.append(client)
        return limiter, sharing

    yield begin
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    for client in clients:
        await client.aclose()


async def take(shared: Shared, count: int, plan: int = 60) -> int:
    """Make requests one after the other, as a caller that waits for each answer; return how many were admitted."""
    admitted = 0
    for _ in range(count):
        admitted += shared[0].account(KEY, plan, time.monotonic()).take(time.monotonic())
        await asyncio.sleep(0.002)  # lets rounds of sharing come between
    return admitted


async def reported(shared: Shared) -> None:
    """Return once a process has reported all its requests to Redis."""
    await wait_until(lambda: not shared[0].queue.accounts)


async def both(start: Callable[[], Shared]) -> tuple[Shared, Shared]:
    first, second = start(), start()
    await wait_until(lambda: first[1].state().processes == second[1].state().processes == 2)
    return first, second


async def test_what_one_has_used_up_the_other_refuses(start: Callable[[], Shared]) -> None:
    first, second = await both(start)
    assert 57 <= await take(first, 70) <= 63
    await reported(first)
    await take(second, 1)  # a key that is new to a process is served before Redis answers
    await reported(second)
    assert await take(second, 20) == 0


async def test_a_caller_who_stays_with_one_process_has_all_of_his_limit(start: Callable[[], Shared]) -> None:
    first, _ = await both(start)
    for _ in range(11):
        assert await take(first, 5) == 5
        await reported(first)


async def test_headers_say_what_is_left_for_all_processes(start: Callable[[], Shared]) -> None:
    first, second = await both(start)
    await take(first, 20)
    await reported(first)
    await take(second, 1)
    await reported(second)
    now = time.monotonic()
    left = int(dict(second[0].account(KEY, 60, now).headers())[b"ratelimit-remaining"])
    assert 38 <= left <= 40


async def test_a_larger_plan_is_followed_by_all_and_nothing_is_given_twice(start: Callable[[], Shared]) -> None:
    first, second = await both(start)
    await take(first, 70)
    await reported(first)
    more = await take(first, 100, plan=120) + await take(second, 100, plan=120)
    assert 55 <= more <= 70


async def test_a_process_that_goes_leaves_its_share_to_the_others(start: Callable[[], Shared], server: EmbeddedValkey) -> None:
    first = start()
    await wait_until(lambda: first[1].state().connected)
    async with contextlib.AsyncExitStack() as stack:
        client = Redis.from_url(server.url)
        stack.push_async_callback(client.aclose)
        leaving = Sharing(Limiter(limits_of, shared=True), client, every_s=0.05)
        task = asyncio.create_task(leaving.run())
        await wait_until(lambda: first[1].state().processes == 2)
        task.cancel()
        await asyncio.wait_for(asyncio.wait([task]), 60)
    await wait_until(lambda: first[1].state().processes == 1)


async def test_without_redis_each_goes_on_with_its_share_and_recovers_by_itself(
    start: Callable[[], Shared], server: EmbeddedValkey
) -> None:
    first, second = await both(start)
    await take(first, 5)
    await reported(first)
    server.stop()
    try:
        await take(first, 1)
        await take(second, 1)
        await wait_until(lambda: not first[1].state().connected and not second[1].state().connected)
        counts = [await take(first, 100), await take(second, 100)]
        # An even share each, and what is refilled meanwhile.
        assert all(15 <= count <= 36 for count in counts), counts
    finally:
        server.start()
    await wait_until(lambda: first[1].state().connected and second[1].state().connected)
    await take(first, 1)
    await take(second, 1)
    await reported(first)
    await reported(second)
    # Both have reported what they admitted meanwhile: only the refill since then remains.
    assert await take(first, 5) + await take(second, 5) <= 3


async def test_it_can_be_stopped_at_any_moment(server: EmbeddedValkey) -> None:
    for turns in range(40):
        client = Redis.from_url(server.url)
        task = asyncio.create_task(Sharing(Limiter(limits_of, shared=True), client, every_s=0.001).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait_for(asyncio.wait([task]), 60)
        await client.aclose()


async def test_an_account_that_redis_was_never_there_for_is_served() -> None:
    client = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.1)
    limiter: Limiter[int] = Limiter(limits_of, shared=True, processes=2)
    settling = Sharing(limiter, client, every_s=0.05)
    task = asyncio.create_task(settling.run())
    await wait_until(lambda: settling.state().failures >= 2)
    now = time.monotonic()
    assert sum(limiter.account(KEY, 60, now).take(now) for _ in range(100)) == 30
    task.cancel()
    await asyncio.wait([task])
    await client.aclose()
