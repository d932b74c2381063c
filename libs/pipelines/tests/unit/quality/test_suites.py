import json
from pathlib import Path

import polars as pl
import pytest

from aurum.pipelines.quality.suites import InvalidSuite, Severity, parse_suite, read_suites

ROWS = pl.DataFrame(
    {"location": ["a", None, "c"], "measure": ["lmp", "lmp", "load"], "value": [20.0, -2000.0, -5.0]},
)


def breaches(expectation: dict[str, object]) -> list[bool]:
    suite = parse_suite({"name": "x", "expectations": [expectation]})
    return ROWS.select(suite.rows[0].breach.alias("breach"))["breach"].to_list()


def between(**kwargs: object) -> dict[str, object]:
    return {"type": "expect_column_values_to_be_between", "kwargs": {"column": "value", **kwargs}, "severity": "critical"}


def test_bounds_hold_for_every_row_without_a_condition() -> None:
    assert breaches(between(min_value=-1000, max_value=10)) == [True, True, False]


def test_a_condition_limits_an_expectation_to_one_measure() -> None:
    assert breaches(between(min_value=0, row_condition='measure=="load"')) == [False, False, True]


def test_bounds_are_inclusive() -> None:
    assert breaches(between(min_value=-2000, max_value=20)) == [False, False, False]


def test_a_null_breaks_only_the_expectation_that_asks_for_none() -> None:
    assert breaches({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "location"}}) == [False, True, False]
    in_set = {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "location", "value_set": ["a"]}}
    assert breaches(in_set) == [False, False, True]


def test_severity_is_critical_unless_said_otherwise() -> None:
    suite = parse_suite({"name": "x", "expectations": [between(min_value=0) | {"severity": "warning"}]})
    assert suite.rows[0].severity is Severity.WARNING


def test_an_expectation_the_gate_does_not_evaluate_is_refused_and_not_skipped(tmp_path: Path) -> None:
    document = {
        "name": "x",
        "meta": {"dataset": "a:b"},
        "expectations": [{"type": "expect_table_columns_to_match_set", "kwargs": {"column": "x"}}],
    }
    (tmp_path / "a_b.json").write_text(json.dumps(document))
    with pytest.raises(InvalidSuite, match=r"a_b\.json.*expect_table_columns_to_match_set"):
        read_suites(tmp_path)


def test_a_condition_on_anything_but_a_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="row_condition"):
        breaches(between(min_value=0, row_condition="value > 3"))


def test_a_dataset_without_a_suite_expects_nothing(tmp_path: Path) -> None:
    assert read_suites(tmp_path).of("a", "b").rows == ()
