"""The schedule: seeds, changes by people, and firings that happen once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aurum.core.errors import UnknownName
from aurum.core.jobs.states import JobState
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import JobFilter, NewJob
from aurum.storage.ports.schedule import ScheduleSpec, StoredSchedule
from aurum.storage.testing.stores import Store

BY = Actor("aurum")
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NIGHTLY = ScheduleSpec("nightly", "history.archive", {"source": None}, cron="30 2 * * *", zone="America/New_York")
OFTEN = ScheduleSpec("often", "alerts.check", every_s=300, jitter_s=20, misfire="skip")


async def seed(store: Store, *specs: ScheduleSpec, at: datetime = AT) -> None:
    async with store.transactions.transaction(by=BY) as tx:
        await tx.schedule.seed(specs, at=at, by="aurum")


async def stored(store: Store, name: str) -> StoredSchedule:
    return next(one for one in await store.schedule.schedules() if one.spec.name == name)


async def switch(store: Store, name: str, *, is_on: bool, at: datetime) -> StoredSchedule:
    async with store.transactions.transaction(by=BY) as tx:
        return await tx.schedule.switch(name, is_on=is_on, at=at, by="operator")


async def test_seeds_are_stored_as_they_are(store: Store) -> None:
    await seed(store, OFTEN, NIGHTLY)
    nightly, often = await store.schedule.schedules()
    assert nightly == StoredSchedule(NIGHTLY, AT, None, None, False, AT, "aurum")
    assert often.spec == OFTEN


async def test_a_release_with_other_seeds_replaces_those_of_the_one_before(store: Store) -> None:
    await seed(store, OFTEN, NIGHTLY)
    await seed(store, replace(NIGHTLY, jitter_s=60), at=AT + HOUR)
    (nightly,) = await store.schedule.schedules()
    assert (nightly.spec.jitter_s, nightly.since, nightly.updated_at) == (60, AT, AT + HOUR)


async def test_a_seed_with_other_times_counts_from_the_moment_it_is_stored(store: Store) -> None:
    await seed(store, NIGHTLY)
    await seed(store, replace(NIGHTLY, cron="0 3 * * *"), at=AT + HOUR)
    assert (await stored(store, "nightly")).since == AT + HOUR


async def test_an_unchanged_seed_is_left_alone(store: Store) -> None:
    await seed(store, NIGHTLY)
    await seed(store, NIGHTLY, at=AT + HOUR)
    assert (await stored(store, "nightly")).updated_at == AT


async def test_what_a_person_edited_is_not_overwritten_or_deleted(store: Store) -> None:
    await seed(store, NIGHTLY, OFTEN)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.schedule.put(replace(NIGHTLY, cron="0 5 * * *"), at=AT + HOUR, by="operator")
    await switch(store, "often", is_on=False, at=AT + HOUR)
    await seed(store, NIGHTLY, at=AT + 2 * HOUR)
    nightly, often = await store.schedule.schedules()
    assert (nightly.spec.cron, nightly.is_edited, nightly.updated_by) == ("0 5 * * *", True, "operator")
    assert (often.spec.is_on, often.is_edited) == (False, True)


async def test_a_schedule_that_is_switched_on_counts_from_then(store: Store) -> None:
    await seed(store, NIGHTLY)
    assert (await switch(store, "nightly", is_on=False, at=AT + HOUR)).since == AT
    assert (await switch(store, "nightly", is_on=True, at=AT + 2 * HOUR)).since == AT + 2 * HOUR
    assert (await switch(store, "nightly", is_on=True, at=AT + 3 * HOUR)).since == AT + 2 * HOUR


async def test_a_deleted_seed_comes_back_as_it_was_delivered(store: Store) -> None:
    await seed(store, NIGHTLY)
    await switch(store, "nightly", is_on=False, at=AT)
    async with store.transactions.transaction(by=BY) as tx:
        await tx.schedule.delete("nightly")
    assert await store.schedule.schedules() == []
    await seed(store, NIGHTLY)
    assert (await stored(store, "nightly")).spec == NIGHTLY


@pytest.mark.parametrize("change", ["switch", "delete"])
async def test_an_unknown_schedule_is_named_with_the_nearest(store: Store, change: str) -> None:
    await seed(store, NIGHTLY)
    async with store.transactions.transaction(by=BY) as tx:
        changing = (
            tx.schedule.switch("nightli", is_on=False, at=AT, by="operator")
            if change == "switch"
            else tx.schedule.delete("nightli")
        )
        with pytest.raises(UnknownName) as raised:
            await changing
    assert raised.value.nearest == ("nightly",)


def a_job(key: str) -> NewJob:
    return NewJob("history.archive", {"source": None}, "maintenance", key=key)


async def fire(store: Store, read: StoredSchedule, last_due: datetime, *keys: str) -> Sequence[str] | None:
    return await store.schedule_firings.fire(read, last_due=last_due, jobs=[a_job(key) for key in keys])


async def test_a_firing_submits_jobs_and_moves_the_last_instant(store: Store) -> None:
    await seed(store, NIGHTLY)
    ids = await fire(store, await stored(store, "nightly"), AT + HOUR, "a", "b")
    assert ids is not None
    after = await stored(store, "nightly")
    assert (after.last_due, after.last_job) == (AT + HOUR, ids[1])
    jobs = await store.jobs.page(JobFilter(name="history.archive"), limit=10)
    assert {(job.key, job.state) for job in jobs} == {("a", JobState.QUEUED), ("b", JobState.QUEUED)}


async def test_a_firing_without_jobs_moves_the_last_instant_only(store: Store) -> None:
    await seed(store, NIGHTLY)
    assert await fire(store, await stored(store, "nightly"), AT + HOUR) == []
    assert ((await stored(store, "nightly")).last_due, (await stored(store, "nightly")).last_job) == (AT + HOUR, None)


async def test_of_two_that_read_the_same_one_fires(store: Store) -> None:
    await seed(store, NIGHTLY)
    read = await stored(store, "nightly")
    fired = await asyncio.gather(*(fire(store, read, AT + HOUR, f"key {number}") for number in range(4)))
    assert [ids is None for ids in fired].count(False) == 1
    assert len(await store.jobs.page(JobFilter(), limit=10)) == 1


@pytest.mark.parametrize("change", ["pause", "edit", "delete"])
async def test_a_schedule_that_was_changed_since_it_was_read_is_not_fired(store: Store, change: str) -> None:
    await seed(store, NIGHTLY)
    read = await stored(store, "nightly")
    async with store.transactions.transaction(by=BY) as tx:
        if change == "pause":
            await tx.schedule.switch("nightly", is_on=False, at=AT + HOUR, by="operator")
        elif change == "edit":
            await tx.schedule.put(replace(NIGHTLY, payload={"source": "pjm"}), at=AT + HOUR, by="operator")
        else:
            await tx.schedule.delete("nightly")
    assert await fire(store, read, AT + HOUR, "a") is None
    assert await store.jobs.page(JobFilter(), limit=10) == []


async def test_one_scheduler_leads_until_it_ends(store: Store) -> None:
    firings = store.schedule_firings
    async with firings.lead() as lead:
        assert lead is not None
        await lead.check()
        async with firings.lead() as other:
            assert other is None

    async with firings.lead() as next_lead:
        assert next_lead is not None
