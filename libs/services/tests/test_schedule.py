"""The scheduler over simulated clocks, and what operators do with the schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from structlog.testing import capture_logs

from aurum.core.errors import InvalidParameters, Unavailable, UnknownName
from aurum.core.jobs.states import JobState, Queue
from aurum.core.schedule.times import InvalidSchedule
from aurum.services.jobs.definition import Definition, Definitions, Payload, UnknownDefinition
from aurum.services.schedule.control import delete_schedule, run_schedule, set_schedule, switch_schedule, view, views
from aurum.services.schedule.scheduler import Looks, Pace, run_scheduler
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import Job, JobFilter
from aurum.storage.ports.schedule import ScheduleSpec, StoredSchedule
from aurum.storage.testing.stores import Store
from aurum.storage.testing.waiting import wait_until

BY = Actor("operator")
BEGIN = datetime(2026, 3, 7, 12, tzinfo=UTC)
NIGHTLY = ScheduleSpec("nightly", "count", {"number": 1}, cron="30 2 * * *", zone="America/New_York")


class Numbers(Payload):
    """Arguments of an invented job."""

    number: int = 0


DEFINITIONS = Definitions({"count": Definition("count", Numbers, "Count.", Queue.MAINTENANCE)})


class SetClock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


async def put(store: Store, *specs: ScheduleSpec, at: datetime = BEGIN) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        for spec in specs:
            await tx.schedule.put(spec, at=at, by="operator")


async def jobs(store: Store) -> list[Job]:
    return sorted(await store.jobs.page(JobFilter(), limit=1000), key=lambda job: job.key or "")


def looks(store: Store) -> Looks:
    return Looks(store.schedule, store.schedule_firings, DEFINITIONS)


async def test_a_job_is_submitted_when_it_is_due_and_once(store: Store) -> None:
    await put(store, NIGHTLY)
    eyes = looks(store)
    for minutes in range(0, 48 * 60, 40):
        await eyes.look(BEGIN + timedelta(minutes=minutes))
    submitted = await jobs(store)
    # On 8 March clocks skip from 02:00 to 03:00 in New York.
    assert [job.key for job in submitted] == [
        "schedule:nightly:2026-03-08T07:00:00+00:00",
        "schedule:nightly:2026-03-09T06:30:00+00:00",
    ]
    assert {(job.name, job.queue, job.subject, job.state) for job in submitted} == {
        ("count", "maintenance", "scheduler", JobState.QUEUED)
    }
    assert submitted[0].payload == {"number": 1}


async def test_a_new_scheduler_goes_on_where_the_last_one_ended(store: Store) -> None:
    await put(store, replace(NIGHTLY, misfire="all"))
    await looks(store).look(BEGIN + timedelta(days=1))
    await looks(store).look(BEGIN + timedelta(days=4))
    await looks(store).look(BEGIN + timedelta(days=4, hours=1))
    assert [str(job.key)[17:27] for job in await jobs(store)] == ["2026-03-08", "2026-03-09", "2026-03-10", "2026-03-11"]


async def test_a_schedule_with_a_jitter_fires_once_for_an_instant(store: Store) -> None:
    await put(store, ScheduleSpec("often", "count", every_s=300, jitter_s=60))
    eyes = looks(store)
    fired: list[Job] = []
    with capture_logs() as lines:
        for seconds in range(0, 660, 5):
            await eyes.look(BEGIN + timedelta(seconds=seconds))
            if len(await jobs(store)) > len(fired):
                fired = await jobs(store)
                shown = (await view(store.schedule, DEFINITIONS, "often")).next_at
                assert shown is not None
                assert BEGIN + timedelta(seconds=seconds) < shown
    assert [job.key for job in fired] == [f"schedule:often:2026-03-07T12:{minute}:00+00:00" for minute in ("05", "10")]
    assert [line["jobs"] for line in lines if line["event"] == "schedule fired"] == [[job.job_id] for job in fired]


async def test_schedulers_that_look_at_once_fire_once(store: Store) -> None:
    await put(store, NIGHTLY)
    many = [looks(store) for _ in range(3)]
    for hours in range(24, 120, 24):
        await asyncio.gather(*(eyes.look(BEGIN + timedelta(hours=hours)) for eyes in many))
    assert len(await jobs(store)) == 4


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (replace(NIGHTLY, cron="0 0 30 2 *"), "never due"),
        (replace(NIGHTLY, cron="0 0 0 1 1 *"), "6 fields, 5 are needed"),
        (replace(NIGHTLY, zone="Europe/Atlantis"), "no IANA time zone"),
        (replace(NIGHTLY, misfire="sometimes"), "takes skip, once, all"),
        (replace(NIGHTLY, jitter_s=-5), "takes 0 to"),
        (replace(NIGHTLY, cron=None, every_s=0), "takes 1 to"),
        (replace(NIGHTLY, definition="cuont"), "unknown job 'cuont'; nearest: count"),
        (replace(NIGHTLY, payload={"number": "many"}), "payload.number"),
    ],
)
async def test_a_broken_schedule_is_shown_and_stops_no_other(store: Store, broken: ScheduleSpec, reason: str) -> None:
    await put(store, broken, replace(NIGHTLY, name="other"))
    eyes = looks(store)
    await eyes.look(BEGIN + timedelta(days=1))
    assert [job.key for job in await jobs(store)] == ["schedule:other:2026-03-08T07:00:00+00:00"]
    shown = {one.stored.spec.name: one for one in await views(store.schedule, DEFINITIONS)}
    assert reason in shown["nightly"].problem
    assert shown["nightly"].next_at is None
    assert shown["other"].problem == ""
    assert shown["other"].next_at == datetime(2026, 3, 9, 6, 30, tzinfo=UTC)
    # And it is refused when it is set.
    with pytest.raises((InvalidSchedule, UnknownDefinition, InvalidParameters), match=reason):
        await set_schedule(store.transactions, DEFINITIONS, broken, by=BY, clock=SetClock(BEGIN))


class WrittenByHand:
    """A schedule of which one row has another payload than Aurum writes."""

    def __init__(self, store: Store, payload: object) -> None:
        self._store = store
        self._payload = cast("dict[str, object]", payload)

    async def schedules(self) -> Sequence[StoredSchedule]:
        stored = await self._store.schedule.schedules()
        return [
            replace(one, spec=replace(one.spec, payload=self._payload)) if one.spec.name == "nightly" else one for one in stored
        ]


@pytest.mark.parametrize("payload", [[1], [["number", 1]], "x", 5, None])
async def test_a_payload_that_is_no_object_is_shown_and_stops_no_other(payload: object) -> None:
    store = MemoryStore(SetClock(BEGIN))
    await put(store, NIGHTLY, replace(NIGHTLY, name="other"))
    log = WrittenByHand(store, payload)
    await Looks(log, store.schedule_firings, DEFINITIONS).look(BEGIN + timedelta(days=1))
    assert [job.key for job in await jobs(store)] == ["schedule:other:2026-03-08T07:00:00+00:00"]
    shown = await view(log, DEFINITIONS, "nightly")
    assert (shown.problem, shown.next_at) == ("payload: takes an object", None)


async def test_a_mended_schedule_fires_again(store: Store) -> None:
    await put(store, replace(NIGHTLY, cron="0 0 30 2 *"))
    eyes = looks(store)
    await eyes.look(BEGIN)
    await set_schedule(store.transactions, DEFINITIONS, NIGHTLY, by=BY, clock=SetClock(BEGIN))
    await eyes.look(BEGIN + timedelta(days=1))
    assert len(await jobs(store)) == 1


async def test_what_was_due_during_a_pause_is_left_out(store: Store) -> None:
    await put(store, NIGHTLY)
    eyes, clock = looks(store), SetClock(BEGIN)
    await switch_schedule(store.transactions, "nightly", is_on=False, by=BY, clock=clock)
    clock.at += timedelta(days=3)
    await eyes.look(clock.at)
    assert (await view(store.schedule, DEFINITIONS, "nightly")).next_at is None
    await switch_schedule(store.transactions, "nightly", is_on=True, by=BY, clock=clock)
    await eyes.look(clock.at)
    assert await jobs(store) == []
    await eyes.look(clock.at + timedelta(days=1))
    assert len(await jobs(store)) == 1


async def test_a_run_by_hand_leaves_the_times_alone_and_works_on_a_paused_schedule(store: Store) -> None:
    await put(store, replace(NIGHTLY, is_on=False))
    job_id = await run_schedule(store.transactions, store.schedule, DEFINITIONS, "nightly", by=BY)
    job = await store.jobs.job(job_id)
    assert (job.name, job.payload, job.subject, job.key) == ("count", {"number": 1}, "operator", None)
    assert (await view(store.schedule, DEFINITIONS, "nightly")).stored.last_due is None


async def test_changes_are_on_record(store: Store) -> None:
    clock = SetClock(BEGIN)
    await set_schedule(store.transactions, DEFINITIONS, NIGHTLY, by=BY, clock=clock)
    await switch_schedule(store.transactions, "nightly", is_on=False, by=BY, clock=clock)
    await switch_schedule(store.transactions, "nightly", is_on=True, by=BY, clock=clock)
    await run_schedule(store.transactions, store.schedule, DEFINITIONS, "nightly", by=BY)
    await delete_schedule(store.transactions, "nightly", by=BY)
    actions = [(entry.action, entry.target) for entry in await store.audit.page(before=None, limit=9)]
    assert actions == [(f"schedule.{action}", "nightly") for action in ("delete", "run", "resume", "pause", "set")]


async def test_an_unknown_schedule_is_named_with_the_nearest(store: Store) -> None:
    await put(store, NIGHTLY)
    with pytest.raises(UnknownName, match="nearest: nightly"):
        await view(store.schedule, DEFINITIONS, "nightl")
    with pytest.raises(UnknownName, match="nearest: nightly"):
        await run_schedule(store.transactions, store.schedule, DEFINITIONS, "nightl", by=BY)


QUICK = Pace(look_s=0.01, standby_s=0.01, unavailable_s=0.01)


async def test_when_the_leader_ends_another_scheduler_leads(store: Store) -> None:
    await put(store, NIGHTLY)
    clock, first, second = SetClock(BEGIN + timedelta(days=1)), asyncio.Event(), asyncio.Event()

    def scheduler(stop: asyncio.Event) -> asyncio.Task[None]:
        return asyncio.create_task(run_scheduler(store.schedule, store.schedule_firings, DEFINITIONS, clock, stop, pace=QUICK))

    async def has(count: int) -> bool:
        return len(await jobs(store)) == count

    leader = scheduler(first)
    await wait_until(lambda: has(1))
    follower = scheduler(second)
    leader.cancel()
    await asyncio.wait([leader])
    clock.at += timedelta(days=1)
    await wait_until(lambda: has(2))
    second.set()
    await follower


class AwayNow:
    """A schedule whose store is away for its first reads."""

    def __init__(self, store: Store, failures: int) -> None:
        self._store = store
        self.failures = failures

    async def schedules(self) -> Sequence[StoredSchedule]:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the database does not answer")
        return await self._store.schedule.schedules()


async def test_a_store_that_is_away_is_tried_again() -> None:
    store = MemoryStore(SetClock(BEGIN))
    await put(store, NIGHTLY)
    stop, away = asyncio.Event(), AwayNow(store, failures=2)
    clock = SetClock(BEGIN + timedelta(days=1))
    running = asyncio.create_task(run_scheduler(away, store.schedule_firings, DEFINITIONS, clock, stop, pace=QUICK))

    async def has_fired() -> bool:
        return len(await jobs(store)) == 1

    await wait_until(has_fired)
    stop.set()
    await running
    assert away.failures == 0
