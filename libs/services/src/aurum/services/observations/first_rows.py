"""The first rows of each series of an answer, from either end of the span, without reading the rest of it.

Rows are read in windows that begin at one end. A window is as long as the wanted number of steps, and the next one, for the
series that lack rows, eight times as long: a series with gaps takes a few short reads more, and one whose rows end years ago
is not searched for from today on, because the catalog says where its data end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.observations.batches import columns_of_many
from aurum.services.observations.complexity import TooManyPoints, estimated_points, estimated_rows, longest_step
from aurum.services.observations.plan import ReadPlan
from aurum.services.observations.planned import planned_frame_of_many
from aurum.services.observations.rates import RateSeries
from aurum.services.observations.reading import Reading

_WIDENED = 8
_MICROSECOND = timedelta(microseconds=1)
_CLOCK_CHANGE = timedelta(hours=1)
_MOST_AT_ONCE = 2_000_000
"""Observations of one read, about, which are in memory together."""


@dataclass(slots=True)
class _Search:
    """A series that still lacks rows.

    ``first``, ``end``: the half-open span that was not read yet. ``missing``: number of rows that it lacks. ``width``: of the
    next window.
    """

    series: Series
    first: datetime
    end: datetime
    missing: int
    width: timedelta


def most_selected(series: Sequence[Series], plan: ReadPlan) -> int:
    """Return an estimate of the rows of an answer that has only the first rows of each series, or all of them."""
    if plan.limit is None:
        return estimated_rows(series, plan.span, plan.freq)
    return sum(min(plan.limit, estimated_rows([one], plan.span, plan.freq) or plan.limit) for one in series)


def points_to_select(series: Sequence[Series], plan: ReadPlan) -> int:
    """Return an estimate of the observations that the rows of ``most_selected`` are made of."""
    if plan.limit is None:
        return estimated_points(series, plan.read_span, plan.freq)
    return sum(min(_points_of(one, plan, plan.limit), estimated_points([one], plan.read_span, plan.freq)) for one in series)


async def selected_rows(
    reading: Reading, series: Sequence[Series], plan: ReadPlan, needed: Sequence[RateSeries]
) -> pl.DataFrame:
    """Read the answer to a plan that selects rows (``ReadPlan.selects``): schema ``columns_of_many``.

    Rows ascend by ``series_id``; those of a series ascend by ``ts``, or descend with ``newest_first``. Windows are read one
    after the other, so a change of the store may show in some of them only. Raises ``TooManyPoints`` when the windows that had
    to be searched span more observations than one question may.
    """
    if plan.limit is None:
        frame = await planned_frame_of_many(reading, series, plan, needed)
        return _sorted(frame, plan)
    parts = [pl.DataFrame(schema=columns_of_many(plan))]
    searches = [search for one in series if (search := _search(one, plan, plan.limit)) is not None]
    searched = 0
    while searches:
        remaining: list[_Search] = []
        for group, window in _windows(searches, plan):
            searched += sum(_in_window(one, window) for one in group)
            _check(searched, most=reading.most_points)
            frame = await planned_frame_of_many(reading, [one.series for one in group], replace(plan, span=window), needed)
            frame = _unread(frame, group)
            parts.append(frame)
            remaining += _unfinished(group, window, _counts(frame), newest_first=plan.newest_first)
        searches = remaining
    frame = _sorted(pl.concat(parts), plan)
    return frame.filter(pl.int_range(pl.len()).over("series_id") < plan.limit)


def _search(series: Series, plan: ReadPlan, limit: int) -> _Search | None:
    """Return the search for the rows of a series in the span of a plan; None if it has no data there."""
    if series.first_ts is None or series.last_ts is None:
        return None
    step = longest_step(plan.freq or series.spec.frequency)
    # A bucket begins before the first value in it.
    first = series.first_ts if plan.freq is None else _earlier(series.first_ts, step + _CLOCK_CHANGE)
    first = max(first, plan.span.start) if plan.span.start is not None else first
    end = series.last_ts + _MICROSECOND
    end = min(end, plan.span.end) if plan.span.end is not None else end
    return _Search(series, first, end, limit, step * limit) if first < end else None


def _windows(searches: Sequence[_Search], plan: ReadPlan) -> Iterator[tuple[list[_Search], Span]]:
    """Yield groups of searches whose next windows lie close together, each with a window for all of them.

    A group has about as many observations as may be in memory at once, or one series.
    """
    newest_first = plan.newest_first
    group: list[_Search] = []
    points = 0
    ordered = sorted(searches, key=lambda one: one.end if newest_first else one.first, reverse=newest_first)
    for one in ordered:
        own = min(one.width, one.end - one.first) // longest_step(one.series.spec.frequency) + 1
        if group and (points + own > _MOST_AT_ONCE or not _are_close(group[0], one, newest_first=newest_first)):
            yield group, _window(group, newest_first=newest_first)
            group, points = [], 0
        group.append(one)
        points += own
    if group:
        yield group, _window(group, newest_first=newest_first)


def _check(searched: int, *, most: int) -> None:
    if searched > most:
        raise TooManyPoints(
            f"the first rows of these series lie beyond about {searched:,} observations; one request may span {most:,}: "
            "request fewer series or a shorter span",
            points=searched,
            limit=most,
        )


def _in_window(search: _Search, window: Span) -> int:
    """Return about how many observations of a series lie in a window."""
    assert window.start is not None
    assert window.end is not None
    return max(min(search.end, window.end) - max(search.first, window.start), timedelta()) // longest_step(
        search.series.spec.frequency
    )


def _points_of(series: Series, plan: ReadPlan, rows: int) -> int:
    """Return the observations of some rows of an answer."""
    if plan.freq is None:
        return rows
    return rows * (longest_step(plan.freq) // longest_step(series.spec.frequency) + 1)


def _are_close(first: _Search, other: _Search, *, newest_first: bool) -> bool:
    distance = first.end - other.end if newest_first else other.first - first.first
    return distance <= first.width and other.width == first.width


def _window(group: Sequence[_Search], *, newest_first: bool) -> Span:
    first, end = min(one.first for one in group), max(one.end for one in group)
    if newest_first:
        return Span(max(first, _earlier(min(one.end for one in group), group[0].width)), end)
    return Span(first, min(end, _later(max(one.first for one in group), group[0].width)))


def _unread(frame: pl.DataFrame, group: Sequence[_Search]) -> pl.DataFrame:
    """Return the rows that lie in the own span of their series: the window of a group may reach into what was read before."""
    if len({(one.first, one.end) for one in group}) == 1:
        return frame
    ts = frame.schema["ts"]
    spans = pl.DataFrame(
        {
            "series_id": pl.Series([one.series.series_id for one in group], dtype=frame.schema["series_id"]),
            "first": pl.Series([one.first for one in group], dtype=ts),
            "stop": pl.Series([one.end for one in group], dtype=ts),
        }
    )
    joined = frame.join(spans, on="series_id", how="left", maintain_order="left")
    return joined.filter((pl.col("ts") >= pl.col("first")) & (pl.col("ts") < pl.col("stop"))).drop("first", "stop")


def _unfinished(group: Sequence[_Search], window: Span, counts: Mapping[int, int], *, newest_first: bool) -> Iterator[_Search]:
    """Yield what is left of searches after a window was read."""
    assert window.start is not None
    assert window.end is not None
    for one in group:
        missing = one.missing - counts.get(one.series.series_id, 0)
        first, end = (one.first, min(one.end, window.start)) if newest_first else (max(one.first, window.end), one.end)
        if missing > 0 and first < end:
            yield _Search(one.series, first, end, missing, _widened(one.width))


def _counts(frame: pl.DataFrame) -> Mapping[int, int]:
    counted = frame.group_by("series_id").len()
    return dict(zip(counted["series_id"].to_list(), counted["len"].to_list(), strict=True))


def _sorted(frame: pl.DataFrame, plan: ReadPlan) -> pl.DataFrame:
    return frame.sort("series_id", "ts", descending=[False, plan.newest_first])


def _widened(width: timedelta) -> timedelta:
    try:
        return width * _WIDENED
    except OverflowError:
        return timedelta.max


def _earlier(instant: datetime, width: timedelta) -> datetime:
    try:
        return instant - width
    except OverflowError:
        return datetime.min.replace(tzinfo=instant.tzinfo)


def _later(instant: datetime, width: timedelta) -> datetime:
    try:
        return instant + width
    except OverflowError:
        return datetime.max.replace(tzinfo=instant.tzinfo)
