"""The schedules of a release: fetches at the usual publication times of datasets, checks, and maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from aurum.common.settings import Settings
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, OnDay, OnMonth
from aurum.pipelines.fetch.credentials import Keys
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Dataset, Source
from aurum.storage.ports.schedule import ScheduleSpec

EVERY_SOURCE = "all"
"""The word of ``AURUM_SCHEDULE__FETCH`` for every dataset that needs no key, or whose key is set."""
_MINUTE = timedelta(minutes=1)
_QUARTER = timedelta(minutes=15)
_JITTER_S = 120


def seeds(registry: Registry, settings: Settings) -> list[ScheduleSpec]:
    """Return the schedules of this release under some settings."""
    fetches = [spec for source in registry.sources for spec in _fetches(source, settings)]
    return [*(_switched(spec, settings.schedule.on) for spec in (*fetches, *_maintenance(settings)))]


def is_frequent(dataset: Dataset) -> bool:
    """Return whether a dataset is fetched at least every hour, so that a fetch need not be repeated before the next."""
    return _step(dataset) is not None


def _fetches(source: Source, settings: Settings) -> Iterator[ScheduleSpec]:
    keys, wanted = Keys(settings.fetch), settings.schedule.fetch
    for dataset in source.datasets:
        files = source.public_files(dataset.name)
        if files is None:
            continue
        has_key = files.needs is None or files.keyless is not None or keys.has(files.needs)
        is_named = source.name in wanted or f"{source.name}:{dataset.name}" in wanted
        cron, zone = fetch_times(dataset)
        yield ScheduleSpec(
            f"fetch:{source.name}:{dataset.name}",
            "fetch.due",
            {"source": source.name, "dataset": dataset.name},
            cron=cron,
            zone=zone,
            jitter_s=_JITTER_S,
            is_on=is_named or (EVERY_SOURCE in wanted and has_key),
        )


def fetch_times(dataset: Dataset) -> tuple[str, str]:
    """Return the cron expression and the time zone by which a dataset is fetched.

    Files that are written through the day: every quarter of an hour, or with each interval of an hour. Others: each day at the
    usual time; on days without a publication the fetch finds nothing due and requests nothing.
    """
    step = _step(dataset)
    if step is not None:
        waits = [rule.moment.wait for rule in dataset.rules if isinstance(rule.moment, AfterInterval)]
        if step > _QUARTER * 2:
            minute = -(-max(waits, default=timedelta()) // _MINUTE) % 60
            return f"{minute} * * * *", "UTC"
        return ("*/30 * * * *" if step > _QUARTER else "*/15 * * * *"), "UTC"
    days = [rule.moment for rule in dataset.rules if isinstance(rule.moment, OnDay | OnMonth)]
    if not days:
        hour, minute = _end_of_day(dataset)
        return f"{minute} {hour} * * *", dataset.zone
    zone = days[-1].zone
    times = [moment.at for moment in days if moment.zone == zone]
    # One expression has one minute: the latest of those of several times.
    minute, hours = max(at.minute for at in times), sorted({at.hour for at in times})
    return f"{minute} {','.join(map(str, hours))} * * *", zone


def _step(dataset: Dataset) -> timedelta | None:
    """Return the step of a dataset whose files are written through the day; None for others."""
    by_interval = [rule for rule in dataset.rules if isinstance(rule.moment, AfterInterval)]
    if not by_interval and dataset.rules:
        return None
    return _QUARTER if dataset.frequency is Frequency.IRREGULAR else dataset.frequency.step


def _end_of_day(dataset: Dataset) -> tuple[int, int]:
    """Return hour and minute at which the file of a day is whole, some time after the day is over."""
    waits = [rule.moment.wait for rule in dataset.rules if isinstance(rule.moment, AfterInterval)]
    minutes = -(-max(waits, default=timedelta(hours=1)) // _MINUTE) % (24 * 60)
    return divmod(minutes, 60)


def _maintenance(settings: Settings) -> Iterator[ScheduleSpec]:
    yield ScheduleSpec("alerts.check", "alerts.check", every_s=300, jitter_s=60)
    yield ScheduleSpec("curves.refresh", "curves.refresh", every_s=600, jitter_s=120)
    yield ScheduleSpec("jobs.retention", "jobs.retention", cron="17 3 * * *", jitter_s=600)
    yield ScheduleSpec("aggregates.refresh", "aggregates.refresh", cron="37 3 * * *", jitter_s=600)
    # These change where data are, or need what not every machine has: they run when an operator says so.
    yield ScheduleSpec("history.archive", "history.archive", cron="30 2 * * *", jitter_s=600, is_on=False)
    yield ScheduleSpec("dbt.run", "dbt.run", {"verb": "build"}, cron="30 4 * * *", jitter_s=600, is_on=False)
    if settings.schedule.warm:
        yield ScheduleSpec("cache.warm", "cache.warm", every_s=300, misfire="skip")
    if settings.inbox.folder is not None:
        yield ScheduleSpec("inbox.scan", "inbox.scan", every_s=settings.inbox.every_s, misfire="skip")


def _switched(spec: ScheduleSpec, on: tuple[str, ...]) -> ScheduleSpec:
    return replace(spec, is_on=True) if spec.name in on else spec
