"""Settings of workers: roles, places, leases, limits of jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from aurum.assembly.memory import memory_store
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.common.telemetry.metrics import Metrics
from aurum.core.jobs.fates import Fate
from aurum.core.jobs.states import Queue
from aurum.services.jobs.definition import Definition, Definitions, Payload, Place
from aurum.storage.memory import MemoryStore
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports.jobs import Claim
from aurum.storage.testing.waiting import wait_until
from aurum.workers.failures import Failure
from aurum.workers.jobs import Jobs
from aurum.workers.outcomes import Outcomes
from aurum.workers.service import Service

shows, needs = pytest.mark.shows, pytest.mark.given

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AWAY = needs(AURUM_REDIS__URL="redis://127.0.0.1:1/0", AURUM_WORKERS__METRICS_PORT="0")
LONG = Definition("long", Payload, "Take long.", Queue.BULK, time_limit_s=1e9)
LIGHT = Definition("light", Payload, "Wait.", Queue.BULK, Place.WORKER)
CLAIM = Claim("1", 1, 1, "long", {}, "bulk", None, "", 0, 0, NOW, {})


class StillClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


class Calls:
    """A log of jobs for workers that remembers what it was called with, and has no jobs."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.beats = 0

    async def recover(self, *, silent_for_s: float) -> Sequence[str]:
        self.values["lease"] = silent_for_s
        return []

    async def park_unknown(self, *, names: Sequence[str], queued_for_s: float) -> Sequence[str]:
        assert names
        self.values["unknown"] = queued_for_s
        return []

    async def unclaimed(self, *, for_s: float) -> Sequence[str]:
        self.values["sweep"] = for_s
        return []


@pytest.fixture
async def service(settings: Settings, store: MemoryStore) -> Service:
    """A worker over a store in memory, which is not started."""
    definitions = Definitions(
        {
            f"{queue}-{one.name}": replace(one, name=f"{queue}-{one.name}", queue=queue)
            for queue in Queue
            for one in (LONG, LIGHT)
        }
    )
    jobs = Jobs(definitions, lambda _store: {}, "nowhere:nothing")
    return Service(settings, memory_store(settings, SystemClock(), store, MemoryChangeFeed()), jobs, "", Metrics(), None)


@AWAY
@shows(
    AURUM_WORKERS__INTERACTIVE_PLACES="3",
    AURUM_WORKERS__BULK_PLACES="5",
    AURUM_WORKERS__MAINTENANCE_PLACES="0",
    AURUM_WORKERS__LIGHT_PLACES="7",
)
async def test_a_worker_has_so_many_places(service: Service) -> None:
    places = {(one.queue, one.place): one.most for one in service.places}
    assert places == {
        (Queue.INTERACTIVE, Place.PROCESS): 3,
        (Queue.BULK, Place.PROCESS): 5,
        **{(queue, Place.WORKER): 7 for queue in Queue},
    }


@AWAY
@shows(AURUM_WORKERS__ROLES='["relay"]')
async def test_a_worker_does_the_work_of_its_roles_only(service: Service) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    await wait_until(lambda: "relay" in service.essentials.names)
    names = service.essentials.names
    stop.set()
    await running
    assert {"relay", "sweep"} <= set(names)
    assert not {"heartbeat", "recorder", "ready job process"} & set(names)


@AWAY
@shows(AURUM_WORKERS__LEASE_S="33", AURUM_WORKERS__SWEEP_S="0.5", AURUM_WORKERS__UNKNOWN_S="44")
async def test_a_sweep_looks_for_what_is_older_than_settings_say(service: Service) -> None:
    calls = Calls()
    service.sweeper._log = calls  # type: ignore[assignment]
    service.sweeper._answers_since = -33.0  # the database has answered for the length of a lease
    await service.sweeper._sweep()
    assert calls.values == {"lease": 33.0, "unknown": 44.0, "sweep": 0.5}


@AWAY
@shows(AURUM_WORKERS__STALLED_S="30")
async def test_a_blocked_event_loop_is_noticed_after_so_long(service: Service) -> None:
    assert service.watchdog.checks * 0.5 == 30.0


@AWAY
@shows(AURUM_WORKERS__GRACE_S="3")
@needs(AURUM_WORKERS__ROLES='["relay"]')
async def test_running_jobs_have_so_long_to_end(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    graces: list[float] = []

    async def stop_within(grace_s: float) -> None:
        graces.append(grace_s)

    monkeypatch.setattr(service.runner, "stop", stop_within)
    stop = asyncio.Event()
    stop.set()
    await service.run(stop)
    assert graces == [3.0]


@AWAY
@shows(AURUM_WORKERS__MEMORY_MIB="2048", AURUM_WORKERS__PROCESSOR_S="77", AURUM_WORKERS__WALL_S="88")
async def test_a_job_has_so_much_memory_and_time(service: Service) -> None:
    assert service.runner._limits() == {"memory_bytes": 2048 << 20, "processor_s": 77}
    assert service.runner._limit_s(LONG) == 88.0
    assert service.runner._limit_s(replace(LONG, time_limit_s=5.0)) == 5.0


@shows(AURUM_WORKERS__FIRST_RETRY_S="20", AURUM_WORKERS__LONGEST_RETRY_S="60")
def test_a_failed_job_waits_so_long(settings: Settings) -> None:
    outcomes = Outcomes(settings.workers, StillClock())
    failure = Failure("Unavailable", "not yet", Fate.RETRY, 0.0, "")

    def wait_s(attempts: int) -> float:
        again = outcomes.failed(replace(CLAIM, attempts=attempts), LONG, failure).run_after
        assert again is not None
        return (again - NOW).total_seconds()

    assert 10.0 <= wait_s(1) <= 20.0
    assert 30.0 <= wait_s(9) <= 60.0
