"""Evaluates a suite on a frame: the outcome of each expectation, counted in columns in one query."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

import polars as pl

from aurum.core.catalog.validations import MOST_SAMPLED, ExpectationOutcome
from aurum.pipelines.quality.suites import RowExpectation, Suite, TableExpectation
from aurum.pipelines.storable import storable

_LONGEST_TEXT = 200
"""Longest text of a sample value, in characters; a longer one is cut."""


_Counts: TypeAlias = tuple[int, int] | str
"""Rows that break an expectation and rows it applies to; or, as text, why they cannot be counted."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of each expectation of a suite. ``broken``: by position in the suite, those that some row breaks."""

    outcomes: tuple[ExpectationOutcome, ...]
    broken: Mapping[int, RowExpectation]


def evaluate(frame: pl.DataFrame, suite: Suite) -> Evaluation:
    """Evaluate every expectation on all rows, also on those that break another one.

    An expectation about a column that is missing or has another type fails, and its outcome says why.
    """
    counts = _count_all(frame, suite)
    outcomes: list[ExpectationOutcome] = []
    broken: dict[int, RowExpectation] = {}
    for position, expectation in enumerate(suite.expectations):
        if isinstance(expectation, TableExpectation):
            outcomes.append(_table_outcome(expectation, frame))
            continue
        count = counts[position]
        outcomes.append(_row_outcome(expectation, count, frame, suite.key))
        if isinstance(count, tuple) and count[0]:
            broken[position] = expectation
    return Evaluation(tuple(outcomes), broken)


def _count_all(frame: pl.DataFrame, suite: Suite) -> dict[int, _Counts]:
    """Return the counts of each expectation about rows, by its position in the suite."""
    by_position = {position: one for position, one in enumerate(suite.expectations) if isinstance(one, RowExpectation)}
    try:
        # In one query: Polars computes only once the expressions that several expectations share.
        return _count(frame, by_position)
    except pl.exceptions.PolarsError:
        return {position: _count_alone(frame, position, one) for position, one in by_position.items()}


def _count(frame: pl.DataFrame, by_position: Mapping[int, RowExpectation]) -> dict[int, _Counts]:
    if not by_position:
        return {}
    conditions = {position: one.where.sum() for position, one in by_position.items() if one.where is not None}
    row = frame.select(
        *(one.breach.sum().alias(f"breach {position}") for position, one in by_position.items()),
        *(condition.alias(f"where {position}") for position, condition in conditions.items()),
    ).row(0, named=True)
    return {
        position: (row[f"breach {position}"], row[f"where {position}"] if position in conditions else frame.height)
        for position in by_position
    }


def _count_alone(frame: pl.DataFrame, position: int, one: RowExpectation) -> _Counts:
    try:
        return _count(frame, {position: one})[position]
    except pl.exceptions.ColumnNotFoundError:
        return "no column " + ", ".join(name for name in one.expectation.columns if name not in frame.columns)
    except pl.exceptions.PolarsError as error:
        return f"cannot be evaluated: {str(error).splitlines()[0]}"


def _table_outcome(one: TableExpectation, frame: pl.DataFrame) -> ExpectationOutcome:
    mismatch = one.mismatch(frame)
    return ExpectationOutcome(
        expectation=one.expectation.kind,
        column=one.expectation.column,
        kwargs=one.expectation.kwargs,
        severity=one.severity,
        success=mismatch is None,
        evaluated=frame.height,
        unexpected=None,
        observed=mismatch,
        why=one.expectation.why,
    )


def _row_outcome(one: RowExpectation, count: _Counts, frame: pl.DataFrame, key: Sequence[str]) -> ExpectationOutcome:
    unexpected, evaluated = (None, frame.height) if isinstance(count, str) else count
    return ExpectationOutcome(
        expectation=one.expectation.kind,
        column=one.expectation.column,
        kwargs=one.expectation.kwargs,
        severity=one.severity,
        success=unexpected == 0,
        evaluated=evaluated,
        unexpected=unexpected,
        observed=count if isinstance(count, str) else None,
        sample=_sample(one, frame, key) if unexpected else (),
        why=one.expectation.why,
    )


def _sample(one: RowExpectation, frame: pl.DataFrame, key: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    columns = [name for name in dict.fromkeys((*key, *one.expectation.columns)) if name in frame.columns]
    first = frame.lazy().filter(one.breach).select(columns).head(MOST_SAMPLED).collect()
    return tuple({name: _as_json(value) for name, value in row.items()} for row in first.to_dicts())  # rows: ten at most


def _as_json(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case _:
            text = storable(str(value))
            return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
