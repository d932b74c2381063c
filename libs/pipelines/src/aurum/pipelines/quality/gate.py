"""The checks a parsed file passes on its way to the store: duplicates, then the dataset's expectations.

A row that fails is held back with its line, column, raw text and reason; the rest goes on. Nothing is dropped in silence.
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
_WHERE = ("line", "location", "measure", "ts")
"""What tells rows of a file apart, to those who look for a mistake."""
_POINT = ["location", "measure", "ts", "version"]


@dataclass(frozen=True, slots=True)
class Gated:
    """What passed (schema ``PARSED``) and what was held back (schema ``REFUSED``), refusals of the parser included.

    ``validation``: how each expectation fared on the rows as they were parsed. ``refused``: why the whole file is, else empty.
    """

    rows: pl.DataFrame
    held: pl.DataFrame
    validation: ValidationResult
    refused: str = ""


def pass_gate(parsed: Parsed, suite: Suite) -> Gated:
    """Check one dataset's rows of one file; nothing passes when an expectation about the whole file fails."""
    rows = conform(parsed.rows, PARSED)
    evaluated = evaluate(rows, replace(suite, key=_WHERE))
    refused = _refusal(rows, suite)
    validation = ValidationResult(
        suite=suite.name,
        source=parsed.dataset.source,
        dataset=parsed.dataset.name,
        rows=rows.height,
        outcomes=evaluated.outcomes,
        reason=refused,
    )
    if refused:
        return Gated(rows.clear(), pl.DataFrame(schema=REFUSED), validation, refused)
    rows, nameless = _with_a_name(rows)
    rows, duplicates = _without_contradictions(rows)
    held = [_report(parsed, nameless, Reason.MISSING_FIELD), _report(parsed, duplicates, Reason.DUPLICATE_KEY)]
    for expectation in evaluated.broken.values():
        breach = rows.select(expectation.breach.alias("breach"))["breach"]
        if expectation.severity is Severity.CRITICAL:
            failed = rows.filter(breach).with_columns(pl.lit(f"expected {expectation.text}").alias("detail"))
            held.append(_report(parsed, failed, Reason.OUT_OF_BOUNDS))
            rows = rows.filter(~breach)
        else:
            rows = rows.with_columns(
                pl.when(breach & (pl.col("quality") < int(Quality.SUSPECT)))
                .then(pl.lit(int(Quality.SUSPECT), dtype=pl.Int16))
                .otherwise("quality")
                .alias("quality")
            )
    return Gated(rows, pl.concat([conform(parsed.refused, REFUSED), *held]).sort("line", maintain_order=True), validation)


def _refusal(rows: pl.DataFrame, suite: Suite) -> str:
    for expectation in suite.table:
        if expectation.severity is Severity.CRITICAL and expectation.found(rows) is not None:
            return f"{rows.height} observations: expected {expectation.text}"
    return ""


def _with_a_name(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows whose location can be part of a series key, and the others: empty, padded or with unprintable characters."""
    names = rows.select(pl.col("location").unique())
    good = names.filter(pl.col("location").str.contains(_NAME))["location"].implode()
    if len(good[0]) == names.height:
        return rows, rows.clear().with_columns(pl.lit("").alias("detail"))
    named = pl.col("location").is_in(good).fill_null(False)
    return rows.filter(named), rows.filter(~named).with_columns(pl.lit("the location has no usable name").alias("detail"))


def _without_contradictions(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows with each point once, and all rows of points that are said more than once and not the same way."""
    # Most files repeat nothing and stop here: points of different hashes differ. Two of one hash only take the long way.
    if rows.select(pl.struct(_POINT).hash().n_unique()).item() == rows.height:
        return rows, rows.clear().with_columns(pl.lit("").alias("detail"))
    counted = rows.with_columns(
        pl.struct("value", "quality").n_unique().over(_POINT).alias("ways"),
    )
    contradictory = counted.filter(pl.col("ways") > 1).with_columns(
        pl.format("{} different values for one interval", "ways").alias("detail")
    )
    agreed = counted.filter(pl.col("ways") == 1).unique(_POINT, keep="first", maintain_order=True)
    return agreed.select(list(PARSED)), contradictory.drop("ways")


def _report(parsed: Parsed, failed: pl.DataFrame, reason: Reason) -> pl.DataFrame:
    columns = {measure.name: measure.column or measure.name for measure in parsed.dataset.measures}
    return failed.select(
        "line",
        pl.col("measure").replace_strict(columns, default=pl.col("measure"), return_dtype=pl.String).alias("column"),
        pl.Series("raw", [parsed.raw(line) for line in failed["line"]], dtype=pl.String),
        pl.lit(str(reason)).alias("reason"),
        "detail",
    ).select(list(REFUSED))
