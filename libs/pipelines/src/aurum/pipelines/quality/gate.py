"""Checks a parsed file before it is stored: ids, instants, step, sums of prices, duplicates, the dataset's expectations.

A row that fails goes to quarantine with its line, column, raw text and reason; the other rows are stored. No row is dropped
without a record. A series without a row that passes is not stored either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from aurum.core.catalog import Quality, Reason
from aurum.core.catalog.validations import ValidationResult
from aurum.core.frames import PARSED, REFUSED, UTC_US, conform
from aurum.core.keys import is_location
from aurum.core.visible import is_visible
from aurum.pipelines.quality.outcomes import evaluate
from aurum.pipelines.quality.price_sums import check_prices
from aurum.pipelines.quality.steps import check_steps
from aurum.pipelines.quality.suites import Severity, Suite
from aurum.pipelines.reading.dates import LAST_YEAR
from aurum.pipelines.source import Dataset, Parsed
from aurum.pipelines.storable import printable, printable_json, storable_column

_ROW_KEY = ("line", "location", "measure", "ts")
"""Columns that identify a row of the file in samples of failed rows."""
_POINT = ["location", "measure", "ts", "version"]


@dataclass(frozen=True, slots=True)
class GateResult:
    """The rows that passed (schema ``PARSED``) and the quarantined ones (schema ``REFUSED``, with those the parser refused).

    ``series``: schema ``PARSED_SERIES``, those of ``rows`` alone. ``validation``: the outcome of each expectation on the rows
    whose id, instant and step are possible. ``refusal``: why the whole file is refused, or empty.
    """

    rows: pl.DataFrame
    series: pl.DataFrame
    quarantine: pl.DataFrame
    validation: ValidationResult
    refusal: str = ""


def check_rows(parsed: Parsed, suite: Suite, *, now: datetime | None = None) -> GateResult:
    """Check one dataset's rows of one file. No row passes when its step is another, when most of its prices are not in their
    columns, or when a critical expectation about the whole frame fails. ``now``: the present instant, after which only some of
    the future is plausible; None: all of it.
    """
    rows = conform(parsed.rows, PARSED)
    held: list[pl.DataFrame] = []
    rows, nameless = _with_a_name(rows, parsed.series)
    held.append(_report(parsed, nameless, Reason.MISSING_FIELD))
    rows, impossible = _at_plausible_times(rows, parsed.dataset, now)
    held.append(_report(parsed, impossible, Reason.INVALID_TIME))
    steps = check_steps(parsed, rows)
    if steps.reasons is not None:
        explained = rows.with_columns(steps.reasons.alias("detail"))
        held.append(_report(parsed, explained.filter(pl.col("detail").is_not_null()), Reason.INVALID_TIME))
        rows = explained.filter(pl.col("detail").is_null()).drop("detail")
    # A withdrawal has no value to which an expectation could apply.
    is_withdrawn = pl.col("quality") == int(Quality.WITHDRAWN)
    withdrawn, rows = rows.filter(is_withdrawn), rows.filter(~is_withdrawn)
    prices = check_prices(rows, parsed.dataset)
    rows = prices.rows
    held.append(_report(parsed, prices.held, Reason.INCONSISTENT))
    evaluation = evaluate(rows, replace(suite, key=_ROW_KEY))
    refusal = steps.refusal or _refusal_of_times(parsed, rows) or prices.refusal or _refusal(rows, suite)
    validation = ValidationResult(
        suite=suite.name,
        source=parsed.dataset.source,
        dataset=parsed.dataset.name,
        rows=rows.height,
        outcomes=evaluation.outcomes,
        reason=refusal,
    )
    if refusal:
        return GateResult(rows.clear(), parsed.series.clear(), pl.DataFrame(schema=REFUSED), validation, refusal)
    rows, duplicates = _without_contradictions(rows)
    held.append(_report(parsed, duplicates, Reason.DUPLICATE_KEY))
    for expectation in evaluation.broken.values():
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
    if not withdrawn.is_empty():
        rows = pl.concat([rows, withdrawn])
    quarantine = pl.concat([conform(parsed.refused, REFUSED), *held]).sort("line", maintain_order=True)
    quarantine = quarantine.with_columns(storable_column(pl.col("column", "raw", "detail")))
    some_held = any(not part.is_empty() for part in held)
    return GateResult(rows, _series_of(parsed.series, rows if some_held else None), quarantine, validation)


def _refusal_of_times(parsed: Parsed, rows: pl.DataFrame) -> str:
    """Return why a file is refused when the parser held back most of its rows for their time; empty for other files.

    Such times are not of the dataset, so the other rows may be of another feed, too. Without any other row, nothing is refused:
    the held rows are reported one by one.
    """
    unfit = parsed.refused.filter(pl.col("reason") == str(Reason.INVALID_TIME))["line"].n_unique()
    if rows.is_empty() or 2 * unfit <= parsed.rows_read:
        return ""
    return f"{unfit} of {parsed.rows_read} rows are at times that the dataset does not have; nothing of the file was stored"


def _refusal(rows: pl.DataFrame, suite: Suite) -> str:
    for expectation in suite.table:
        if expectation.severity is Severity.CRITICAL and expectation.mismatch(rows) is not None:
            return f"{rows.height} observations: expected {expectation.text}"
    return ""


def _series_of(series: pl.DataFrame, rows: pl.DataFrame | None) -> pl.DataFrame:
    """Return the series of the rows (None: all) with texts that can be stored and shown."""
    if rows is not None:
        pairs = rows.select("location", "measure").unique()
        series = series.join(pairs, on=["location", "measure"], how="semi", maintain_order="left")
    for column in ("location_name", "location_type"):
        series = _cleaned(series, column, is_visible, printable)
    return _cleaned(series, "labels", lambda text: is_visible(text) and "\\u" not in text, printable_json)


def _cleaned(series: pl.DataFrame, column: str, is_clean: Callable[[str], bool], clean: Callable[[str], str]) -> pl.DataFrame:
    unclean = [text for text in series[column].unique().drop_nulls() if not is_clean(text)]
    if not unclean:
        return series
    return series.with_columns(pl.col(column).replace(unclean, [clean(text) for text in unclean]))


def _with_a_name(rows: pl.DataFrame, series: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows whose location can be part of a series key, and the others."""
    names = series["location"].unique()
    bad = [name for name in names if name is None or not is_location(name)]
    if not bad:
        return rows, _none_of(rows)
    named = ~pl.col("location").is_in(bad, nulls_equal=True)
    return rows.filter(named), rows.filter(~named).with_columns(pl.lit("the location has no usable name").alias("detail"))


def _at_plausible_times(rows: pl.DataFrame, dataset: Dataset, now: datetime | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows at instants that the dataset can have, and the others."""
    since = datetime.combine(dataset.plausible.since, datetime.min.time(), UTC)
    until = now + dataset.plausible.ahead if now is not None else datetime(LAST_YEAR, 12, 31, tzinfo=UTC)
    possible = pl.col("ts").is_between(pl.lit(since, UTC_US), pl.lit(until, UTC_US)).fill_null(False)
    if rows.select(possible.all()).item():
        return rows, _none_of(rows)
    detail = f"the dataset has observations from {since:%Y-%m-%d} to {until:%Y-%m-%d}"
    return rows.filter(possible), rows.filter(~possible).with_columns(pl.lit(detail).alias("detail"))


def _none_of(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.clear().with_columns(pl.lit("").alias("detail"))


def _without_contradictions(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows with each point once, and all rows of the points that the file repeats with different values."""
    # Different hashes mean different points, so most files, which repeat none, end here. Equal hashes need the full comparison.
    if rows.select(pl.struct(_POINT).hash().n_unique()).item() == rows.height:
        return rows, _none_of(rows)
    counted = rows.with_columns(
        pl.struct("value", "quality").n_unique().over(_POINT).alias("variants"),
    )
    contradictory = counted.filter(pl.col("variants") > 1).with_columns(
        pl.format("{} different values for one interval", "variants").alias("detail")
    )
    agreed = counted.filter(pl.col("variants") == 1).unique(_POINT, keep="first", maintain_order=True)
    return agreed.select(list(PARSED)), contradictory.drop("variants")


def _report(parsed: Parsed, failed: pl.DataFrame, reason: Reason) -> pl.DataFrame:
    if failed.is_empty():
        return pl.DataFrame(schema=REFUSED)
    columns = {measure.name: measure.column or measure.name for measure in parsed.dataset.measures}
    return failed.select(
        "line",
        pl.col("measure").replace_strict(columns, default=pl.col("measure"), return_dtype=pl.String).alias("column"),
        pl.Series("raw", [parsed.raw(line) for line in failed["line"]], dtype=pl.String),
        pl.lit(str(reason)).alias("reason"),
        "detail",
    ).select(list(REFUSED))
