"""The push of changes: one reader in each process, which passes new entries to all listeners."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from aurum.api.push.events import COMMENT, event, position, retry
from aurum.api.push.places import ListenerPlaces
from aurum.common.settings import ChangesSettings
from aurum.core.access import LOCAL, Caller
from aurum.core.errors import Unavailable
from aurum.services.changes import is_visible
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.ports.recordings import (
    MOST_MATCHED_KEYS,
    ChangeEntry,
    ChangeFilter,
    ChangeLog,
    ChangePosition,
    SeriesMatch,
)
from aurum.storage.series_patterns import SeriesPatterns, datasets_of

_PAGE = 500
"""Entries that are read at once for all listeners."""
_OWN_PAGE = 100
"""Entries that are read at once for a listener that resumes."""
_PAUSE_S = 0.5
"""Pause after a read that failed."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream. ``sent``: every entry up to it that the filter selects was sent.

    ``queue``: events that wait to be sent, each with its position. ``is_attached``: the hub adds every new entry to it.
    """

    criteria: ChangeFilter
    caller: Caller
    sent: ChangePosition
    patterns: SeriesPatterns
    datasets: frozenset[tuple[str, str]] | None
    queue: deque[tuple[ChangePosition, bytes]] = field(default_factory=deque[tuple[ChangePosition, bytes]])
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_attached: bool = False
    is_ended: bool = False

    def may_select(self, entry: ChangeEntry) -> bool:
        """Return whether the filter can select an entry, as far as its series are not needed to tell."""
        change, criteria = entry.change, self.criteria
        return (
            criteria.source in (None, change.source)
            and criteria.dataset in (None, change.dataset)
            and (self.datasets is None or (change.source, change.dataset) in self.datasets)
            and is_visible(entry, self.caller.tenant)
        )

    def end(self) -> None:
        """Let the stream end; its client connects again."""
        self.is_ended = True
        self.woken.set()


class ChangeHub:
    """Passes new entries to the listeners of one process. They hold no connection to the store while they wait.

    A commit wakes one read of all new entries, whose events go to a bounded queue of each listener. A listener that is new, or
    whose queue is full, reads from the store by itself, from its own position; it is attached again at a moment at which
    it has all that was passed on. So it gets each entry once, in ascending position.
    """

    def __init__(self, log: ChangeLog, settings: ChangesSettings) -> None:
        self._log = log
        self._settings = settings
        self.places = ListenerPlaces(settings)
        self._listeners: set[Listener] = set()
        self._attached: set[Listener] = set()
        self._position: ChangePosition | None = None
        """Every entry up to it was passed on; None while no listener is attached."""
        self._wake = asyncio.Event()
        self._was_interrupted = False
        self._is_draining = False
        self._reads = asyncio.Semaphore(settings.reads)

    @property
    def send_s(self) -> float:
        """The longest time, in seconds, for which a client may leave what it was sent unread; then its stream is closed.

        While a stream waits for its client, it cannot see that it is to end.
        """
        return 2 * self._settings.comment_s

    def changed(self, change: Change) -> None:
        """React to a change of the store: a listener of its ``ChangeFeed``."""
        if change.kind is ChangeKind.ACCESS:
            # A key may have been revoked, so clients have to show theirs again.
            for listener in self._listeners:
                if listener.caller is not LOCAL:
                    listener.end()
        if change.kind is ChangeKind.EVERYTHING:
            self._was_interrupted = True
        if change.kind in (ChangeKind.RECORDED, ChangeKind.EVERYTHING):
            self._wake.set()

    def drain(self) -> None:
        """End all streams, and each new one at once, because the process ends."""
        self._is_draining = True
        for listener in self._listeners:
            listener.end()

    async def run(self) -> None:
        """Pass on new entries, until it is cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._pass_on()
            except Unavailable as error:
                _log.warning("changes not read", detail=error.operator_detail)
            except Exception:  # noqa: BLE001 - without this task no listener would hear of anything
                _log.exception("changes not passed on")
            else:
                continue
            await asyncio.sleep(_PAUSE_S)
            self._wake.set()

    async def stream(
        self, criteria: ChangeFilter, start: ChangePosition, caller: Caller, *, resumes: bool
    ) -> AsyncGenerator[bytes]:
        """Yield the events of entries after ``start``, with comments between them, until the stream is to end.

        ``resumes``: the client has ``start`` already.
        """
        settings = self._settings
        datasets = datasets_of(criteria.series) if criteria.series else None
        listener = Listener(
            criteria,
            caller,
            start,
            SeriesPatterns(criteria.series),
            frozenset(datasets) if datasets is not None else None,
            is_ended=self._is_draining,
        )
        ends_at = time.monotonic() + settings.stream_s
        self._listeners.add(listener)
        try:
            yield retry(self._retry_s()) + (b"" if resumes else position(start))
            while not listener.is_ended and (left := ends_at - time.monotonic()) > 0:
                listener.woken.clear()
                if listener.queue:
                    yield _emptied(listener)
                elif not listener.is_attached:
                    if data := await self._caught_up(listener):
                        yield data
                elif not await _is_woken(listener, min(settings.comment_s, left)):
                    yield self._quiet(listener)
            yield retry(self._retry_s())
        finally:
            self._listeners.discard(listener)
            self._detach(listener)

    async def _caught_up(self, listener: Listener) -> bytes:
        """Return the events of a page from the store for one listener, and attach it after the last page."""
        try:
            async with self._reads:
                page = await self._log.changes(listener.sent, listener.criteria, limit=_OWN_PAGE)
        except Unavailable:
            await asyncio.sleep(_PAUSE_S)
            return COMMENT
        listener.sent = page.next
        if page.is_last and (self._position is None or page.next.number >= self._position.number):
            # No entry can be passed on between this read and here that it did not have: nothing was awaited.
            if self._position is None:
                self._position = page.next
                # Commits between the read and here woke no read of the hub, which had no listener.
                self._wake.set()
            listener.is_attached = True
            self._attached.add(listener)
        return b"".join(event(one) for one in page.entries if is_visible(one, listener.caller.tenant))

    def _quiet(self, listener: Listener) -> bytes:
        """Return what a listener without events gets: a comment, and how far the list was read for it."""
        at = self._position
        if at is None or listener.queue or not listener.is_attached or at.number <= listener.sent.number:
            return COMMENT
        listener.sent = at
        return COMMENT + position(at)

    async def _pass_on(self) -> None:
        if self._was_interrupted:
            await self._check_position()
        while (start := self._position) is not None:
            page = await self._log.changes(start, ChangeFilter(), limit=_PAGE)
            selected = [await self._selections(entry) for entry in page.entries]
            if self._position is not start:
                continue  # all listeners left meanwhile, and others came, who have another position
            for entry, events in zip(page.entries, selected, strict=True):
                for listener in [*self._attached]:
                    self._deliver(listener, entry, events)
            if self._position is start:
                self._position = page.next
            if page.is_last:
                return

    async def _check_position(self) -> None:
        """End the streams if the store is not the one that was read before: it was restored, or a standby took over."""
        self._was_interrupted = False
        start = self._position
        try:
            is_same = start is None or await self._log.position(start.number) == start
        except BaseException:
            self._was_interrupted = True
            raise
        for listener in [*self._listeners]:
            # One that reads by itself has another position, which is checked when its client connects again.
            if not is_same or not listener.is_attached:
                listener.end()

    async def _selections(self, entry: ChangeEntry) -> dict[tuple[str, ...], bytes | None]:
        """Return the event of an entry for each filter by series of the listeners; None where no series matches."""
        events: dict[tuple[str, ...], bytes | None] = {}
        keys: Sequence[str] | None = None
        for listener in [*self._attached]:
            patterns = listener.criteria.series
            if patterns in events or not listener.may_select(entry):
                continue
            if not patterns:
                events[patterns] = event(entry)
                continue
            if keys is None:
                keys = await self._log.keys(entry)
            matching = [key for key in keys if listener.patterns.matches(key)]
            match = SeriesMatch(len(matching), tuple(matching[:MOST_MATCHED_KEYS]))
            events[patterns] = event(replace(entry, matched=match)) if matching else None
            await asyncio.sleep(0)
        return events

    def _deliver(self, listener: Listener, entry: ChangeEntry, events: dict[tuple[str, ...], bytes | None]) -> None:
        if entry.position.number <= listener.sent.number or not listener.may_select(entry) or not listener.is_attached:
            return
        if listener.criteria.series not in events or len(listener.queue) >= self._settings.queue:
            # It came after the series were read, or is slow: it reads the entry by itself.
            self._detach(listener)
        elif (data := events[listener.criteria.series]) is not None:
            listener.queue.append((entry.position, data))
        else:
            return
        listener.woken.set()

    def _detach(self, listener: Listener) -> None:
        listener.is_attached = False
        self._attached.discard(listener)
        if not self._attached:
            self._position = None

    def _retry_s(self) -> float:
        # Spread, so that all listeners of a process do not come back at once.
        return self._settings.retry_s * random.uniform(1, 2)  # noqa: S311 - no secret


def _emptied(listener: Listener) -> bytes:
    """Take all events from the queue of a listener."""
    listener.sent = listener.queue[-1][0]
    data = b"".join(one for _, one in listener.queue)
    listener.queue.clear()
    return data


async def _is_woken(listener: Listener, within_s: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await listener.woken.wait()
        return True
    return False
