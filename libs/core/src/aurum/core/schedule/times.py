"""The instants of a schedule: those of a cron expression on the clock of a place, or those at a fixed distance.

Clocks change, so an expression is read in one of two ways, as Debian's cron does:

* Minute and hour both begin with something else than ``*`` (``30 2 * * *``): a fixed time of a day, once on each day that has
  it. A time that clocks skip in spring is due at the instant at which they change; one that they show twice in autumn is due
  the first time only.
* Minute or hour begins with ``*`` (``*/15 * * * *``): an interval, due at every instant at which the clock shows such a time.
  A time that is skipped does not occur, and one that is shown twice is due twice, so quarters of an hour go on.

``cronsim`` says which local times match; what they mean on a day with a change is decided here, because it loses some matches
where clocks change by half an hour or at midnight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from aurum.core.errors import Invalid
from aurum.core.local_clock import instant_at, next_change, shown_at
from aurum.core.names import nearest

LONGEST_S = 366 * 24 * 3600
"""The longest ``every`` and the longest jitter, in seconds."""
_LONGEST_TEXT = 200
_FIELDS = 5
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A Monday in the middle of a leap year: what fires at all fires within the 50 years that cronsim looks ahead.
_ANY_DAY = datetime(2024, 7, 1)  # noqa: DTZ001 - a local time
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+/-]{1,64}")


class InvalidSchedule(Invalid):
    """A schedule that cannot be read, or that is never due. Facts: ``field`` and ``value``."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(f"{field} {value!r}: {reason}", field=field, value=value)


@dataclass(frozen=True)
class Cron:
    """A cron expression of five fields (minute, hour, day of month, month, day of week), on the clock of a time zone.

    Days of the month and of the week hold as in Debian's cron: one that begins with ``*`` adds nothing to the other, otherwise
    either of them is enough. ``L`` is the last day of a month, ``LW`` its last day from Monday to Friday, ``1#2`` the second
    Monday, ``5L`` the last Friday. Raises ``InvalidSchedule``.
    """

    expression: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        _check(self.expression)
        _ = self._place

    def __str__(self) -> str:
        return f"{self.expression} {self.zone}"

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Yield the instants (UTC) that are due after an instant, ascending and without end."""
        minute, hour = self.expression.split()[:2]
        is_interval = minute.startswith("*") or hour.startswith("*")
        return self._interval_times(instant) if is_interval else self._fixed_times(instant)

    @cached_property
    def _place(self) -> ZoneInfo:
        try:
            if _ZONE_NAME.fullmatch(self.zone) is None:
                raise ZoneInfoNotFoundError
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, OSError, ValueError):  # OSError: the name of a folder of zones
            names = nearest(self.zone, sorted(available_timezones()))
            hint = f"; nearest: {', '.join(names)}" if names else ""
            raise InvalidSchedule("zone", self.zone, f"no IANA time zone{hint}") from None

    def _fixed_times(self, after: datetime) -> Iterator[datetime]:
        # A change in autumn may show the local time of an instant twice, so what is not later than the last one is passed over.
        last = after
        for local in CronSim(self.expression, shown_at(after, self._place)):
            instant = instant_at(local, self._place)
            if instant > last:
                last = instant
                yield instant

    def _interval_times(self, after: datetime) -> Iterator[datetime]:
        position, shown = after, shown_at(after, self._place)
        while True:
            offset = shown - position.replace(tzinfo=None)
            for local in CronSim(self.expression, shown if position == after else shown - _SECOND):
                instant = (local - offset).replace(tzinfo=UTC)
                change = next_change(position, instant, self._place)
                if change is not None:
                    break
                yield instant
                position = instant
            else:
                return
            # The first local time after the change may match, too.
            position, shown = change, shown_at(change, self._place)


@dataclass(frozen=True, slots=True)
class Every:
    """An instant every ``seconds``, counted from 1970-01-01T00:00Z. Raises ``InvalidSchedule``."""

    seconds: int

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= LONGEST_S:
            raise InvalidSchedule("every", self.seconds, f"takes 1 to {LONGEST_S} seconds")

    def __str__(self) -> str:
        return f"every {self.seconds} s"

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Yield the instants (UTC) that are due after an instant, ascending and without end."""
        step = timedelta(seconds=self.seconds)
        due = _EPOCH + ((instant - _EPOCH) // step + 1) * step
        while True:
            yield due
            due += step


Times: TypeAlias = Cron | Every


def _check(expression: str) -> None:
    """Raise ``InvalidSchedule`` for an expression that cannot be read, or that never matches."""
    if len(expression) > _LONGEST_TEXT:
        raise InvalidSchedule("cron", expression[:40] + "...", f"longer than {_LONGEST_TEXT} characters")
    fields = expression.split()
    if len(fields) != _FIELDS:
        reason = f"{len(fields)} fields, 5 are needed: minute, hour, day of month, month, day of week"
        raise InvalidSchedule("cron", expression, reason + (" (seconds are not supported)" if len(fields) == 6 else ""))
    try:
        never = next(CronSim(expression, _ANY_DAY), None) is None
    except CronSimError as error:
        # It names the field only. A day of the month that none of the months has is a bad day to it, too.
        reason = str(error).lower()
        never = "day-of-month" in reason and _is_day(fields[2])
        if not never:
            raise InvalidSchedule("cron", expression, reason) from error
    if never:
        raise InvalidSchedule("cron", expression, "never due: none of its months has such a day")


def _is_day(field: str) -> bool:
    """Return whether a field of days can be read, whatever the months are."""
    try:
        CronSim(f"0 0 {field} * *", _ANY_DAY)
    except CronSimError:
        return False
    return True
