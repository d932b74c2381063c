"""The jobs of this release. The API, the command and the workers read this one table; ``contracts/events`` is made from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator

from aurum.core.jobs.states import Queue
from aurum.core.markettime import MOMENT_PATTERN, InvalidInstant, parse_day
from aurum.services.jobs.definition import Definition, Definitions, Payload, Place
from aurum.storage.ports.derived_curves import REBUILD, REBUILD_QUEUE, REFRESH, rebuild_exclusive


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"path {str(path)!r} is not absolute: name an absolute path, a worker runs in another folder")
    return path


def _day_as_written(value: object) -> object:
    """Return the day of a text ``YYYY-MM-DD``; Pydantic alone also reads a number, as seconds since 1970."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return parse_day(str(value))
    except InvalidInstant as error:
        raise ValueError(error.detail) from error


Day = Annotated[date, BeforeValidator(_day_as_written)]
"""A local day of a dataset, written ``YYYY-MM-DD``."""


class IngestFile(Payload):
    """Load one file that the worker can read. Repeating the job changes nothing."""

    path: Annotated[Path, AfterValidator(_absolute)] = Field(description="Absolute path of the file.")
    known_at: str | None = Field(
        default=None,
        description="A time with an offset, such as 2025-11-02T14:00:00Z, 'file', 'schedule' or 'now'.",
        pattern=f"^(file|schedule|now|{MOMENT_PATTERN})$",
    )
    force: bool = Field(default=False, description="Load again what was loaded before.")


class FetchDay(Payload):
    """Download one day's file of a dataset from its publisher and load it."""

    source: str = Field(description="Name of the source.")
    dataset: str = Field(description="Name of the dataset within its source.")
    day: Day = Field(description="Local day of the dataset, YYYY-MM-DD.")


class ReplayFile(Payload):
    """Load a file that has rows in quarantine again, with the known time it had before."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of its content, hexadecimal.")


class ArchiveMonths(Payload):
    """Move closed months to history, then compact its files. Repeating the job changes nothing."""

    source: str | None = Field(default=None, description="Only of this source.")


class DbtRun(Payload):
    """Build or test the dbt models."""

    verb: Literal["build", "run", "test", "freshness", "docs"] = Field(default="build", description="The dbt command to run.")
    select: tuple[str, ...] = Field(default=(), description="Only these models, in dbt's syntax.")
    exclude: tuple[str, ...] = Field(default=(), description="All but these.")
    full_refresh: bool = Field(default=False, description="Build incremental models from nothing.")


class CheckAlerts(Payload):
    """Look for datasets that are late, stale, incomplete or shrinking, and open or resolve their alerts."""


class DeliverWebhook(Payload):
    """Send one event to a webhook. Every attempt has the same id and body."""

    delivery_id: str = Field(pattern=r"^[0-9a-f]{32}$", description="Id of the delivery.")


class FetchDue(Payload):
    """Fetch what the publisher of a dataset has published since the last fetch, and load it."""

    source: str = Field(description="Name of the source.")
    dataset: str = Field(description="Name of the dataset within its source.")


_KNOWN_AT = Field(
    default=None,
    description="A time with an offset, such as 2025-11-02T14:00:00Z, 'file', 'schedule' or 'now'.",
    pattern=f"^(file|schedule|now|{MOMENT_PATTERN})$",
)


class BackfillRange(Payload):
    """Fetch and load a range of days of a dataset, in jobs of at most a month each. Days that were loaded are left out."""

    source: str = Field(description="Name of the source.")
    dataset: str = Field(description="Name of the dataset within its source.")
    first: Day = Field(description="First local day of the dataset, YYYY-MM-DD.")
    last: Day = Field(description="Last local day of the dataset, YYYY-MM-DD.")
    parallel: int = Field(default=2, ge=1, le=8, description="Most of its jobs that run at a time.")
    known_at: str | None = _KNOWN_AT
    force: bool = Field(default=False, description="Fetch and load again what was loaded before.")

    @model_validator(mode="after")
    def _in_order(self) -> BackfillRange:
        if self.last < self.first:
            raise ValueError(f"the last day {self.last} is before the first, {self.first}")
        return self


class BackfillPart(Payload):
    """Fetch and load some days of a dataset, as a part of a backfill."""

    source: str = Field(description="Name of the source.")
    dataset: str = Field(description="Name of the dataset within its source.")
    days: tuple[Day, ...] = Field(
        description="Local days of the dataset, YYYY-MM-DD, ascending.", min_length=1, max_length=18_300
    )
    known_at: str | None = _KNOWN_AT
    force: bool = Field(default=False, description="Fetch and load again what was loaded before.")
    since: AwareDatetime | None = Field(
        default=None, description="With force: leave out what was fetched at or after this time, when the backfill began."
    )


class RebuildCurve(Payload):
    """Compute the quotes of a derived curve again. Repeating the job changes nothing."""

    derived_id: str = Field(min_length=1, max_length=64, description="Id of the derived curve.")
    whole: bool = Field(default=False, description="All trade dates, and not only those on which an input changed.")
    first: bool = Field(default=False, description="Only if the curve was never built, and no build of it has failed.")


class LocateNumber(Payload):
    """Find the place of a stored number in its files, by parsing the stored files again until one has it.

    It names the number and the files; the worker reads from the store what they hold.
    """

    file_ids: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        description="Ids of the records of the files, the likeliest first.", min_length=1, max_length=20
    )
    known_at: AwareDatetime = Field(description="Known time of the version of the number.")
    as_loaded: AwareDatetime | None = Field(default=None, description="The store as it stood at this time; null: today's.")
    tenant: str | None = Field(default=None, description="Owner of the number; null: it is shared.")
    series: str | None = Field(default=None, description="Key of the series of an observation.")
    start: AwareDatetime | None = Field(default=None, description="Start of the interval of the observation.")
    curve: str | None = Field(default=None, description="Key of the curve of a quote.")
    trade_date: Day | None = Field(default=None, description="Trade date of the quote, YYYY-MM-DD.")
    delivery_start: Day | None = Field(default=None, description="First day of delivery of the quote, YYYY-MM-DD.")
    delivery_end: Day | None = Field(default=None, description="Day after the last day of delivery, YYYY-MM-DD.")
    field: str | None = Field(default=None, description="Field of the quote, such as settle.")

    @model_validator(mode="after")
    def _names_one_number(self) -> LocateNumber:
        point = (self.series, self.start)
        quote = (self.curve, self.trade_date, self.delivery_start, self.delivery_end, self.field)
        whole, other = (quote, point) if self.series is None else (point, quote)
        if None in whole or any(one is not None for one in other):
            raise ValueError("name an observation by series and start, or a quote by curve, trade date, delivery and field")
        return self


class Nothing(Payload):
    """A job without arguments."""


def _one(text: str) -> Callable[[Payload], str]:
    """Return a function that returns one text for every payload, so that at most one such job runs at a time."""
    return lambda _payload: text


DELIVERY = Definition(
    "webhook.deliver",
    DeliverWebhook,
    "Send one event to a webhook.",
    Queue.INTERACTIVE,
    place=Place.WORKER,
    time_limit_s=60.0,
    # At the shortest waits, of half an hour each, these are more than a day.
    attempts=64,
    longest_wait_s=3600.0,
    permission=None,
)

LOCATE = Definition(
    "lineage.locate",
    LocateNumber,
    "Find the place of a stored number in its files.",
    Queue.INTERACTIVE,
    time_limit_s=600.0,
    attempts=3,
    priority=3,
    permission=None,
)

_ALL = (
    DELIVERY,
    LOCATE,
    Definition(
        "alerts.check",
        CheckAlerts,
        "Look for datasets that are late, stale, incomplete or shrinking.",
        Queue.MAINTENANCE,
        exclusive=_one("alerts.check"),
    ),
    Definition(
        REBUILD,
        RebuildCurve,
        "Compute a derived curve again, on the trade dates on which an input changed.",
        REBUILD_QUEUE,
        exclusive=lambda job: rebuild_exclusive(job.derived_id),
        permission=None,
    ),
    Definition(
        REFRESH,
        Nothing,
        "Submit builds of derived curves that are stale, failed or never built, and have no job.",
        Queue.MAINTENANCE,
        exclusive=_one(REFRESH),
    ),
    Definition("ingest.file", IngestFile, "Load one file that the worker can read.", Queue.BULK),
    Definition(
        "fetch.day",
        FetchDay,
        "Download one day's file of a dataset from its publisher and load it.",
        Queue.BULK,
        exclusive=lambda job: f"fetch {job.source}",
    ),
    Definition("quarantine.replay", ReplayFile, "Load a file with rows in quarantine again.", Queue.INTERACTIVE),
    Definition(
        "history.archive",
        ArchiveMonths,
        "Move closed months to history.",
        Queue.MAINTENANCE,
        exclusive=_one("history.archive"),
    ),
    Definition(
        "fetch.due",
        FetchDue,
        "Fetch what a publisher has published of a dataset since the last fetch, and load it.",
        Queue.BULK,
        time_limit_s=4 * 3600.0,
        exclusive=lambda job: f"fetch {job.source}",
    ),
    Definition(
        "backfill.range",
        BackfillRange,
        "Fetch and load a range of days of a dataset, in jobs of at most a month each.",
        Queue.BULK,
    ),
    Definition(
        "backfill.part",
        BackfillPart,
        "Fetch and load some days of a dataset, as a part of a backfill.",
        Queue.BULK,
        priority=7,
        time_limit_s=4 * 3600.0,
        permission=None,
    ),
    Definition(
        "inbox.scan",
        Nothing,
        "Load the files of the inbox that are whole.",
        Queue.BULK,
        exclusive=_one("inbox.scan"),
    ),
    Definition(
        "jobs.retention",
        Nothing,
        "Delete jobs that ended, after the days that AURUM_SCHEDULE__JOBS_DAYS states.",
        Queue.MAINTENANCE,
        exclusive=_one("jobs.retention"),
    ),
    Definition(
        "aggregates.refresh",
        Nothing,
        "Write the words of the search anew where they are outdated; TimescaleDB refreshes hourly sums by itself.",
        Queue.MAINTENANCE,
        exclusive=_one("aggregates.refresh"),
    ),
    Definition(
        "cache.warm",
        Nothing,
        "Request the addresses of AURUM_SCHEDULE__WARM, so that their answers are in the cache.",
        Queue.MAINTENANCE,
        attempts=1,
        exclusive=_one("cache.warm"),
    ),
    Definition(
        "catalog.declare",
        Nothing,
        "Write the sources, datasets and schedules of this release into the store.",
        Queue.MAINTENANCE,
        exclusive=_one("catalog.declare"),
    ),
    Definition(
        "dbt.run",
        DbtRun,
        "Build or test the dbt models.",
        Queue.MAINTENANCE,
        exclusive=_one("dbt.run"),
    ),
)


def default_definitions() -> Definitions:
    """Return the definitions of every job of this release."""
    return Definitions({definition.name: definition for definition in _ALL})
