"""Leads and issues in questions: their rules, and the issue of each series that a question chooses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

from aurum.core.catalog.entries import SeriesIssue
from aurum.core.errors import InvalidParameters, NotFound
from aurum.core.series.leads import DaysAhead, HoursAhead, Lead
from aurum.core.series.model import Series
from aurum.services.observations.question import Question
from aurum.storage.ports.catalog import Catalog, IssueChoice

_KINDS = ("issue", "days_ahead", "hours_ahead")
_MOST_DAYS = 3_660
_MOST_HOURS = 24 * _MOST_DAYS
_LOCAL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_NEAREST = 5


class UnknownIssue(NotFound):
    """A time at which no issue of a series became known. Facts: ``series``, ``issue``, ``nearest`` (known times)."""


def lead_of(question: Question) -> Lead | None:
    """Return the lead of a question; None if it has none. Raises ``InvalidParameters``."""
    named = [kind for kind in _KINDS if getattr(question, kind) is not None]
    if len(named) > 1:
        why = f"cannot be combined with {named[0]}: send one of {', '.join(_KINDS)}"
        raise InvalidParameters((named[1], why, _shown(getattr(question, named[1]))))
    if question.issue is not None and question.as_loaded is not None:
        why = "cannot be combined with as_loaded: the list of issues is that of the store as it is now; use days_ahead or as_of"
        raise InvalidParameters(("issue", why, _shown(question.issue)))
    if question.before is not None and question.days_ahead is None:
        raise InvalidParameters(("before", "needs days_ahead: say how many days before that of the interval", question.before))
    if question.days_ahead is not None:
        if not 1 <= question.days_ahead <= _MOST_DAYS:
            raise InvalidParameters(("days_ahead", f"must be a whole number from 1 to {_MOST_DAYS:,}", question.days_ahead))
        return DaysAhead(question.days_ahead, _local_time(question.before))
    if question.hours_ahead is not None:
        if not 0 < question.hours_ahead <= _MOST_HOURS:
            raise InvalidParameters(
                ("hours_ahead", f"must be a number above 0, at most {_MOST_HOURS:,}, such as 6 or 0.5", question.hours_ahead)
            )
        return HoursAhead(timedelta(hours=question.hours_ahead))
    return None


async def check_forecasts(question: Question, series: Sequence[Series], catalog: Catalog) -> None:
    """Raise ``InvalidParameters`` when a question asks for a lead or an issue of a series that is not a forecast."""
    name = next(kind for kind in _KINDS if getattr(question, kind) is not None)
    forecasts: set[tuple[str, str]] = set()
    for source in dict.fromkeys(one.key.source for one in series):
        entries = await catalog.datasets(source=source)
        forecasts |= {(entry.source, entry.name) for entry in entries if entry.is_forecast}
    other = next((one for one in series if (one.key.source, one.key.dataset) not in forecasts), None)
    if other is not None:
        why = f"does not apply to {other.key}: its dataset is not a forecast and has no issues; use as_of"
        raise InvalidParameters((name, why, _shown(getattr(question, name))))


async def chosen_issues(
    issue: IssueChoice, series: Sequence[Series], catalog: Catalog, *, as_of: datetime | None
) -> Mapping[int, SeriesIssue]:
    """Return the chosen issue of each series; ``latest`` and ``first`` are absent for a series without any.

    Raises ``UnknownIssue`` for a time that is not the known time of an issue of one of the series.
    """
    chosen = await catalog.series_issues([one.series_id for one in series], issue, as_of=as_of)
    missing = next((one for one in series if one.series_id not in chosen), None)
    if not isinstance(issue, datetime) or missing is None:
        return chosen
    nearest = await catalog.nearest_issues(missing.series_id, issue, as_of=as_of, limit=_NEAREST)
    close = [known_at.isoformat() for known_at in nearest]
    known = "" if as_of is None else f" known at {as_of.isoformat()}"
    hint = f"; nearest: {', '.join(close)}" if close else f"; the series has no issue{known}"
    raise UnknownIssue(
        f"{missing.key} has no issue{known} with the known time {issue.isoformat()}{hint}",
        series=str(missing.key),
        issue=issue.isoformat(),
        nearest=close,
    )


def _local_time(text: str | None) -> time | None:
    if text is None:
        return None
    if _LOCAL_TIME.fullmatch(text) is None:
        raise InvalidParameters(("before", "must be a local time HH:MM from 00:00 to 23:59, such as 10:00", text))
    return time.fromisoformat(text)


def _shown(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
