"""Expectation suites: Great Expectations' own JSON in ``contracts/expectations``, read into Polars expressions.

Great Expectations takes seconds to import and works on pandas, so ingestion evaluates the same documents in columns; a test,
and ``aurum quality validate``, run the suites through Great Expectations itself and compare. Suites speak of the long frame
of a parsed file: columns ``location``, ``measure``, ``ts``, ``value``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl

from aurum.core.errors import Invalid

_CONDITION = re.compile(r'^measure\s*==\s*"([a-z0-9_]+)"$')


class InvalidSuite(Invalid):
    """A suite that cannot be read. Facts: ``path``."""


class Severity(StrEnum):
    """What a breach leads to: ``critical`` rows are held back, ``warning`` rows are kept and marked suspect."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class RowExpectation:
    """One expectation about single rows. ``breach``: Boolean expression over the long frame, true where it fails."""

    text: str
    severity: Severity
    breach: pl.Expr


@dataclass(frozen=True, slots=True)
class TableExpectation:
    """Bounds on the number of rows of the whole file; a breach refuses it when critical."""

    text: str
    severity: Severity
    at_least: int
    at_most: int | None


@dataclass(frozen=True, slots=True)
class Suite:
    """What is expected of one dataset."""

    name: str
    rows: tuple[RowExpectation, ...] = ()
    table: tuple[TableExpectation, ...] = ()


@dataclass(frozen=True, slots=True)
class Suites:
    """All suites, by ``source:dataset``. A dataset without one has no expectations."""

    by_dataset: Mapping[str, Suite]

    def of(self, source: str, dataset: str) -> Suite:
        return self.by_dataset.get(f"{source}:{dataset}", Suite(f"{source}:{dataset}"))


def read_suites(folder: Path) -> Suites:
    """Every suite of a folder. Raises ``InvalidSuite`` that names the file and what is wrong with it."""
    by_dataset: dict[str, Suite] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            dataset = document["meta"]["dataset"]
            by_dataset[dataset] = parse_suite(document)
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidSuite(f"{path.name}: {type(error).__name__}: {error}", path=path.name) from error
    return Suites(by_dataset)


def parse_suite(document: Mapping[str, Any]) -> Suite:
    """A suite document, Great Expectations 1.x. Raises ValueError or KeyError on what is not understood."""
    rows: list[RowExpectation] = []
    table: list[TableExpectation] = []
    for expectation in document["expectations"]:
        severity = Severity(expectation.get("severity", "critical"))
        kwargs = expectation["kwargs"]
        text = _describe(expectation["type"], kwargs)
        if expectation["type"] == "expect_table_row_count_to_be_between":
            table.append(TableExpectation(text, severity, int(kwargs.get("min_value") or 0), kwargs.get("max_value")))
        else:
            rows.append(RowExpectation(text, severity, _breach(expectation["type"], kwargs)))
    return Suite(document["name"], tuple(rows), tuple(table))


def _breach(kind: str, kwargs: Mapping[str, Any]) -> pl.Expr:
    column = pl.col(kwargs["column"])
    # Great Expectations passes over nulls in every expectation but the one that asks for none.
    if kind == "expect_column_values_to_not_be_null":
        breach = column.is_null()
    elif kind == "expect_column_values_to_be_between":
        breach = pl.lit(False)
        if kwargs.get("min_value") is not None:
            breach = breach | (column < kwargs["min_value"])
        if kwargs.get("max_value") is not None:
            breach = breach | (column > kwargs["max_value"])
    elif kind == "expect_column_values_to_be_in_set":
        breach = ~column.is_in(list(kwargs["value_set"]))
    elif kind == "expect_column_values_to_match_regex":
        breach = ~column.str.contains(kwargs["regex"])
    else:
        raise ValueError(f"expectation {kind!r} is not among those the gate evaluates")
    condition = kwargs.get("row_condition")
    if condition is None:
        return breach.fill_null(False)
    match = _CONDITION.match(condition)
    if match is None:
        raise ValueError(f'row_condition {condition!r}: only measure=="..." is understood')
    return (breach & (pl.col("measure") == match[1])).fill_null(False)


def _describe(kind: str, kwargs: Mapping[str, Any]) -> str:
    words = kind.removeprefix("expect_").replace("_", " ")
    facts = ", ".join(f"{name}={value}" for name, value in kwargs.items() if name not in ("column", "condition_parser"))
    return f"{words} ({facts})"
