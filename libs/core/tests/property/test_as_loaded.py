"""The store as it stood, against a model that keeps every earlier state."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.as_loaded import NEW_SPANS, SOLE_TIMES, UNDONE, LaterRecordings, as_loaded, new_spans, outside
from aurum.core.frames import CONFIRMATIONS, PUBLICATIONS
from aurum.core.merge import OBSERVATIONS, History

T0 = datetime(2025, 1, 1, tzinfo=UTC)
Key = tuple[int, int, int]
"""Series, hour of ``ts``, hour of ``known_at``."""
Content = tuple[float, int]
State = dict[Key, Content]

contents = st.tuples(st.sampled_from([0.0, 1.0, math.nan]), st.sampled_from([0, 1]))
keys = st.tuples(st.sampled_from([1, 2]), st.integers(0, 4), st.integers(0, 3))
loads = st.dictionaries(keys, contents, min_size=1, max_size=5)
restatements = st.tuples(st.integers(0, 30), st.integers(0, 3))
recordings = st.lists(loads | restatements, min_size=1, max_size=7)


def rank(content: Content) -> tuple[bool, float, int]:
    return math.isnan(content[0]), 0.0 if math.isnan(content[0]) else content[0], content[1]


def at(hour: int) -> datetime:
    return T0 + timedelta(hours=hour)


def frame(state: State, schema: pl.Schema = PUBLICATIONS) -> pl.DataFrame:
    rows = [(series, at(ts), value, quality, at(known)) for (series, ts, known), (value, quality) in sorted(state.items())]
    return pl.DataFrame(rows, schema=PUBLICATIONS, orient="row").select(list(schema))


def history(state: State) -> History:
    nothing = History(pl.DataFrame(schema=PUBLICATIONS), pl.DataFrame(schema=CONFIRMATIONS))
    return OBSERVATIONS.rewrite(nothing, frame(state))


@dataclass
class Model:
    """A store of publications that records how to take each recording back, with spans and known times where they suffice."""

    state: State = field(default_factory=dict[Key, Content])
    states: list[State] = field(default_factory=list[State])
    later: list[LaterRecordings] = field(default_factory=list[LaterRecordings])

    def record(self, recording: State | tuple[int, int]) -> None:
        before = dict(self.state)
        self.states.append(before)
        after = self._load(recording) if isinstance(recording, dict) else self._restate(*recording)
        added = frame({key: content for key, content in after.items() if key not in before})
        removed = {key: content for key, content in before.items() if key not in after or rank(after[key]) != rank(content)}
        spans, sole = pl.DataFrame(schema=NEW_SPANS), pl.DataFrame(schema=SOLE_TIMES)
        if isinstance(recording, dict):
            points = frame(before).select("series_id", "ts").unique()
            fresh = added.select("series_id", "ts").unique().join(points, on=["series_id", "ts"], how="anti")
            spans = new_spans(fresh, points)
            added = outside(added, spans)
            for series in {key[0] for key in recording}:
                times = {known for one, _, known in recording if one == series}
                ever = (known for state in self.states for one, _, known in state if one == series)
                if len(times) == 1 and all(known < min(times) for known in ever):
                    row = pl.DataFrame([(series, at(min(times)))], schema=SOLE_TIMES, orient="row")
                    sole = pl.concat([sole, row])
                    added = added.filter(pl.col("series_id") != series)
        undone = pl.concat(
            [added.with_columns(is_added=pl.lit(value=True)), frame(removed).with_columns(is_added=pl.lit(value=False))]
        )
        self.later.append(LaterRecordings(spans, sole, undone.select(list(UNDONE))))
        self.state = after

    def _load(self, load: State) -> State:
        after = dict(self.state)
        for key, content in load.items():
            after[key] = max(content, after.get(key, content), key=rank)
        return after

    def _restate(self, which: int, known: int) -> State:
        """Move a publication to an earlier known time at which the point has none."""
        after = dict(self.state)
        candidates = sorted(key for key in after if key[2] > known and (key[0], key[1], known) not in after)
        if candidates:
            key = candidates[which % len(candidates)]
            after[key[0], key[1], known] = after.pop(key)
        return after


@settings(max_examples=settings().max_examples // 2)
@given(recordings=recordings)
@example(recordings=[{(1, 0, 0): (1.0, 0)}, {(1, 0, 0): (math.nan, 0)}, (0, 0), {(1, 0, 0): (math.nan, 1)}])
@example(recordings=[{(2, 0, 1): (0.0, 0)}, (0, 0), {(2, 0, 1): (0.0, 0)}])
def test_every_earlier_state_comes_back(recordings: list[State | tuple[int, int]]) -> None:
    model = Model()
    for recording in recordings:
        model.record(recording)
    now = history(model.state)
    for number, state in enumerate(model.states):
        later = LaterRecordings(
            *(pl.concat([getattr(one, name) for one in model.later[number:]]) for name in ("spans", "sole", "undone"))
        )
        then, expected = as_loaded(now, later), history(state)
        assert_frame_equal(then.changes, expected.changes.select(then.changes.columns), check_exact=True)
        assert_frame_equal(then.confirmations, expected.confirmations)


@given(fresh=st.sets(st.integers(0, 9), min_size=1), stored=st.sets(st.integers(0, 9)))
def test_the_span_of_new_points_is_the_longest_without_a_stored_one(fresh: set[int], stored: set[int]) -> None:
    fresh -= stored

    def points(hours: set[int]) -> pl.DataFrame:
        schema = {name: PUBLICATIONS[name] for name in ("series_id", "ts")}
        return pl.DataFrame([(1, at(hour)) for hour in sorted(hours)], schema=schema, orient="row")

    spans = new_spans(points(fresh), points(stored)).rows()
    runs = [
        {hour for hour in fresh if first <= hour <= last}
        for first in fresh
        for last in fresh
        if first <= last and not any(first <= hour <= last for hour in stored)
    ]
    assert len(spans) == bool(fresh)
    for _, first, last in spans:
        covered = {hour for hour in fresh if first <= at(hour) <= last}
        assert covered in runs
        assert len(covered) == max(map(len, runs))
