"""Runs the suites with Great Expectations itself, on pandas: slower, and the reference for ``quality.outcomes``."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from aurum.core.curves.quotes import PARSED_QUOTES

_POSITION = "position"
_OF_SERIES = ["location", "measure", "ts", "value"]


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """The outcome of one expectation. ``unexpected``: rows that broke it; None for expectations about the whole table."""

    expectation: str
    severity: str
    success: bool
    unexpected: int | None


def validate(rows: pl.DataFrame, suite_path: Path) -> tuple[ExpectationResult, ...]:
    """Evaluate the expectations of a suite document on rows (schema ``PARSED``, of quotes ``PARSED_QUOTES``).

    Results are in the order of the document.
    """
    columns = [name for name in PARSED_QUOTES if name != "line"] if "trade_date" in rows.columns else _OF_SERIES
    return validate_frame(rows.select(columns), suite_path)


def validate_frame(frame: pl.DataFrame, suite_path: Path) -> tuple[ExpectationResult, ...]:
    """Evaluate the expectations of a suite document on any frame, such as a mart; results are in the order of the document."""
    # The import takes seconds, so only this function pays for it, not ingestion. Its types are loose, so it is Any here.
    gx: Any = importlib.import_module("great_expectations")

    document: dict[str, Any] = json.loads(suite_path.read_text(encoding="utf-8"))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # Results come grouped by column, so each expectation carries its position, by which they are sorted afterwards.
    numbered = [_with_position(one, position) for position, one in enumerate(document["expectations"])]
    suite = gx.ExpectationSuite(name=document["name"], expectations=numbered)
    batches = context.data_sources.add_pandas("parsed").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    plain = frame.with_columns(cs.datetime().dt.replace_time_zone(None), cs.date().cast(pl.Datetime("us")))
    results = batches.get_batch({"dataframe": plain.to_pandas()}).validate(suite).results
    return tuple(
        ExpectationResult(
            expectation=result.expectation_config.type,
            severity=str(getattr(result.expectation_config.severity, "value", result.expectation_config.severity)),
            success=bool(result.success),
            unexpected=result.result.get("unexpected_count"),
        )
        for result in sorted(results, key=lambda one: one.expectation_config.meta[_POSITION])
    )


def _with_position(expectation: dict[str, Any], position: int) -> dict[str, Any]:
    meta: dict[str, Any] = expectation.get("meta") or {}
    return {**expectation, "meta": {**meta, _POSITION: position}}
