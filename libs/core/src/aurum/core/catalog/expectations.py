"""Documents of expectation suites: the JSON of Great Expectations, read into values and put into words.

The code that checks frames against a suite is elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """The effect of a breach: ``critical`` fails the suite (rows of a file go to quarantine), ``warning`` is only reported."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation of a suite. ``kind``: its type in Great Expectations. ``why``: the reason that its author gives."""

    kind: str
    kwargs: Mapping[str, Any]
    severity: Severity = Severity.CRITICAL
    why: str = ""

    @property
    def column(self) -> str | None:
        """The column of the expectation; None when it is about several columns, or the whole table."""
        return self.kwargs.get("column")

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the expectation, in its own order."""
        names = [self.kwargs[name] for name in ("column", "column_A", "column_B") if name in self.kwargs]
        return (*names, *self.kwargs.get("column_list", ()))

    @property
    def wording(self) -> str:
        """The expectation as a clause of a sentence.

        >>> between = {"column": "value", "min_value": 0, "max_value": 9, "row_condition": 'measure=="load"'}
        >>> Expectation("expect_column_values_to_be_between", between).wording
        'value is between 0 and 9 where measure=="load"'
        """
        return worded(self.kind, self.kwargs)


@dataclass(frozen=True, slots=True)
class SuiteDocument:
    """An expectation suite.

    ``about``: a dataset as ``source:dataset``, or the name of a mart. ``key``: columns that identify a row.
    """

    name: str
    about: str
    is_mart: bool
    expectations: tuple[Expectation, ...]
    key: tuple[str, ...] = ()


def read_suite(document: Mapping[str, Any]) -> SuiteDocument:
    """Read a suite of Great Expectations 1.x, whose ``meta`` names a ``dataset`` or a ``mart``.

    Raises ValueError, KeyError or TypeError for a document of another form.
    """
    meta = document["meta"]
    is_mart = "mart" in meta
    return SuiteDocument(
        name=document["name"],
        about=meta["mart"] if is_mart else meta["dataset"],
        is_mart=is_mart,
        expectations=read_expectations(document["expectations"]),
        key=tuple(meta.get("key", ())),
    )


def read_expectations(listed: Sequence[Mapping[str, Any]]) -> tuple[Expectation, ...]:
    """Read the expectations of a suite; one without a severity is critical. Raises ValueError, KeyError or TypeError."""
    return tuple(
        Expectation(
            kind=line["type"],
            kwargs=line["kwargs"],
            severity=Severity(line.get("severity", "critical")),
            why=_meta(line).get("why", ""),
        )
        for line in listed
    )


def _meta(line: Mapping[str, Any]) -> Mapping[str, Any]:
    return line.get("meta") or {}


def worded(kind: str, kwargs: Mapping[str, Any]) -> str:
    """Return an expectation in words; for an unknown kind, its name and arguments."""
    text = _worded(kind, kwargs)
    condition = kwargs.get("row_condition")
    return f"{text} where {condition}" if condition else text


def _worded(kind: str, kwargs: Mapping[str, Any]) -> str:
    column = kwargs.get("column", "")
    match kind:
        case "expect_column_values_to_not_be_null":
            return f"{column} is never missing"
        case "expect_column_values_to_be_between":
            return f"{column} is {_bounds(kwargs)}"
        case "expect_column_values_to_be_in_set":
            return f"{column} is one of {', '.join(map(str, kwargs['value_set']))}"
        case "expect_column_values_to_match_regex":
            return f"{column} matches {kwargs['regex']}"
        case "expect_column_values_to_be_unique":
            return f"{column} is never repeated"
        case "expect_compound_columns_to_be_unique":
            return f"{', '.join(kwargs['column_list'])} together are never repeated"
        case "expect_column_pair_values_a_to_be_greater_than_b":
            word = "at least" if kwargs.get("or_equal") else "more than"
            return f"{kwargs['column_A']} is {word} {kwargs['column_B']}"
        case "expect_column_to_exist":
            return f"there is a column {column}"
        case "expect_table_row_count_to_be_between":
            return f"the number of rows is {_bounds(kwargs)}"
        case _:
            facts = ", ".join(f"{name}={value}" for name, value in kwargs.items() if name != "column")
            return f"{column} {kind.removeprefix('expect_').replace('_', ' ')} ({facts})".strip()


def _bounds(kwargs: Mapping[str, Any]) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is None:
        return "anything" if high is None else f"at most {high}"
    return f"at least {low}" if high is None else f"between {low} and {high}"
