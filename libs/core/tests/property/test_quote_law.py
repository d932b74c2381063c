"""Quotes of any batches, against a model in plain Python that holds every publication."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aurum.core.curves.quote_law import (
    IDENTITY,
    OFFERED_QUOTES,
    changes_of_stored,
    first_quotes,
    in_force,
    in_order,
    new_quotes,
    unsettled,
    versions_of,
)
from aurum.core.curves.quotes import FIELDS, QUOTES

D0, T0 = date(2030, 1, 1), datetime(2030, 1, 1, tzinfo=UTC)
prices = st.sampled_from([None, 0.0, 1.0, -2.0])
publications = st.tuples(st.integers(1, 2), st.integers(0, 1), st.integers(0, 4), prices, prices)


def frame(rows: list[tuple[int, int, int, float | None, float | None]]) -> pl.DataFrame:
    """Publications of curve, trade day, known hour, settle and open, schema ``QUOTES``."""
    others = [None] * (len(FIELDS) - 2)
    values = [
        (curve, D0, D0 + timedelta(days=31), D0 - timedelta(days=9 - traded), *fields, *others, T0 + timedelta(hours=known))
        for curve, traded, known, *fields in rows
    ]
    return pl.DataFrame(values, schema=QUOTES, orient="row")


def modelled(rows: pl.DataFrame) -> list[tuple[object, ...]]:
    """The row in force of each quote, in plain Python."""
    answer: list[tuple[object, ...]] = []
    by_quote = sorted(rows.unique().rows(), key=lambda row: (row[0], row[3]))
    for _, of_quote in itertools.groupby(by_quote, key=lambda row: (row[0], row[3])):
        ordered = sorted(of_quote, key=lambda row: (row[-1], [(value is not None, value or 0.0) for value in row[4:-1]]))
        decided = [list(tied)[-1] for _, tied in itertools.groupby(ordered, key=lambda row: row[-1])]
        runs = [next(run) for _, run in itertools.groupby(decided, key=lambda row: row[4:-1])]
        answer.append(runs[-1])
    return answer


@given(st.lists(st.lists(publications, max_size=8), max_size=5))
def test_batches_in_any_order_lead_to_the_row_in_force(
    batches: list[list[tuple[int, int, int, float | None, float | None]]],
) -> None:
    stored = current = frame([])
    for rows in batches:
        batch = frame(rows)
        fresh, rest = new_quotes(batch, current), unsettled(batch, current)
        changes = changes_of_stored(stored.join(rest, on=IDENTITY, how="semi"), rest.unique())
        replaced = current.join(changes.in_force, on=IDENTITY, how="anti")
        current = pl.concat([replaced, changes.in_force, in_force(fresh)])
        stored = pl.concat([stored, changes.added, fresh.unique()])
        assert stored.is_unique().all()
    everything = pl.concat([frame([]), *map(frame, batches)])
    assert in_order(current).rows() == modelled(everything)
    assert set(stored.rows()) == set(everything.rows())
    assert versions_of(stored).height == versions_of(everything).height


@given(st.lists(publications, max_size=6), st.lists(publications, max_size=6), st.none() | st.integers(0, 6))
def test_a_rule_dates_first_publications_only(
    before: list[tuple[int, int, int, float | None, float | None]],
    rows: list[tuple[int, int, int, float | None, float | None]],
    moment: int | None,
) -> None:
    current = in_force(frame(before))
    batch = frame(rows).with_columns(pl.lit(value=True).alias("by_rule"))
    corrected_at = None if moment is None else T0 + timedelta(hours=moment)
    dated = first_quotes(batch, current, corrected_at=corrected_at)
    stored = {row[:4]: row for row in current.rows()}
    expected, conflicts = [], 0
    for row in batch.rows():
        old = stored.get(row[:4])
        if old is None:
            expected.append(row)
        elif old[4:-1] == row[4:-2]:
            continue
        elif corrected_at is not None and corrected_at > old[-1]:
            expected.append((*row[:-2], corrected_at, False))
        else:
            conflicts += 1
    assert Counter(dated.batch.rows()) == Counter(expected)
    assert dated.conflicts.height == conflicts
    assert dated.batch.schema == OFFERED_QUOTES


def test_a_content_that_was_loaded_before_may_repeat_an_earlier_version() -> None:
    stored = frame([(1, 0, 0, 1.0, None), (1, 0, 2, 2.0, None)])
    batch = frame([(1, 0, 0, 1.0, None)]).with_columns(pl.lit(value=True).alias("by_rule"))
    versions = versions_of(stored).select(*IDENTITY, *FIELDS)
    dated = first_quotes(batch, in_force(stored), corrected_at=None, republished=versions)
    assert (dated.batch.height, dated.conflicts.height) == (0, 0)


def test_what_is_in_force_needs_no_look_at_its_history() -> None:
    current = in_force(frame([(1, 0, 0, 1.0, None), (1, 1, 0, None, None)]))
    assert unsettled(current, current).is_empty()
    assert new_quotes(current, current).is_empty()
    assert_frame_equal(new_quotes(current, current.clear()), current)
