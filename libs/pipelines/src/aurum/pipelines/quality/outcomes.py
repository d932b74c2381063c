"""A frame against a suite: how each expectation fared, counted in columns in one go."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from aurum.core.catalog.validations import MOST_SAMPLED, ExpectationOutcome
from aurum.pipelines.quality.suites import RowExpectation, Suite, TableExpectation

_LONGEST_TEXT = 200
"""Characters of a text that is kept as an example."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How each expectation of a suite fared, and by its place those about rows that some row broke."""

    outcomes: tuple[ExpectationOutcome, ...]
    broken: Mapping[int, RowExpectation]


def evaluate(frame: pl.DataFrame, suite: Suite) -> Evaluated:
    """Every expectation on all rows, whatever the others found.

    An expectation about a column that is not there, or of another type, fails and says so.
    """
    counts = _counts(frame, suite)
    outcomes: list[ExpectationOutcome] = []
    broken: dict[int, RowExpectation] = {}
    for place, one in enumerate(suite.expectations):
        if isinstance(one, TableExpectation):
            outcomes.append(_of_table(one, frame))
            continue
        found = counts[place]
        outcomes.append(_of_rows(one, found, frame, suite.key))
        if isinstance(found, tuple) and found[0]:
            broken[place] = one
    return Evaluated(tuple(outcomes), broken)


def _counts(frame: pl.DataFrame, suite: Suite) -> dict[int, tuple[int, int] | str]:
    """Rows that broke each expectation about rows, and rows it is about; or why that cannot be counted. By place."""
    wanted = {place: one for place, one in enumerate(suite.expectations) if isinstance(one, RowExpectation)}
    try:
        # In one go: Polars works out once what several expectations share.
        return _counted(frame, wanted)
    except pl.exceptions.PolarsError:
        return {place: _counted_alone(frame, place, one) for place, one in wanted.items()}


def _counted(frame: pl.DataFrame, wanted: Mapping[int, RowExpectation]) -> dict[int, tuple[int, int] | str]:
    if not wanted:
        return {}
    about = {place: one.where.sum() for place, one in wanted.items() if one.where is not None}
    row = frame.select(
        *(one.breach.sum().alias(f"breach {place}") for place, one in wanted.items()),
        *(expression.alias(f"about {place}") for place, expression in about.items()),
    ).row(0, named=True)
    return {place: (row[f"breach {place}"], row[f"about {place}"] if place in about else frame.height) for place in wanted}


def _counted_alone(frame: pl.DataFrame, place: int, one: RowExpectation) -> tuple[int, int] | str:
    try:
        return _counted(frame, {place: one})[place]
    except pl.exceptions.ColumnNotFoundError:
        return "no column " + ", ".join(name for name in one.expectation.columns if name not in frame.columns)
    except pl.exceptions.PolarsError as error:
        return f"cannot be evaluated: {str(error).splitlines()[0]}"


def _of_table(one: TableExpectation, frame: pl.DataFrame) -> ExpectationOutcome:
    found = one.found(frame)
    return ExpectationOutcome(
        expectation=one.expectation.kind,
        column=one.expectation.column,
        kwargs=one.expectation.kwargs,
        severity=one.severity,
        success=found is None,
        evaluated=frame.height,
        unexpected=None,
        observed=found,
        why=one.expectation.why,
    )


def _of_rows(one: RowExpectation, found: tuple[int, int] | str, frame: pl.DataFrame, key: Sequence[str]) -> ExpectationOutcome:
    unexpected, evaluated = (None, frame.height) if isinstance(found, str) else found
    return ExpectationOutcome(
        expectation=one.expectation.kind,
        column=one.expectation.column,
        kwargs=one.expectation.kwargs,
        severity=one.severity,
        success=unexpected == 0,
        evaluated=evaluated,
        unexpected=unexpected,
        observed=found if isinstance(found, str) else None,
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
            text = str(value)
            return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
