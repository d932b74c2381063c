"""The first rows of each series, from either end, equal those of the whole answer, and only a few windows are read for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.common.clock import SystemClock
from aurum.core.asof import Span
from aurum.core.errors import InvalidParameters
from aurum.core.frequency import Frequency
from aurum.core.series.model import Series
from aurum.core.series.resample import Aggregation
from aurum.services.observations import Question, Reading, TooManyPoints, make_plan, selected_series
from aurum.services.observations.first_rows import most_selected, points_to_select, selected_rows
from aurum.services.observations.planned import planned_frame_of_many
from aurum.storage.memory import MemoryStore
from aurum.storage.ports.catalog import SeriesFilter
from aurum.storage.ports.observations import SeriesReader
from aurum.storage.testing.builders import T0, file_load
from aurum.storage.testing.stores import Store

ZONE = "America/New_York"


async def filled(points: Sequence[Sequence[int]], frequency: str) -> tuple[Reading, list[Series]]:
    """A store with one series for each list of interval starts, in steps after ``T0``."""
    store: Store = MemoryStore(SystemClock())
    step = {"1h": 1, "5min": 1 / 12, "1d": 24, "irregular": 7}[frequency]
    for number, starts in enumerate(points):
        rows = [(start * step, start % 3, float(start)) for start in sorted(set(starts))]
        await store.loader.load(
            file_load(rows, key=f"nyiso:some:{number}:load", frequency=frequency, zone=ZONE, market="NYISO")
        )
    series = await selected_series(store.catalog, [], SeriesFilter(source="nyiso"), most=100)
    return Reading(store.catalog, store.reader, store.partials), series


async def first_of_all(reading: Reading, series: Sequence[Series], question: Question) -> pl.DataFrame:
    """The expected answer: the whole one, cut."""
    plan = await make_plan(replace(question, limit=None, newest_first=False), series, reading.catalog)
    whole = await planned_frame_of_many(reading, series, plan, ())
    ordered = whole.sort("series_id", "ts", descending=[False, question.newest_first])
    return ordered if question.limit is None else ordered.group_by("series_id", maintain_order=True).head(question.limit)


@given(
    st.lists(st.lists(st.integers(0, 4_000) | st.integers(0, 30), min_size=1, max_size=40), min_size=1, max_size=4),
    st.sampled_from(["1h", "5min", "1d", "irregular"]),
    st.integers(1, 12),
    st.booleans(),
    st.sampled_from([None, Frequency.DAY, Frequency.MONTH]),
    st.tuples(st.none() | st.integers(-50, 4_000), st.none() | st.integers(0, 5_000)),
    st.none() | st.integers(0, 3),
)
async def test_the_first_rows_are_those_of_the_whole_answer(
    points: list[list[int]],
    frequency: str,
    limit: int,
    newest_first: bool,
    freq: Frequency | None,
    span: tuple[int | None, int | None],
    known: int | None,
) -> None:
    reading, series = await filled(points, frequency)
    start, end = (None if hours is None else T0 + timedelta(hours=hours) for hours in span)
    if start is not None and end is not None and end < start:
        start, end = end, start
    freq = None if frequency == "1d" and freq is Frequency.DAY else freq
    question = Question(
        start=start,
        end=end,
        freq=freq,
        agg=Aggregation.SUM if freq else None,
        as_of=None if known is None else T0 + timedelta(days=known),
        limit=limit,
        newest_first=newest_first,
    )
    plan = await make_plan(question, series, reading.catalog)
    answer = await selected_rows(reading, series, plan, ())
    assert_frame_equal(answer, await first_of_all(reading, series, question))
    assert answer.height <= most_selected(series, plan) or frequency in ("irregular", "5min") or freq is not None


async def test_without_limit_all_rows_descend() -> None:
    reading, series = await filled([[1, 2, 3], [2]], "1h")
    plan = await make_plan(Question(newest_first=True), series, reading.catalog)
    answer = await selected_rows(reading, series, plan, ())
    assert answer["value"].to_list() == [3.0, 2.0, 1.0, 2.0]


@dataclass
class CountedReads:
    """A reader that notes the spans of its reads."""

    reader: SeriesReader
    spans: list[Span] = field(default_factory=list[Span])

    async def many(self, series_ids: Sequence[int], *, span: Span, as_of: datetime | None = None) -> pl.DataFrame:
        self.spans.append(span)
        return await self.reader.many(series_ids, span=span, as_of=as_of)

    def __getattr__(self, name: str) -> object:
        return getattr(self.reader, name)


async def test_the_latest_rows_of_a_long_history_are_one_short_read() -> None:
    reading, series = await filled([range(4_000), range(3_999)], "1h")
    counted = CountedReads(reading.reader)
    plan = await make_plan(Question(limit=24, newest_first=True), series, reading.catalog)
    answer = await selected_rows(replace(reading, reader=counted, partials=None), series, plan, ())  # type: ignore[arg-type]
    assert answer.height == 48
    (span,) = counted.spans
    assert span.start is not None
    assert span.end is not None
    assert span.end - span.start <= timedelta(hours=26)


async def test_a_limit_below_one_is_refused() -> None:
    reading, series = await filled([[1]], "1h")
    with pytest.raises(InvalidParameters, match="at least 1"):
        await make_plan(Question(limit=0), series, reading.catalog)


@pytest.fixture
async def store() -> Store:
    made: Store = MemoryStore(SystemClock())
    for key in ("nyiso:a:1:lmp", "nyiso:a:1:loss", "nyiso:b:2:lmp", "pjm:c:3,4:lmp", "pjm:c:5*:lmp"):
        await made.loader.load(file_load([(0, 0, 1.0)], key=key, market=key[:3].upper()))
    return made


@pytest.mark.parametrize(
    ("keys", "criteria", "expected"),
    [
        (["nyiso:*:lmp"], SeriesFilter(), ["nyiso:a:1:lmp", "nyiso:b:2:lmp"]),
        (["pjm:*,nyiso:a:1:lmp"], SeriesFilter(), ["pjm:c:3,4:lmp", "pjm:c:5*:lmp", "nyiso:a:1:lmp"]),
        (["pjm:c:5*:lmp"], SeriesFilter(), ["pjm:c:5*:lmp"]),
        (["pjm:c:3,4:lmp"], SeriesFilter(), ["pjm:c:3,4:lmp"]),
        ([], SeriesFilter(measure="loss"), ["nyiso:a:1:loss"]),
        (["nyiso:*"], SeriesFilter(measure="lmp", dataset="b"), ["nyiso:b:2:lmp"]),
        (["nyiso:a:1:lmp", "nyiso:a:1:loss"], SeriesFilter(measure="loss"), ["nyiso:a:1:loss"]),
        (["*", "nyiso:a:1:lmp"], SeriesFilter(source="nyiso"), ["nyiso:a:1:lmp", "nyiso:a:1:loss", "nyiso:b:2:lmp"]),
    ],
)
async def test_series_are_chosen_by_keys_patterns_and_filters(
    store: Store, keys: list[str], criteria: SeriesFilter, expected: list[str]
) -> None:
    assert [str(one.key) for one in await selected_series(store.catalog, keys, criteria, most=5)] == expected


@pytest.mark.parametrize(
    ("keys", "criteria", "field_name", "message"),
    [
        ([], SeriesFilter(), "series", "is missing"),
        (["nyiso:z*"], SeriesFilter(), "series", "no series matches 'nyiso:z\\*'"),
        (["nyiso:*"], SeriesFilter(source="pjm"), "series", "source=pjm"),
        (["nyiso:a:1:lmp"], SeriesFilter(source="pjm"), "series", "none of these series has source=pjm"),
        ([], SeriesFilter(source="nyiso", dataset="c"), "source", "source=nyiso, dataset=c"),
        ([], SeriesFilter(source="nyiso", measure="lpm"), "measure", "nearest: lmp"),
        (["*"], SeriesFilter(), "series", "matches more than 4 series"),
        ([], SeriesFilter(measure="lmp", source="nyiso", text=None), "source", "more than 1 series"),
        ([",", ""], SeriesFilter(), "series", "is empty"),
    ],
)
async def test_a_choice_of_no_series_or_too_many_is_refused(
    store: Store, keys: list[str], criteria: SeriesFilter, field_name: str, message: str
) -> None:
    most = 1 if "more than 1 " in message else 4
    with pytest.raises(InvalidParameters, match=message) as refused:
        await selected_series(store.catalog, keys, criteria, most=most)
    assert refused.value.facts["errors"][0]["field"] == field_name  # type: ignore[index] - a list of errors


async def test_rows_far_from_the_end_are_not_searched_without_bound() -> None:
    reading, series = await filled([range(4_000)], "1h")
    question = Question(limit=1, newest_first=True, as_of=T0 - timedelta(days=1))
    plan = await make_plan(question, series, reading.catalog)
    with pytest.raises(TooManyPoints, match="request fewer series"):
        await selected_rows(replace(reading, most_points=1_000), series, plan, ())


async def test_points_of_coarse_rows_count_as_those_they_are_made_of() -> None:
    reading, series = await filled([range(4_000), range(2)], "5min")
    plan = await make_plan(Question(limit=2, newest_first=True, freq=Frequency.DAY), series, reading.catalog)
    assert points_to_select(series, plan) == 2 * 289 + 2


async def test_the_first_bucket_of_a_day_of_25_hours_is_there() -> None:
    store: Store = MemoryStore(SystemClock())
    late = (datetime(2025, 11, 3, 4, 30, tzinfo=UTC) - T0) / timedelta(hours=1)
    rows = [(late + n / 12, 0, float(n)) for n in range(24)]
    await store.loader.load(file_load(rows, key="nyiso:some:0:load", frequency="5min", zone=ZONE, market="NYISO"))
    series = await selected_series(store.catalog, ["nyiso:some:0:load"], most=1)
    reading = Reading(store.catalog, store.reader, store.partials)
    for newest_first in (False, True):
        question = Question(freq=Frequency.DAY, tz="market", limit=5, newest_first=newest_first)
        answer = await selected_rows(reading, series, await make_plan(question, series, reading.catalog), ())
        assert_frame_equal(answer, await first_of_all(reading, series, question))
        assert answer.height == 2
