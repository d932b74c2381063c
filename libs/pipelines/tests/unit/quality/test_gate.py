from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from aurum.core.catalog import Quality, Reason
from aurum.core.frames import PARSED, REFUSED
from aurum.core.frequency import Frequency
from aurum.pipelines.quality.gate import check_rows
from aurum.pipelines.quality.suites import Suite, parse_suite
from aurum.pipelines.registry import default_registry
from aurum.pipelines.source import Dataset, Measure, Parsed, Plausible, describe_series

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
    result = check_rows(moved(parsed((0, 1.0), (1, 2.0)), 3, location=name), Suite("none"))
    assert result.rows["value"].to_list() == [1.0]
    assert result.quarantine["reason"].to_list() == [Reason.MISSING_FIELD]


def moved(file: Parsed, line: int, **columns: object) -> Parsed:
    """Return a file with other values in the row of a line."""
    changed = [
        pl.when(pl.col("line") == line).then(pl.lit(value, PARSED[name])).otherwise(name).alias(name)
        for name, value in columns.items()
    ]
    rows = file.rows.with_columns(changed)
    return replace(file, rows=rows, series=describe_series(file.dataset, rows))


@pytest.mark.parametrize(
    "name", ["", " padded", "a\tb", "nul\x00", "61\u200b757", "\x91", "a\u00a0b", "\ue000", "\u0378", "\uffff"]
)
def test_a_series_of_rows_that_are_held_back_is_none(name: str) -> None:
    result = check_rows(moved(parsed((0, 1.0), (1, 2.0)), 3, location=name), Suite("none"))
    assert result.series["location"].to_list() == ["A"]
    assert not any("\x00" in cell for row in result.quarantine.rows() for cell in row if isinstance(cell, str))


def test_a_series_whose_every_row_breaks_an_expectation_is_none() -> None:
    bounds = suite("expect_column_values_to_be_between", "critical", column="value", max_value=100)
    result = check_rows(moved(parsed((0, 1.0), (1, 20_000.0)), 3, location="B"), bounds)
    assert result.series["location"].to_list() == ["A"]


@pytest.mark.parametrize("year", [1, 18, 1677, 1989, 2027, 2262, 9999])
def test_an_instant_that_cannot_be_is_held_back(year: int) -> None:
    file = moved(parsed((0, 1.0), (1, 2.0)), 3, ts=datetime(year, 12, 31, 23, tzinfo=UTC))
    result = check_rows(file, Suite("none"), now=NOON)
    assert result.rows["line"].to_list() == [2]
    assert result.quarantine["reason"].to_list() == [Reason.INVALID_TIME]
    assert result.quarantine["detail"].to_list() == ["the dataset has observations from 1990-01-01 to 2026-07-06"]


def test_a_file_most_of_whose_rows_are_at_times_of_no_step_revises_nothing() -> None:
    file = parsed((0, 1.0), (1, 2.0))
    held = pl.DataFrame(
        {
            "line": range(4, 9),
            "column": ["Time"] * 5,
            "raw": ["x"] * 5,
            "reason": [str(Reason.INVALID_TIME)] * 5,
            "detail": [""] * 5,
        },
        schema=REFUSED,
    )
    result = check_rows(replace(file, refused=held, rows_read=7), Suite("none"))
    assert result.refusal == "5 of 7 rows are at times that the dataset does not have; nothing of the file was stored"
    assert check_rows(replace(file, refused=held, rows_read=10), Suite("none")).refusal == ""


def test_a_dataset_says_which_instants_it_can_have() -> None:
    file = moved(parsed((0, 1.0), (1, 2.0)), 3, ts=datetime(1871, 1, 1, tzinfo=UTC))
    old = replace(DATASET, plausible=Plausible(date(1850, 1, 1)))
    assert check_rows(replace(file, dataset=old), Suite("none"), now=NOON).rows.height == 2


DATASETS_BY_BOUNDS = {each.plausible: each for source in default_registry().sources for each in source.datasets}
"""One dataset for each pair of bounds that datasets declare."""


@pytest.mark.parametrize("dataset", DATASETS_BY_BOUNDS.values(), ids=lambda each: f"{each.source}:{each.name}")
def test_no_dataset_accepts_the_instants_that_no_dataset_can_have(dataset: Dataset) -> None:
    file = parsed((0, 1.0), *((hour, 2.0) for hour in range(1, 7)))
    for line, year in enumerate((1, 18, 1677, 2101, 2262, 9999), start=3):
        file = moved(file, line, ts=datetime(year, 1, 1, tzinfo=UTC))
    result = check_rows(replace(file, dataset=replace(DATASET, plausible=dataset.plausible)), Suite("none"), now=NOON)
    assert result.rows["line"].to_list() == [2]


def test_names_and_labels_are_cleaned_of_what_cannot_be_stored_or_shown() -> None:
    file = parsed((0, 1.0))
    series = file.series.with_columns(
        location_name=pl.lit("A\x00\u200b\u00a0hub "), location_type=pl.lit("HUB\x91"), labels=pl.lit('{"zone":"A\\u0000EP"}')
    )
    result = check_rows(replace(file, series=series), Suite("none"))
    assert result.series.select("location_name", "location_type", "labels").row(0) == ("A hub", "HUB", '{"zone": "AEP"}')


def test_raw_text_with_a_nul_is_shown_escaped() -> None:
    file = parsed((0, 1.0), (1, 2.0), (0, 9.0))
    result = check_rows(replace(file, raw=lambda line: f"a\x00b {line}"), Suite("none"))
    assert result.quarantine["raw"].to_list() == ["a\\x00b 2", "a\\x00b 4"]


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
