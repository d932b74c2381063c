"""Two schedulers in processes of their own; one is killed again and again, and no instant is fired twice or left out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from aurum.common.clock import SystemClock
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import JobFilter
from aurum.storage.ports.schedule import ScheduleSpec
from aurum.storage.testing.stores import PostgresStore
from aurum.storage.testing.waiting import wait_until

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_process]

_SCHEDULER = Path(__file__).parent / "support" / "a_scheduler.py"
_KILLS = 3
_NAMES = ("first", "second")


@contextmanager
def scheduler(url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, str(_SCHEDULER), url])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def fired(store: PostgresStore, name: str) -> list[datetime]:
    """Return the instants of a schedule whose jobs were submitted, ascending."""
    jobs = await store.jobs.page(JobFilter(name="catalog.declare"), limit=1000)
    prefix = f"schedule:{name}:"
    keys = [job.key for job in jobs if job.key is not None and job.key.startswith(prefix)]
    return sorted(datetime.fromisoformat(key.removeprefix(prefix)) for key in keys)


async def test_killed_schedulers_fire_every_instant_once(postgres_store: PostgresStore, database_url: str) -> None:
    store = postgres_store
    async with store.transactions.transaction(by=Actor("test")) as tx:
        for name in _NAMES:
            spec = ScheduleSpec(name, "catalog.declare", every_s=1, misfire="all")
            await tx.schedule.put(spec, at=SystemClock().now(), by="test")

    async def has_fired_after(count: int) -> bool:
        return all([len(await fired(store, name)) > count for name in _NAMES])

    for _ in range(_KILLS):
        before = max([len(await fired(store, name)) for name in _NAMES])
        with scheduler(database_url) as leader:
            await wait_until(lambda: has_fired_after(before))  # noqa: B023 - awaited in this turn
            with scheduler(database_url):
                leader.kill()
                leader.wait()
                at_kill = max([len(await fired(store, name)) for name in _NAMES])
                await wait_until(lambda: has_fired_after(at_kill))  # noqa: B023 - awaited in this turn
    for name in _NAMES:
        instants = await fired(store, name)
        assert len(set(instants)) == len(instants)
        gaps = {later - earlier for earlier, later in pairwise(instants)}
        assert gaps == {timedelta(seconds=1)}
