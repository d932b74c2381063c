"""Fetches what a publisher has published of a dataset since the last fetch.

Days are fetched oldest first, up to the first that is not published yet. What became of a day is stored together with the
watermark, after its files were loaded, so that the next fetch goes on where this one ended, however it ended.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from aurum.core.clock import Clock
from aurum.core.errors import AurumError, Unavailable
from aurum.pipelines.fetch.due_days import DueDay, due_days, next_due
from aurum.pipelines.source import Dataset
from aurum.storage.ports.access import Actor
from aurum.storage.ports.transaction import Transaction, Transactions
from aurum.storage.ports.watermarks import DayState, FetchedDay, FetchState, Watermark, WatermarkLog

_YEAR = timedelta(days=366)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=1)
_LONGEST_CHASE = timedelta(days=1)
"""After that a publication is looked for at the times of the schedule only."""
_MOST_DAYS = 366
"""The most days of one run; the next one goes on."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The outcome of a publication. ``days``: the wanted days that it holds; empty for one that failed.

    ``is_new``: at least one of its files was not loaded before. ``is_growing``: its file holds more than its days and is there
    before they are published. ``reason``: why the days are not loaded; empty where they are. ``error``: of one that failed.
    """

    days: tuple[date, ...]
    state: DayState
    is_new: bool = True
    is_growing: bool = False
    reason: str = ""
    error: AurumError | None = None

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later, for one that failed."""
        return isinstance(self.error, Unavailable)


Load = Callable[[Sequence[date]], AsyncGenerator[Loaded]]
"""Fetches and loads the publications that hold some days, oldest first. One that the publisher does not have (yet) is
``MISSING``; nothing follows one that ``FAILED``."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """The result of a run. ``loaded``: days that were loaded. ``again_at``: when to look again, UTC; None: as scheduled."""

    watermark: Watermark
    loaded: tuple[date, ...]
    again_at: datetime | None = None


Progress = Callable[[int, int], Awaitable[None]]
"""Called with the number of days that are done, and the number of all."""
FollowUp = Callable[[Transaction, CatchUp], Awaitable[None]]
"""Called in the transaction that stores the end of a run."""


@dataclass(slots=True)
class _Run:
    """The progress of a run.

    ``whole``: days that are due and not over when it begins, oldest first. ``over``: days that are loaded, refused or missing
    for good. ``newest``: the newest day that is loaded. ``waiting``: the first day that is not published.
    """

    watermark: Watermark
    whole: Sequence[DueDay]
    over: set[date]
    loaded: list[date] = field(default_factory=list[date])
    newest: date = date.min
    waiting: DueDay | None = None
    failure: Loaded | None = None

    @property
    def has_to_stop(self) -> bool:
        return self.waiting is not None or self.failure is not None

    @property
    def left(self) -> Iterator[DueDay]:
        """The days that are not over, oldest first."""
        return (due for due in self.whole if due.day not in self.over)

    @property
    def fetched_to(self) -> date | None:
        """The last day up to which all are over."""
        over = takewhile(self.over.__contains__, (due.day for due in self.whole))
        return max(over, default=self.watermark.fetched_to)


@dataclass(frozen=True, slots=True)
class SinceLast:
    """Fetches of one dataset. ``grace``: how long after its usual time a publication counts as late.

    ``first_days``: the number of days that the first fetch of a dataset brings.
    """

    dataset: Dataset
    load: Load
    log: WatermarkLog
    transactions: Transactions
    clock: Clock
    by: Actor
    grace: timedelta = timedelta(hours=1)
    first_days: int = 7

    async def run(self, *, progress: Progress | None = None, follow_up: FollowUp | None = None) -> CatchUp:
        """Fetch and load what is due. Raises ``Unavailable`` when the store does not answer, and what ``load`` raises."""
        now = self.clock.now()
        run, growing = await self._begin(now)
        await self._fetch(run, [due.day for due in run.left], progress)
        if run.waiting is not None and self._is_late(run.waiting, now):
            await self._look_behind(run, run.waiting, progress)
        if not run.has_to_stop:
            await self._fetch_growing(run, growing)
        return await self._end(run, now, follow_up)

    async def _begin(self, now: datetime) -> tuple[_Run, Sequence[date]]:
        """Return the run, and the days whose files are published in part."""
        name = (self.dataset.source, self.dataset.name)
        watermark = await self.log.watermark(*name) or Watermark(*name)
        today = now.astimezone(ZoneInfo(self.dataset.zone)).date()
        after = watermark.fetched_to or today - _YEAR
        due = list(due_days(self.dataset, after, now))
        whole = [one for one in due if one.whole_at <= now]
        whole = whole[:_MOST_DAYS] if watermark.fetched_to is not None else whole[-self.first_days :]
        tried: Sequence[FetchedDay] = await self.log.days(*name, whole[0].day, whole[-1].day) if whole else ()
        over = {one.day for one in tried if one.state.is_done}
        return _Run(watermark, whole, over), [one.day for one in due if one.whole_at > now]

    async def _fetch(self, run: _Run, days: Sequence[date], progress: Progress | None) -> None:
        """Fetch days in order, up to the first that is not published or cannot be fetched."""
        if not days:
            return
        async with aclosing(self.load(days)) as results:
            async for result in results:
                await self._take(run, result)
                if progress is not None:
                    await progress(len(run.over), len(run.whole))
                if run.has_to_stop:
                    break

    async def _look_behind(self, run: _Run, waiting: DueDay, progress: Progress | None) -> None:
        """Fetch the newest day when an older one is late: if it is there, the older one is missing for good."""
        newest = max(due.day for due in run.left)
        if newest == waiting.day:
            return
        run.waiting = None
        await self._fetch(run, [newest], progress)
        if not run.has_to_stop:
            await self._fetch(run, [due.day for due in run.left], progress)

    async def _take(self, run: _Run, result: Loaded) -> None:
        """Store the outcome of a publication, and note whether the run goes on."""
        is_as_before = result.state is DayState.LOADED and not result.is_new and result.is_growing
        if result.state is DayState.FAILED:
            run.failure = result
            return
        if is_as_before and run.watermark.fetched_to is not None:
            run.waiting = next(run.left)
            return
        if result.state is DayState.MISSING and result.days[-1] > run.newest:
            run.waiting = next(run.left)  # it may still appear
            return
        run.over.update(result.days)
        if result.state is DayState.LOADED:
            run.loaded += result.days
            run.newest = max(run.newest, result.days[-1])
        at = self.clock.now()
        source, dataset = run.watermark.source, run.watermark.dataset
        days = [FetchedDay(source, dataset, day, result.state, at, result.reason) for day in result.days]
        succeeded = at if result.state is DayState.LOADED else run.watermark.last_success
        run.watermark = replace(run.watermark, fetched_to=run.fetched_to, last_attempt=at, last_success=succeeded)
        async with self.transactions.transaction(by=self.by) as tx:
            await tx.watermarks.put_days(days)
            await tx.watermarks.put(run.watermark)

    async def _fetch_growing(self, run: _Run, days: Sequence[date]) -> None:
        """Fetch the files that are published in part. They do not move the watermark."""
        if not days:
            return
        async with aclosing(self.load(days)) as results:
            async for result in results:
                if result.state is DayState.FAILED:
                    run.failure = result
                if result.state is DayState.LOADED:
                    run.loaded += result.days
                    run.watermark = replace(run.watermark, last_success=self.clock.now())

    def _is_late(self, due: DueDay, now: datetime) -> bool:
        return now - due.whole_at > self.grace

    async def _end(self, run: _Run, now: datetime, follow_up: FollowUp | None) -> CatchUp:
        state, reason = self._state(run, now)
        watermark = replace(
            run.watermark,
            fetched_to=run.fetched_to,
            last_attempt=self.clock.now(),
            next_due=next_due(self.dataset, run.fetched_to, now) if run.waiting is None else run.waiting.whole_at,
            state=state,
            reason=reason,
        )
        caught_up = CatchUp(watermark, tuple(run.loaded), self._again_at(run, now))
        async with self.transactions.transaction(by=self.by) as tx:
            await tx.watermarks.put(watermark)
            if follow_up is not None:
                await follow_up(tx, caught_up)
        return caught_up

    def _state(self, run: _Run, now: datetime) -> tuple[FetchState, str]:
        if run.failure is not None:
            return FetchState.FAILING, run.failure.reason
        if run.waiting is None:
            return FetchState.OK, ""
        reason = f"{run.waiting.day} is not published; it usually is at {run.waiting.whole_at:%Y-%m-%dT%H:%MZ}"
        return FetchState.LATE if self._is_late(run.waiting, now) else FetchState.DUE, reason

    def _again_at(self, run: _Run, now: datetime) -> datetime | None:
        """Return when to look again: after five minutes, ten, and so on, at most an hour, and for a day.

        Not before the time that the publisher asks to wait.
        """
        has_hope = run.failure.may_pass if run.failure is not None else run.waiting is not None
        if not has_hope:
            return None
        begin = max((due.whole_at for due in run.left), default=now)
        wait, at = _FIRST_WAIT, begin + _FIRST_WAIT
        while at <= now and at - begin <= _LONGEST_CHASE:
            wait = min(2 * wait, _LONGEST_WAIT)
            at += wait
        if at - begin > _LONGEST_CHASE:
            return None
        error = run.failure.error if run.failure is not None else None
        asked_s = error.retry_after if isinstance(error, Unavailable) else None
        return max(at, self.clock.now() + timedelta(seconds=asked_s or 0.0))
