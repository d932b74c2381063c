from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aurum.core.catalog import Quality, Reason
from aurum.core.frames import PARSED, REFUSED
from aurum.core.frequency import Frequency
from aurum.pipelines.quality.gate import check_rows
from aurum.pipelines.quality.suites import Suite, parse_suite
from aurum.pipelines.source import Dataset, Measure, Parsed, describe_series

DATASET = Dataset(
    source="invented",
    name="prices",
    title="Invented prices",
    zone="UTC",
    frequency=Frequency.HOUR,
    measures=(Measure("lmp", "USD/MWh", column="Price"),),
)
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def parsed(*points: tuple[int, float]) -> Parsed:
    """Return a file with one point per line, each given as hours after noon and value."""
    rows = pl.DataFrame(
        {
            "location": ["A"] * len(points),
            "measure": ["lmp"] * len(points),
            "ts": [NOON + timedelta(hours=hour) for hour, _ in points],
            "value": [value for _, value in points],
            "quality": [0] * len(points),
            "version": [0] * len(points),
            "line": list(range(2, 2 + len(points))),
        },
        schema=PARSED,
    )
    return Parsed(
        dataset=DATASET,
        rows=rows,
        series=describe_series(DATASET, rows),
        refused=pl.DataFrame(schema=REFUSED),
        rows_read=len(points),
        raw=lambda line: f"text of line {line}",
    )


def suite(kind: str, severity: str, **kwargs: object) -> Suite:
    return parse_suite({"name": "x", "expectations": [{"type": kind, "kwargs": kwargs, "severity": severity}]})


def test_a_clean_file_passes_unchanged() -> None:
    file = parsed((0, 1.0), (1, 2.0))
    result = check_rows(file, Suite("none"))
    assert result.rows.equals(file.rows)
    assert result.quarantine.is_empty()


@pytest.mark.parametrize("name", ["", " padded", "a\tb", "nul\x00"])
def test_a_location_that_cannot_be_part_of_a_key_is_held_back(name: str) -> None:
    file = parsed((0, 1.0), (1, 2.0))
    rows = file.rows.with_columns(pl.when(pl.col("line") == 3).then(pl.lit(name)).otherwise("location").alias("location"))
    result = check_rows(replace(file, rows=rows), Suite("none"))
    assert result.rows["value"].to_list() == [1.0]
    assert result.quarantine["reason"].to_list() == [Reason.MISSING_FIELD]


def test_a_point_repeated_with_the_same_value_is_stored_once() -> None:
    result = check_rows(parsed((0, 1.0), (1, 2.0), (0, 1.0)), Suite("none"))
    assert result.rows["value"].to_list() == [1.0, 2.0]
    assert result.quarantine.is_empty()


def test_all_lines_of_a_point_with_two_values_go_to_quarantine() -> None:
    result = check_rows(parsed((0, 1.0), (1, 2.0), (0, 9.0)), Suite("none"))
    assert result.rows["value"].to_list() == [2.0]
    assert result.quarantine.select("line", "column", "raw", "reason").rows() == [
        (2, "Price", "text of line 2", Reason.DUPLICATE_KEY),
        (4, "Price", "text of line 4", Reason.DUPLICATE_KEY),
    ]


def test_a_critical_breach_is_held_back_and_says_what_was_expected() -> None:
    bounds = suite("expect_column_values_to_be_between", "critical", column="value", min_value=0, max_value=100)
    result = check_rows(parsed((0, 1.0), (1, 20_000.0)), bounds)
    assert result.rows["value"].to_list() == [1.0]
    held = result.quarantine.row(0, named=True)
    assert (held["line"], held["reason"]) == (3, Reason.OUT_OF_BOUNDS)
    assert "max_value=100" in held["detail"]


def test_a_warning_keeps_the_row_and_marks_it_suspect() -> None:
    bounds = suite("expect_column_values_to_be_between", "warning", column="value", max_value=100)
    result = check_rows(parsed((0, 1.0), (1, 20_000.0)), bounds)
    assert result.rows["quality"].to_list() == [Quality.GOOD, Quality.SUSPECT]
    assert result.quarantine.is_empty()


def test_too_few_rows_refuse_the_whole_file_when_that_is_critical() -> None:
    result = check_rows(parsed((0, 1.0)), suite("expect_table_row_count_to_be_between", "critical", min_value=2))
    assert result.refusal.startswith("1 observations: expected table row count to be between")
    assert result.rows.is_empty()
    (outcome,) = result.validation.outcomes
    assert (outcome.success, outcome.observed, result.validation.success) == (False, "1 rows", False)


def test_every_expectation_is_counted_on_the_rows_as_they_came() -> None:
    bounds = parse_suite(
        {
            "name": "x",
            "expectations": [
                {"type": "expect_column_values_to_be_between", "kwargs": {"column": "value", "max_value": 100}},
                {
                    "type": "expect_column_values_to_be_between",
                    "kwargs": {"column": "value", "max_value": 10, "row_condition": 'measure=="lmp"'},
                    "severity": "warning",
                },
            ],
        }
    )
    result = check_rows(parsed((0, 1.0), (1, 20_000.0), (2, 50.0), (2, 50.0)), bounds)
    assert result.rows["value"].to_list() == [1.0, 50.0]
    critical, warning = result.validation.outcomes
    assert (critical.evaluated, critical.unexpected, critical.success) == (4, 1, False)
    assert critical.sample == ({"line": 3, "location": "A", "measure": "lmp", "ts": "2025-06-01T13:00:00Z", "value": 20_000.0},)
    assert (warning.evaluated, warning.unexpected) == (4, 3), "the row that is held back breaks it as well"
    assert (result.validation.rows, result.validation.failed, result.validation.warned) == (4, 1, 1)
