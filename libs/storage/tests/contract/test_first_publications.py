"""A publication rule dates the first publication of a point; corrections are dated otherwise, or refused."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.asof import Span
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.errors import Conflict
from aurum.storage.ports.files import FileLoad
from aurum.storage.ports.observations import RuleDated
from aurum.storage.testing.builders import KEY, Point, day, file_load
from aurum.storage.testing.expected import expected_revisions
from aurum.storage.testing.stores import Store, series_named

FORECAST = "invented:forecast:A:value"
BY_RULE = RuleDated()
FETCHED = RuleDated(may_correct=True)
numbers = itertools.count()


def by_rule(
    *points: Point,
    rule: RuleDated = BY_RULE,
    moment: float | None = None,
    key: str = KEY,
    issue_at: datetime | None = None,
) -> FileLoad:
    """A file whose points have their known times from a rule. ``moment``: known day of a correction; None: the load."""
    return file_load(
        points,
        key=key,
        rule=rule,
        basis=KnownAtBasis.INGESTED,
        known_at=None if moment is None else day(moment),
        is_forecast=key == FORECAST,
        issue_at=issue_at,
    )


async def revisions(store: Store, key: str = KEY):
    series = await series_named(store, key)
    return await store.reader.revisions(series.series_id, span=Span())


async def test_the_first_publication_of_a_point_is_dated_by_the_rule(store: Store) -> None:
    outcome = await store.loader.load(by_rule((0, 1, 1.0), (1, 2, 2.0)))
    assert (outcome.new, outcome.revised) == (2, 0)
    assert_frame_equal(await revisions(store), expected_revisions([(0, 1, 1.0), (1, 2, 2.0)]))
    (entry,) = await store.files.files_of(
        (await store.files.applied(by_rule((0, 1, 1.0), (1, 2, 2.0)).record.digest))[0].digest
    )
    assert (entry.known_at, entry.known_at_basis) == (None, KnownAtBasis.SCHEDULED)


async def test_a_repeated_value_adds_nothing_whatever_the_rule_says(store: Store) -> None:
    await store.loader.load(file_load([(0, 3, 1.0)]))
    outcome = await store.loader.load(by_rule((0, 1, 1.0), (1, 1, 5.0)))
    assert (outcome.new, outcome.revised, outcome.unchanged) == (1, 0, 1)
    assert_frame_equal(await revisions(store), expected_revisions([(0, 3, 1.0), (1, 1, 5.0)]))


@pytest.mark.parametrize("corrected", [0.5, 2.0])
async def test_a_correction_dated_by_a_rule_is_refused_whole(store: Store, corrected: float) -> None:
    await store.loader.load(by_rule((0, 1, 1.0)))
    with pytest.raises(Conflict, match=r"1 stored point has .*stored 1\.0, here .*--known-at TIME"):
        await store.loader.load(by_rule((0, 1, corrected), (1, 1, 5.0)))
    assert_frame_equal(await revisions(store), expected_revisions([(0, 1, 1.0)]))


@pytest.mark.parametrize("corrected", [0.5, 2.0])
async def test_a_correction_that_was_fetched_becomes_known_with_its_file(store: Store, corrected: float) -> None:
    await store.loader.load(by_rule((0, 1, 1.0)))
    outcome = await store.loader.load(by_rule((0, 1, corrected), (1, 1, 5.0), rule=FETCHED, moment=4))
    assert (outcome.new, outcome.revised) == (1, 1)
    assert_frame_equal(await revisions(store), expected_revisions([(0, 1, 1.0), (0, 4, corrected), (1, 1, 5.0)]))


async def test_a_correction_that_was_answered_before_what_stands_is_refused(store: Store) -> None:
    await store.loader.load(file_load([(0, 5, 1.0)]))
    with pytest.raises(Conflict, match="another value"):
        await store.loader.load(by_rule((0, 1, 2.0), rule=FETCHED, moment=4))


async def test_the_same_content_may_be_loaded_again_after_a_correction(store: Store) -> None:
    first = by_rule((0, 1, 1.0))
    await store.loader.load(first)
    await store.loader.load(file_load([(0, 2, 9.0)]))
    outcome = await store.loader.load(first, force=True)
    assert (outcome.new, outcome.revised, outcome.unchanged) == (0, 0, 1)
    assert_frame_equal(await revisions(store), expected_revisions([(0, 1, 1.0), (0, 2, 9.0)]))


def issue(known: int, *values: tuple[float, float], rule: RuleDated | None = None, moment: float | None = None) -> FileLoad:
    """An issue of a forecast of the usual publication time ``known``, with values by interval."""
    dated = rule or BY_RULE
    points = ((ts, known, value) for ts, value in values)
    return by_rule(*points, rule=dated, moment=moment, key=FORECAST, issue_at=day(known))


async def test_issues_of_a_forecast_revise_each_other_in_any_order(store: Store) -> None:
    await store.loader.load(issue(2, (0, 2.0), (1, 2.5)))
    await store.loader.load(issue(1, (0, 1.0), (1, 2.5)))
    await store.loader.load(issue(3, (1, 3.5)))
    assert_frame_equal(
        await revisions(store, FORECAST), expected_revisions([(0, 1, 1.0), (0, 2, 2.0), (1, 1, 2.5), (1, 3, 3.5)])
    )


async def test_another_issue_of_the_same_usual_time_is_refused_or_known_when_it_was_fetched(store: Store) -> None:
    await store.loader.load(issue(1, (0, 1.0), (1, 1.5)))
    repeated = await store.loader.load(issue(1, (0, 1.0), (1, 1.5), (2, 2.0)))
    assert (repeated.new, repeated.revised) == (1, 0)
    with pytest.raises(Conflict, match="another value"):
        await store.loader.load(issue(1, (0, 1.0), (1, 9.0)))
    fetched = FETCHED
    await store.loader.load(issue(1, (0, 1.0), (1, 9.0), rule=fetched, moment=1.5))
    assert_frame_equal(
        await revisions(store, FORECAST),
        expected_revisions([(0, 1, 1.0), (1, 1, 1.5), (1, 1.5, 9.0), (2, 1, 2.0)]),
    )


async def test_an_issue_that_was_taken_in_when_it_was_published_is_not_corrected_by_the_rule(store: Store) -> None:
    taken_in = file_load([(0, None, 1.0)], key=FORECAST, known_at=day(1.1), is_forecast=True, issue_at=day(1))
    await store.loader.load(taken_in)
    with pytest.raises(Conflict, match="another value"):
        await store.loader.load(issue(1, (0, 9.0)))
    repeated = await store.loader.load(issue(1, (0, 1.0), (1, 2.0)))
    assert (repeated.new, repeated.revised) == (1, 0)
    assert_frame_equal(await revisions(store, FORECAST), expected_revisions([(0, 1.1, 1.0), (1, 1.1, 2.0)]))


async def test_an_issue_is_loaded_again_after_a_correction_of_it(store: Store) -> None:
    first = issue(1, (0, 1.0))
    await store.loader.load(first)
    await store.loader.load(
        file_load([(0, None, 2.0)], key=FORECAST, known_at=day(3), is_forecast=True, issue_at=day(1), digest="correction")
    )
    outcome = await store.loader.load(first, force=True)
    assert (outcome.new, outcome.revised) == (0, 0)
    assert_frame_equal(await revisions(store, FORECAST), expected_revisions([(0, 1, 1.0), (0, 3, 2.0)]))


async def test_a_content_that_is_published_again_is_known_from_then_on(store: Store) -> None:
    first = file_load([(0, 1, 1.0)])
    await store.loader.load(first)
    await store.loader.load(file_load([(0, 2, 2.0)]))
    points: list[Point] = [(0, None, 1.0)]
    again = file_load(points, basis=KnownAtBasis.INGESTED, digest=first.record.digest)
    assert (await store.loader.load(again)).already_loaded
    await store.loader.load(replace(again, record=replace(again.record, is_published_again=True)))
    assert (await revisions(store))["value"].to_list() == [1.0, 2.0, 1.0]


values = st.sampled_from([0.0, 1.0, 2.0])
hours = st.integers(0, 2)
rule_points = st.dictionaries(hours, values, min_size=1)
loads = st.one_of(
    st.tuples(st.just("published"), rule_points, st.integers(0, 6)),
    st.tuples(st.just("rule"), rule_points, st.just(0)),
    st.tuples(st.just("fetched"), rule_points, st.integers(3, 8)),
)


@settings(max_examples=settings().max_examples // 4)
@given(sequence=st.lists(loads, min_size=1, max_size=7))
async def test_accepted_publications_obey_the_law_with_the_known_times_they_were_given(
    shared_store: Store, sequence: list[tuple[str, dict[int, float], int]]
) -> None:
    key = f"invented:rules:example_{next(numbers)}:value"
    accepted: list[Point] = []
    for number, (kind, points, moment) in enumerate(sequence):
        digest = f"{key} {number}"
        if kind == "published":
            given_points: list[Point] = [(ts, moment, value) for ts, value in points.items()]
            await shared_store.loader.load(file_load(given_points, key=key, digest=digest))
            accepted += given_points
            continue
        expected = _dated(accepted, points, moment if kind == "fetched" else None)
        file = file_load(
            [(ts, ts + 1, value) for ts, value in points.items()],
            key=key,
            digest=digest,
            rule=FETCHED if kind == "fetched" else BY_RULE,
            basis=KnownAtBasis.INGESTED,
            known_at=day(moment) if kind == "fetched" else None,
        )
        if expected is None:
            with pytest.raises(Conflict):
                await shared_store.loader.load(file)
        else:
            await shared_store.loader.load(file)
            accepted += expected
    if accepted:
        assert_frame_equal(await revisions(shared_store, key), expected_revisions(accepted), check_exact=True)


def _dated(accepted: list[Point], points: dict[int, float], moment: float | None) -> list[Point] | None:
    """Return the publications that a file dated by the rule adds; None if it must be refused. The rule: a day after ``ts``."""
    added: list[Point] = []
    for ts, value in points.items():
        stored = expected_revisions([point for point in accepted if point[0] == ts])
        if stored.is_empty():
            added.append((ts, ts + 1, value))
        elif stored["value"][-1] != value:
            if moment is None or day(moment) <= stored["known_at"][-1]:
                return None
            added.append((ts, moment, value))
    return added
