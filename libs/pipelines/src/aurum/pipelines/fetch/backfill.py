"""Fetches a range of days. The outcome of each day is stored, so that a second call goes on where the first one stopped."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from aurum.core.clock import Clock
from aurum.core.errors import AurumError, Invalid
from aurum.pipelines.fetch.catch_up import Load, Loaded
from aurum.pipelines.fetch.due_days import due_day, is_published_on
from aurum.pipelines.public_files import Granularity, Publication
from aurum.pipelines.source import Dataset
from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transactions
from aurum.storage.ports.watermarks import DayState, FetchedDay, WatermarkLog

LONGEST_DAYS = 50 * 366
"""The most days of one backfill."""
_DAY = timedelta(days=1)
_FOR_GOOD = timedelta(days=2)
"""So long after its usual time, a day that is not published is missing."""
_DAYS_OF_A_PART = 31


class EndBeforeBegin(Invalid):
    """The last day of a backfill is before its first. Facts: ``first``, ``last``."""

    def __init__(self, first: date, last: date) -> None:
        super().__init__(f"the last day {last} is before the first, {first}: swap them", first=str(first), last=str(last))


@dataclass(frozen=True, slots=True)
class DaysLeft:
    """The days of a range. ``days``: those to fetch, ascending. ``done``: number of those that were fetched before.

    ``ahead``: number of those whose files are usually published later than now.
    """

    days: tuple[date, ...]
    done: int
    ahead: int


async def days_left(
    dataset: Dataset,
    log: WatermarkLog,
    clock: Clock,
    first: date,
    last: date,
    *,
    force: bool = False,
    since: datetime | None = None,
) -> DaysLeft:
    """Return the days of a range that a backfill fetches. ``force``: also those that were fetched before ``since``, UTC.

    With ``force`` and without ``since`` these are all.

    Raises ``EndBeforeBegin``, and ``Invalid`` for a range of more than ``LONGEST_DAYS``.
    """
    if last < first:
        raise EndBeforeBegin(first, last)
    if (last - first).days >= LONGEST_DAYS:
        raise Invalid(f"{first} to {last} are more than {LONGEST_DAYS} days: backfill a part of them")
    now = clock.now()
    published = [first + count * _DAY for count in range((last - first).days + 1)]
    published = [day for day in published if is_published_on(dataset, day)]
    there = [day for day in published if due_day(dataset, day).first_at <= now]
    stored = await log.days(dataset.source, dataset.name, first, last)
    done = {one.day for one in stored if one.state.is_done and (not force or (since is not None and one.at >= since))}
    left = tuple(day for day in there if day not in done)
    return DaysLeft(left, len(there) - len(left), len(published) - len(there))


def parts_of(publications: Iterable[Publication]) -> list[tuple[date, ...]]:
    """Return the days of publications in parts for one job each: those of an archive or a query, or up to a month of days.

    >>> days = [date(2025, 1, 1) + timedelta(days=count) for count in range(33)]
    >>> [len(part) for part in parts_of(Publication(Granularity.DAY, day, day, (), (day,)) for day in days)]
    [31, 2]
    """
    parts: list[tuple[date, ...]] = []
    singles: list[date] = []
    for publication in publications:
        if publication.granularity is not Granularity.DAY:
            parts.append(publication.days)
            continue
        if singles and len(singles) + len(publication.days) > _DAYS_OF_A_PART:
            parts.append(tuple(singles))
            singles = []
        singles += publication.days
    return [*parts, tuple(singles)] if singles else parts


@dataclass(slots=True)
class BackfillReport:
    """The outcome of a backfill. ``days``: numbers of days by state. ``error``: why it ended early; None for its end."""

    days: Counter[DayState] = field(default_factory=Counter[DayState])
    error: AurumError | None = None

    def __iadd__(self, other: BackfillReport) -> BackfillReport:
        self.days += other.days
        self.error = self.error or other.error
        return self


@dataclass(frozen=True, slots=True)
class Backfill:
    """Fetches of days of one dataset, in any order."""

    dataset: Dataset
    load: Load
    transactions: Transactions
    clock: Clock
    by: Actor

    async def run(self, days: Sequence[date], *, progress: Callable[[int], Awaitable[None]] | None = None) -> BackfillReport:
        """Fetch days and store the outcome of each. ``progress``: called with the number of days that are done.

        What the publisher does wrong ends the backfill and is in the report. Raises ``Unavailable`` when the store does not
        answer.
        """
        report, left, begun = BackfillReport(), dict.fromkeys(days), self.clock.now()
        async with aclosing(self.load(days)) as results:
            async for result in results:
                done = result.days or tuple(left)[:1]
                await self._store(result, done, begun)
                for day in done:
                    left.pop(day, None)
                report.days[result.state] += len(done)
                report.error = result.error
                if progress is not None:
                    await progress(report.days.total())
        return report

    async def _store(self, result: Loaded, days: Sequence[date], begun: datetime) -> None:
        now = self.clock.now()
        if result.state is DayState.MISSING:
            # One that may still appear is left to the next fetch.
            days = [day for day in days if now - due_day(self.dataset, day).whole_at > _FOR_GOOD]
        if result.state is DayState.LOADED:
            # A day that was not whole when it was requested is left to the next fetch, too.
            days = [day for day in days if due_day(self.dataset, day).whole_at <= begun]
        stored = [FetchedDay(self.dataset.source, self.dataset.name, day, result.state, now, result.reason) for day in days]
        if stored:
            async with self.transactions.transaction(by=self.by) as tx:
                await tx.watermarks.put_days(stored)


async def run_parts(
    backfill: Backfill,
    publications: Iterable[Publication],
    *,
    parallel: int,
    progress: Callable[[int], Awaitable[None]],
) -> BackfillReport:
    """Fetch publications, ``parallel`` at a time, and return what became of their days.

    After a failure the others that have begun are ended in order. ``progress``: called with the number of days that a
    publication has added. Raises ``Unavailable`` when the store does not answer.
    """
    waiting, report = deque(publications), BackfillReport()

    async def work() -> None:
        nonlocal report
        while waiting and report.error is None:
            publication = waiting.popleft()
            report += await backfill.run(publication.days)
            await progress(len(publication.days))

    tasks = [asyncio.create_task(work()) for _ in range(parallel)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return report
