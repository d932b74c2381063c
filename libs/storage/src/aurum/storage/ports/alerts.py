"""Alerts on datasets, and the facts that a check of all datasets needs. All methods raise ``Unavailable``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from aurum.core.alerts.alert import Alert, AlertKind, AlertState, Subject
from aurum.core.errors import NotFound


class UnknownAlert(NotFound):
    """No alert has this id. Facts: ``alert_id``."""

    def __init__(self, alert_id: str) -> None:
        super().__init__(f"no alert {alert_id!r}", alert_id=alert_id)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Every field that is not None must match; ``states``: empty for all."""

    source: str | None = None
    dataset: str | None = None
    kind: AlertKind | None = None
    states: tuple[AlertState, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A loaded file of a dataset: when it was loaded (UTC), its rows, and the series that it has rows of."""

    source: str
    dataset: str
    loaded_at: datetime
    known_at: datetime | None
    rows: int
    series: int


@dataclass(frozen=True, slots=True)
class DayGaps:
    """The gaps of one local day of a dataset: series with gaps, missing intervals, and the intervals the day has in all."""

    source: str
    dataset: str
    day: date
    series: int
    missing: int
    expected: int


class AlertLog(Protocol):
    """Reads of alerts."""

    async def alert(self, alert_id: str) -> Alert:
        """Return an alert. Raises ``UnknownAlert``."""
        ...

    async def page(self, wanted: AlertFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[Alert]:
        """Return alerts, the last opened first. ``before``: opening time and id of the last one already seen."""
        ...

    async def last_files(self, *, each: int) -> Mapping[tuple[str, str], Sequence[LoadedFile]]:
        """Return the last applied files of every (source, dataset), at most ``each``, the newest first."""
        ...

    async def gaps(self, *, start: date, end: date) -> Sequence[DayGaps]:
        """Return the gaps of local days, half-open, of every dataset, by source, dataset and day."""
        ...


class AlertWriter(Protocol):
    """Writes of alerts in a transaction."""

    async def lock(self) -> None:
        """Wait until no other transaction checks datasets; the lock ends with the transaction."""
        ...

    async def about(self, subjects: Sequence[Subject]) -> Sequence[Alert]:
        """Return the alerts of some subjects, and all that are not resolved, each once."""
        ...

    async def alert(self, alert_id: str) -> Alert:
        """Return an alert, locked until the transaction ends. Raises ``UnknownAlert``."""
        ...

    async def put(self, alerts: Sequence[Alert]) -> None:
        """Store new and changed alerts."""
        ...
