"""The same suites run by Great Expectations itself: slower, on pandas, with its full report."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from aurum.pipelines.source import Parsed


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """How one expectation fared. ``unexpected``: rows that broke it; None for expectations about the whole table."""

    expectation: str
    severity: str
    success: bool
    unexpected: int | None


def validate(parsed: Parsed, suite_path: Path) -> tuple[ExpectationResult, ...]:
    """Every expectation of a suite document, in its order, evaluated by Great Expectations on a parsed file's rows."""
    # Seconds to import: paid by those who ask for it, not by ingestion. Its types are loose, so it is Any here.
    gx: Any = importlib.import_module("great_expectations")

    document: dict[str, Any] = json.loads(suite_path.read_text(encoding="utf-8"))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = gx.ExpectationSuite(name=document["name"], expectations=document["expectations"])
    batches = context.data_sources.add_pandas("parsed").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    frame = parsed.rows.select("location", "measure", "ts", "value").with_columns(pl.col("ts").dt.replace_time_zone(None))
    results = batches.get_batch({"dataframe": frame.to_pandas()}).validate(suite).results
    return tuple(
        ExpectationResult(
            expectation=result.expectation_config.type,
            severity=str(getattr(result.expectation_config.severity, "value", result.expectation_config.severity)),
            success=bool(result.success),
            unexpected=result.result.get("unexpected_count"),
        )
        for result in results
    )
