"""The check of all datasets: finds those that are late, stale, incomplete or shrinking.

A dataset is watched while it is live: its newest interval was recent when its last file was loaded. History that is loaded
once is never late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.alerts.alert import Finding
from aurum.core.alerts.rules import COMPARED, Publication, incomplete, late, shrinking, stale
from aurum.core.calendars.business_days import is_business_day
from aurum.core.frames import UTC_US
from aurum.core.frequency import Frequency
from aurum.core.markettime.days import day_start
from aurum.core.publication import OnDay, PublicationRule
from aurum.core.series.resample import interval_end
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Dataset
from aurum.storage.ports.alerts import AlertLog, LoadedFile
from aurum.storage.ports.quality import QualityLog

LIVE_DAYS = 14
LIVE_INTERVALS = 4
"""A dataset is live if its newest interval was at most ``LIVE_DAYS`` or ``LIVE_INTERVALS`` intervals old at its last load."""
WATCHED_DAYS = 7
"""Number of closed days, counted back from today, whose gaps are looked at."""
_RECENT = timedelta(days=1)
_LONG_STEPS = {
    Frequency.WEEK: timedelta(days=7),
    Frequency.MONTH: timedelta(days=31),
    Frequency.QUARTER: timedelta(days=92),
    Frequency.YEAR: timedelta(days=366),
}
"""Longest steps of frequencies whose intervals are longer than a day."""
_MOST_DAYS_AHEAD = 40
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _State:
    """The facts of one watched dataset. ``files``: its last ones, the newest first."""

    dataset: Dataset
    newest: datetime
    files: Sequence[LoadedFile]


async def find_faults(
    registry: Registry, quality: QualityLog, alerts: AlertLog, *, grace: timedelta, now: datetime
) -> list[Finding]:
    """Return the faults of all watched datasets.

    ``grace``: time after a usual publication before data count as late, and a day as closed. Raises ``Unavailable``.
    """
    files = await alerts.last_files(each=COMPARED + 1)
    newest = {(one.source, one.dataset): one.newest_ts for one in await quality.datasets_quality(now=now)}
    states: dict[tuple[str, str], _State] = {}
    for source in registry.sources:
        for dataset in source.datasets:
            name = dataset.source, dataset.name
            at, loaded = newest.get(name), files.get(name, ())
            if at is not None and loaded and _is_live(dataset, at, loaded[0]):
                states[name] = _State(dataset, at, loaded)
    findings = [finding for state in states.values() for finding in _of_dataset(state, grace, now)]
    today = now.date()
    for gaps in await alerts.gaps(start=today - (WATCHED_DAYS + 1) * _DAY, end=today + _DAY):
        state = states.get((gaps.source, gaps.dataset))
        if state is not None and not state.dataset.is_forecast and _closes(state.dataset, gaps.day) + grace < now:
            finding = incomplete(
                gaps.source, gaps.dataset, day=gaps.day, series=gaps.series, missing=gaps.missing, expected=gaps.expected
            )
            findings += [finding] if finding is not None else []
    return findings


def next_publication(dataset: Dataset, *, newest: datetime, published: datetime) -> tuple[date, datetime] | None:
    """Return the local day of the next publication and its usual time, UTC; None where no rule of the dataset tells.

    ``newest``: start of the newest stored interval. ``published``: when the last file was published or loaded.
    """
    rule = dataset.rules[0] if dataset.rules else None
    if rule is None:
        return None
    if rule.per_issue:
        return _next_issue(rule, published)
    if dataset.frequency is Frequency.IRREGULAR:
        return None
    following = _end(newest, dataset)
    for _ in range(_MOST_DAYS_AHEAD):
        day = following.astimezone(ZoneInfo(dataset.zone)).date()
        if dataset.business_days is None or is_business_day(pl.Series([day]), dataset.business_days)[0]:
            usual = rule.times(pl.Series([following], dtype=UTC_US), zone=dataset.zone, frequency=dataset.frequency)
            return day, usual[0]
        following = _end(following, dataset)
    return None


def _of_dataset(state: _State, grace: timedelta, now: datetime) -> list[Finding]:
    dataset, last = state.dataset, state.files[0]
    findings: list[Finding | None] = []
    following = next_publication(dataset, newest=state.newest, published=last.known_at or last.loaded_at)
    if following is not None:
        day, usual = following
        findings.append(late(dataset.source, dataset.name, missing=day, usual=usual, grace=grace, now=now))
    if dataset.freshness_hours is not None:
        findings.append(
            stale(
                dataset.source,
                dataset.name,
                zone=dataset.zone,
                newest=state.newest,
                freshness_hours=dataset.freshness_hours,
                now=now,
            )
        )
    if now - last.loaded_at < _RECENT:
        sizes = [_size(dataset, file) for file in state.files]
        findings.append(shrinking(dataset.source, dataset.name, sizes[0], sizes[1:]))
    return [finding for finding in findings if finding is not None]


def _is_live(dataset: Dataset, newest: datetime, last: LoadedFile) -> bool:
    step = _LONG_STEPS.get(dataset.frequency, timedelta())
    return newest >= last.loaded_at - max(timedelta(days=LIVE_DAYS), LIVE_INTERVALS * step)


def _size(dataset: Dataset, file: LoadedFile) -> Publication:
    return Publication(file.loaded_at.astimezone(ZoneInfo(dataset.zone)).date(), file.rows, file.series)


def _closes(dataset: Dataset, day: date) -> datetime:
    """Return when all intervals of a local day are usually published: at its end, or later as the dataset's rule says."""
    end = day_start(day + _DAY, dataset.zone)
    rule = dataset.rules[0] if dataset.rules else None
    if rule is None or rule.per_issue:
        return end + _DAY
    last = pl.Series([end - (dataset.frequency.step or _DAY)], dtype=UTC_US)
    return max(end, rule.times(last, zone=dataset.zone, frequency=dataset.frequency)[0])


def _next_issue(rule: PublicationRule, published: datetime) -> tuple[date, datetime]:
    assert isinstance(rule.moment, OnDay)
    zone = ZoneInfo(rule.moment.zone)
    step = _WEEK if rule.moment.weekday is not None else _DAY
    # The first issue whose usual time is after the day of the last one.
    day = published.astimezone(zone).date() - rule.moment.days * _DAY
    ends = datetime.combine(published.astimezone(zone).date() + _DAY, time(), zone)
    while (usual := rule.of_issue(day)) < ends:
        day += step
    return day, usual


def _end(start: datetime, dataset: Dataset) -> datetime:
    frame = pl.DataFrame({"ts": pl.Series([start], dtype=UTC_US)})
    return frame.select(interval_end(pl.col("ts"), dataset.frequency, dataset.zone)).item()
