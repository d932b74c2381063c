"""Checks a parsed file before it is stored: names of locations, duplicates, then the dataset's expectations.

A row that fails goes to quarantine with its line, column, raw text and reason; the other rows are stored. No row is dropped
without a record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from aurum.core.catalog import Quality, Reason
from aurum.core.catalog.validations import ValidationResult
from aurum.core.frames import PARSED, REFUSED, conform
from aurum.pipelines.quality.outcomes import evaluate
from aurum.pipelines.quality.suites import Severity, Suite
from aurum.pipelines.source import Parsed

_NAME = r"^[^\p{C}\p{Z}]([^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Z}])?$"
_ROW_KEY = ("line", "location", "measure", "ts")
"""Columns that identify a row of the file in samples of failed rows."""
_POINT = ["location", "measure", "ts", "version"]


@dataclass(frozen=True, slots=True)
class GateResult:
    """The rows that passed (schema ``PARSED``) and the quarantined ones (schema ``REFUSED``, with those the parser refused).

    ``validation``: the outcome of each expectation on the rows as parsed. ``refusal``: why the whole file is refused, or empty.
    """

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    validation: ValidationResult
    refusal: str = ""


def check_rows(parsed: Parsed, suite: Suite) -> GateResult:
    """Check one dataset's rows of one file. No row passes when a critical expectation about the whole frame fails."""
    rows = conform(parsed.rows, PARSED)
    is_withdrawn = pl.col("quality") == int(Quality.WITHDRAWN)
    withdrawn = rows.filter(is_withdrawn)
    if not withdrawn.is_empty():
        # A withdrawal has no value to which an expectation could apply.
        standing = check_rows(replace(parsed, rows=rows.filter(~is_withdrawn)), suite)
        return standing if standing.refusal else replace(standing, rows=pl.concat([standing.rows, withdrawn]))
    evaluation = evaluate(rows, replace(suite, key=_ROW_KEY))
    refusal = _refusal(rows, suite)
    validation = ValidationResult(
        suite=suite.name,
        source=parsed.dataset.source,
        dataset=parsed.dataset.name,
        rows=rows.height,
        outcomes=evaluation.outcomes,
        reason=refusal,
    )
    if refusal:
        return GateResult(rows.clear(), pl.DataFrame(schema=REFUSED), validation, refusal)
    rows, nameless = _with_a_name(rows)
    rows, duplicates = _without_contradictions(rows)
    quarantine = [_report(parsed, nameless, Reason.MISSING_FIELD), _report(parsed, duplicates, Reason.DUPLICATE_KEY)]
    for expectation in evaluation.broken.values():
        breach = rows.select(expectation.breach.alias("breach"))["breach"]
        if expectation.severity is Severity.CRITICAL:
            failed = rows.filter(breach).with_columns(pl.lit(f"expected {expectation.text}").alias("detail"))
            quarantine.append(_report(parsed, failed, Reason.OUT_OF_BOUNDS))
            rows = rows.filter(~breach)
        else:
            rows = rows.with_columns(
                pl.when(breach & (pl.col("quality") < int(Quality.SUSPECT)))
                .then(pl.lit(int(Quality.SUSPECT), dtype=pl.Int16))
                .otherwise("quality")
                .alias("quality")
            )
    return GateResult(
        rows, pl.concat([conform(parsed.refused, REFUSED), *quarantine]).sort("line", maintain_order=True), validation
    )


def _refusal(rows: pl.DataFrame, suite: Suite) -> str:
    for expectation in suite.table:
        if expectation.severity is Severity.CRITICAL and expectation.mismatch(rows) is not None:
            return f"{rows.height} observations: expected {expectation.text}"
    return ""


def _with_a_name(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows whose location fits a series key, and the others: empty, padded or with unprintable characters."""
    names = rows.select(pl.col("location").unique())
    good = names.filter(pl.col("location").str.contains(_NAME))["location"].implode()
    if len(good[0]) == names.height:
        return rows, rows.clear().with_columns(pl.lit("").alias("detail"))
    named = pl.col("location").is_in(good).fill_null(False)
    return rows.filter(named), rows.filter(~named).with_columns(pl.lit("the location has no usable name").alias("detail"))


def _without_contradictions(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows with each point once, and all rows of the points that the file repeats with different values."""
    # Different hashes mean different points, so most files, which repeat none, end here. Equal hashes need the full comparison.
    if rows.select(pl.struct(_POINT).hash().n_unique()).item() == rows.height:
        return rows, rows.clear().with_columns(pl.lit("").alias("detail"))
    counted = rows.with_columns(
        pl.struct("value", "quality").n_unique().over(_POINT).alias("variants"),
    )
    contradictory = counted.filter(pl.col("variants") > 1).with_columns(
        pl.format("{} different values for one interval", "variants").alias("detail")
    )
    agreed = counted.filter(pl.col("variants") == 1).unique(_POINT, keep="first", maintain_order=True)
    return agreed.select(list(PARSED)), contradictory.drop("variants")


def _report(parsed: Parsed, failed: pl.DataFrame, reason: Reason) -> pl.DataFrame:
    columns = {measure.name: measure.column or measure.name for measure in parsed.dataset.measures}
    return failed.select(
        "line",
        pl.col("measure").replace_strict(columns, default=pl.col("measure"), return_dtype=pl.String).alias("column"),
        pl.Series("raw", [parsed.raw(line) for line in failed["line"]], dtype=pl.String),
        pl.lit(str(reason)).alias("reason"),
        "detail",
    ).select(list(REFUSED))
