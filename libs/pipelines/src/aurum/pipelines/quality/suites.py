"""Reads expectation suites, in the JSON format of Great Expectations, from ``contracts/expectations`` into Polars expressions.

Great Expectations takes seconds to import and works on pandas, so Aurum evaluates the same documents with Polars; a test and
``aurum quality validate`` run the suites through Great Expectations itself and compare. Suites of files are about the long
frame of a parsed file: columns ``location``, ``measure``, ``ts``, ``value``; of quotes those of ``PARSED_QUOTES``. Suites of
marts, in ``marts/``, are about the columns of a mart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from aurum.core.catalog.expectations import Expectation, Severity, SuiteDocument, read_expectations, read_suite
from aurum.core.errors import Invalid

__all__ = [
    "InvalidSuite",
    "MartSuite",
    "RowExpectation",
    "Severity",
    "Suite",
    "Suites",
    "TableExpectation",
    "parse_suite",
    "read_mart_suites",
    "read_suites",
    "suite_path",
]

_CONDITION = re.compile(r'^([a-z][a-z0-9_]*)\s*==\s*"([^"\\]*)"$')
_MARTS = "marts"


class InvalidSuite(Invalid):
    """A suite that cannot be read. Facts: ``path``."""


@dataclass(frozen=True, slots=True)
class RowExpectation:
    """One expectation about rows. ``breach``: Boolean expression over the frame, never null, true for rows that fail.

    ``where``: Boolean expression for the rows the expectation applies to; None: all rows.
    """

    expectation: Expectation
    breach: pl.Expr
    where: pl.Expr | None = None

    @property
    def severity(self) -> Severity:
        return self.expectation.severity

    @property
    def text(self) -> str:
        return describe(self.expectation)


@dataclass(frozen=True, slots=True)
class TableExpectation:
    """One expectation about the whole frame: bounds on the number of rows, or a column that must exist."""

    expectation: Expectation
    at_least: int = 0
    at_most: int | None = None

    @property
    def severity(self) -> Severity:
        return self.expectation.severity

    @property
    def text(self) -> str:
        return describe(self.expectation)

    def mismatch(self, frame: pl.DataFrame) -> str | None:
        """Describe how the frame differs from the expectation; None when it meets it."""
        column = self.expectation.column
        if column is not None:
            return None if column in frame.columns else f"no column {column}"
        too_many = self.at_most is not None and frame.height > self.at_most
        return f"{frame.height} rows" if frame.height < self.at_least or too_many else None


@dataclass(frozen=True, slots=True)
class Suite:
    """The expectations about one dataset or mart, in the order of their document. ``key``: columns that identify a row."""

    name: str
    expectations: tuple[RowExpectation | TableExpectation, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[RowExpectation, ...]:
        return tuple(expectation for expectation in self.expectations if isinstance(expectation, RowExpectation))

    @property
    def table(self) -> tuple[TableExpectation, ...]:
        return tuple(expectation for expectation in self.expectations if isinstance(expectation, TableExpectation))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the key and every column that an expectation uses."""
        used = [column for entry in self.expectations for column in _columns_of(entry.expectation)]
        return tuple(dict.fromkeys((*self.key, *used)))


@dataclass(frozen=True, slots=True)
class MartSuite:
    """The suite of one mart. ``path``: path of its document."""

    mart: str
    suite: Suite
    path: Path


@dataclass(frozen=True, slots=True)
class Suites:
    """All suites of files, by ``source:dataset``. A dataset without a suite has no expectations."""

    by_dataset: Mapping[str, Suite]

    def of(self, source: str, dataset: str) -> Suite:
        return self.by_dataset.get(f"{source}:{dataset}", Suite(f"{source}_{dataset}"))


def read_suites(folder: Path, *, of_plugins: Mapping[str, Path] = MappingProxyType({})) -> Suites:
    """Read every suite of files in a folder. Raises ``InvalidSuite``, which names the file and the mistake in it.

    ``of_plugins``: by source, the folder of the suites of a plugin, of which those about another source do not count.
    """
    own = {about: suite for _, about, suite in _read_documents(folder.glob("*.json"))}
    theirs = {
        about: suite
        for source, shipped in of_plugins.items()
        for _, about, suite in _read_documents(shipped.glob("*.json"))
        if about.startswith(f"{source}:")
    }
    return Suites({**theirs, **own})


def suite_path(folder: Path, source: str, dataset: str) -> Path:
    """Return the path of the document about a dataset. Raises ``InvalidSuite``, also when the folder has none."""
    for path, about, _ in _read_documents(folder.glob("*.json")):
        if about == f"{source}:{dataset}":
            return path
    raise InvalidSuite(f"no suite about {source}:{dataset} in {folder}", path=str(folder))


def read_mart_suites(folder: Path) -> tuple[MartSuite, ...]:
    """Read every suite of marts, from ``marts/`` in the folder of all suites; sorted by mart. Raises ``InvalidSuite``."""
    suites = [MartSuite(about, suite, path) for path, about, suite in _read_documents((folder / _MARTS).glob("*.json"))]
    return tuple(sorted(suites, key=lambda entry: entry.mart))


def _read_documents(paths: Iterable[Path]) -> Iterable[tuple[Path, str, Suite]]:
    for path in sorted(paths):
        try:
            document = read_suite(json.loads(path.read_text(encoding="utf-8")))
            yield path, document.about, _compiled(document)
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidSuite(f"{path.name}: {type(error).__name__}: {error}", path=path.name) from error


def parse_suite(document: Mapping[str, Any]) -> Suite:
    """Read a suite document of Great Expectations 1.x. Raises ValueError or KeyError for a document it does not support."""
    return Suite(document["name"], tuple(_compile(expectation) for expectation in read_expectations(document["expectations"])))


def _compiled(document: SuiteDocument) -> Suite:
    return Suite(document.name, tuple(_compile(expectation) for expectation in document.expectations), document.key)


def _compile(expectation: Expectation) -> RowExpectation | TableExpectation:
    if expectation.kind == "expect_table_row_count_to_be_between":
        at_most = expectation.kwargs.get("max_value")
        return TableExpectation(
            expectation, int(expectation.kwargs.get("min_value") or 0), None if at_most is None else int(at_most)
        )
    if expectation.kind == "expect_column_to_exist":
        return TableExpectation(expectation)
    if expectation.kind not in _BREACHES:
        supported = ", ".join(sorted({*_BREACHES, "expect_column_to_exist", "expect_table_row_count_to_be_between"}))
        raise ValueError(f"expectation {expectation.kind!r} is not supported: write one of {supported}")
    breach, where = _BREACHES[expectation.kind](expectation.kwargs), _where(expectation.kwargs)
    return RowExpectation(expectation, (breach if where is None else breach & where).fill_null(False), where)


def _where(kwargs: Mapping[str, Any]) -> pl.Expr | None:
    condition = kwargs.get("row_condition")
    if condition is None:
        return None
    match = _CONDITION.match(condition)
    if match is None:
        raise ValueError(f'row_condition {condition!r} is not supported: write column=="text"')
    return (pl.col(match[1]) == match[2]).fill_null(False)


def _columns_of(expectation: Expectation) -> tuple[str, ...]:
    condition = _CONDITION.match(expectation.kwargs.get("row_condition") or "")
    return (*expectation.columns, *((condition[1],) if condition else ()))


# Like Great Expectations, every expectation ignores nulls, except the one that forbids them.


def _null(kwargs: Mapping[str, Any]) -> pl.Expr:
    return pl.col(kwargs["column"]).is_null()


def _out_of_bounds(kwargs: Mapping[str, Any]) -> pl.Expr:
    column, breach = pl.col(kwargs["column"]), pl.lit(False)
    if kwargs.get("min_value") is not None:
        breach = breach | (column < kwargs["min_value"])
    if kwargs.get("max_value") is not None:
        breach = breach | (column > kwargs["max_value"])
    return breach


def _out_of_set(kwargs: Mapping[str, Any]) -> pl.Expr:
    return ~pl.col(kwargs["column"]).is_in(list(kwargs["value_set"]))


def _unlike(kwargs: Mapping[str, Any]) -> pl.Expr:
    return ~pl.col(kwargs["column"]).str.contains(kwargs["regex"])


def _repeated(kwargs: Mapping[str, Any]) -> pl.Expr:
    column = pl.col(kwargs["column"])
    return column.is_duplicated() & column.is_not_null()


def _repeated_together(kwargs: Mapping[str, Any]) -> pl.Expr:
    columns: list[str] = list(kwargs["column_list"])
    return pl.struct(columns).is_duplicated() & pl.any_horizontal(pl.col(columns).is_not_null())


def _not_greater(kwargs: Mapping[str, Any]) -> pl.Expr:
    a, b = pl.col(kwargs["column_A"]), pl.col(kwargs["column_B"])
    if kwargs.get("ignore_row_if") != "either_value_is_missing":
        raise ValueError('an expectation about column_A and column_B needs ignore_row_if="either_value_is_missing"')
    return a < b if kwargs.get("or_equal") else a <= b


_BREACHES: Mapping[str, Callable[[Mapping[str, Any]], pl.Expr]] = {
    "expect_column_values_to_not_be_null": _null,
    "expect_column_values_to_be_between": _out_of_bounds,
    "expect_column_values_to_be_in_set": _out_of_set,
    "expect_column_values_to_match_regex": _unlike,
    "expect_column_values_to_be_unique": _repeated,
    "expect_compound_columns_to_be_unique": _repeated_together,
    "expect_column_pair_values_a_to_be_greater_than_b": _not_greater,
}


def describe(expectation: Expectation) -> str:
    """Return an expectation as text for quarantine reports: its name in words and its arguments."""
    words = expectation.kind.removeprefix("expect_").replace("_", " ")
    facts = ", ".join(
        f"{name}={value}" for name, value in expectation.kwargs.items() if name not in ("column", "condition_parser")
    )
    return f"{words} ({facts})"
