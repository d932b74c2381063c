"""Alerts in a dictionary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from aurum.core.alerts.alert import Alert, AlertState, Subject
from aurum.core.catalog.entries import Completeness
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.alerts import AlertFilter, DayGaps, LoadedFile, UnknownAlert


class MemoryAlertLog:
    """``AlertLog`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def alert(self, alert_id: str) -> Alert:
        return _alert(self._state, alert_id)

    async def page(self, wanted: AlertFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> Sequence[Alert]:
        alerts = [
            alert
            for alert in self._state.alerts.values()
            if wanted.source in (None, alert.subject.source)
            and wanted.dataset in (None, alert.subject.dataset)
            and wanted.kind in (None, alert.subject.kind)
            and (not wanted.states or alert.state in wanted.states)
            and (before is None or (alert.opened_at, alert.alert_id) < before)
        ]
        return sorted(alerts, key=lambda alert: (alert.opened_at, alert.alert_id), reverse=True)[:limit]

    async def last_files(self, *, each: int) -> Mapping[tuple[str, str], Sequence[LoadedFile]]:
        files: dict[tuple[str, str], list[LoadedFile]] = defaultdict(list)
        for file_id, entry in reversed(list(enumerate(self._state.files, start=1))):
            name = entry.source, entry.dataset
            if entry.status == "applied" and name in self._state.datasets and len(files[name]) < each:
                series = self._state.file_series[file_id].height if file_id in self._state.file_series else 0
                files[name].append(LoadedFile(*name, entry.loaded_at, entry.known_at, entry.rows_read, series))
        return {name: files[name] for name in sorted(files) if files[name]}

    async def gaps(self, *, start: date, end: date) -> Sequence[DayGaps]:
        days: dict[tuple[str, str, date], list[Completeness]] = defaultdict(list)
        for entry in self._state.completeness.values():
            if start <= entry.day < end:
                series = self._state.series[entry.key]
                days[series.spec.key.source, series.spec.key.dataset, entry.day].append(entry)
        return [
            DayGaps(
                *subject,
                sum(entry.missing > 0 for entry in entries),
                sum(max(0, entry.missing) for entry in entries),
                sum(entry.expected for entry in entries),
            )
            for subject, entries in sorted(days.items())
            if any(entry.missing > 0 for entry in entries)
        ]


class MemoryAlertWriter:
    """``AlertWriter`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def lock(self) -> None:
        """Do nothing: transactions in memory run one after the other."""

    async def about(self, subjects: Sequence[Subject]) -> Sequence[Alert]:
        wanted = set(subjects)
        alerts = [
            alert for alert in self._state.alerts.values() if alert.subject in wanted or alert.state is not AlertState.RESOLVED
        ]
        return sorted(alerts, key=lambda alert: (alert.opened_at, alert.alert_id))

    async def alert(self, alert_id: str) -> Alert:
        return _alert(self._state, alert_id)

    async def put(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self._state.alerts[alert.alert_id] = alert


def _alert(state: MemoryState, alert_id: str) -> Alert:
    if alert_id not in state.alerts:
        raise UnknownAlert(alert_id)
    return state.alerts[alert_id]
