"""Movers of any two days are those that plain Python finds."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.frames import MANY_OBSERVATIONS
from aurum.core.series.movers import EXPECTED, compare, incomplete, rank
from aurum.core.series.partials import BUCKET, partials

FIRST = datetime(2025, 11, 4, 5, tzinfo=UTC)
HOURS = 3

# Eighths of small numbers add up and divide by 1, 2 and 4 without rounding.
values = st.one_of(st.none(), st.integers(-800, 800).map(lambda eighths: eighths / 8), st.just(float("nan")))
days = st.dictionaries(st.integers(1, 6), st.lists(values, min_size=HOURS, max_size=HOURS))


def hours(day: dict[int, list[float | None]]) -> pl.DataFrame:
    rows = [
        (series_id, FIRST + number * BUCKET, value, 0, FIRST)
        for series_id, listed in sorted(day.items())
        for number, value in enumerate(listed)
        if value is not None
    ]
    return partials(pl.DataFrame(rows, schema=MANY_OBSERVATIONS, orient="row"))


def complete(day: dict[int, list[float | None]], series_id: int) -> list[float] | None:
    listed = [value for value in day.get(series_id, []) if value is not None and not math.isnan(value)]
    return listed if len(listed) == HOURS else None


@given(before=days, after=days, most=st.integers(1, 7))
def test_the_order_is_by_change_then_key_of_complete_series(
    before: dict[int, list[float | None]], after: dict[int, list[float | None]], most: int
) -> None:
    keys = {series_id: f"k{9 - series_id}" for series_id in range(1, 7)}
    series = pl.DataFrame([(one, key, HOURS, HOURS) for one, key in keys.items()], schema=EXPECTED, orient="row")
    compared = compare(series, hours(before), hours(after))
    ranked = rank(compared, most=most)
    expected: list[tuple[float, str]] = []
    for series_id, key in keys.items():
        old, new = complete(before, series_id), complete(after, series_id)
        if old is not None and new is not None:
            expected.append((-float(f"{abs(sum(new) / HOURS - sum(old) / HOURS):.9g}"), key))
    assert ranked["key"].to_list() == [key for _, key in sorted(expected)][:most]
    assert incomplete(compared)["key"].to_list() == sorted(set(keys.values()) - {key for _, key in expected})
