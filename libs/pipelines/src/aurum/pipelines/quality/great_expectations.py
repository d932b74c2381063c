"""The same suites run by Great Expectations itself: slower, on pandas, with its full report."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from aurum.pipelines.source import Parsed

_PLACE = "place"


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """How one expectation fared. ``unexpected``: rows that broke it; None for expectations about the whole table."""

    expectation: str
    severity: str
    success: bool
    unexpected: int | None


def validate(parsed: Parsed, suite_path: Path) -> tuple[ExpectationResult, ...]:
    """Every expectation of a suite document, in its order, evaluated by Great Expectations on a parsed file's rows."""
    return validate_frame(parsed.rows.select("location", "measure", "ts", "value"), suite_path)


def validate_frame(frame: pl.DataFrame, suite_path: Path) -> tuple[ExpectationResult, ...]:
    """The same on any frame, such as a mart."""
    # Seconds to import: paid by those who ask for it, not by ingestion. Its types are loose, so it is Any here.
    gx: Any = importlib.import_module("great_expectations")

    document: dict[str, Any] = json.loads(suite_path.read_text(encoding="utf-8"))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # Results come grouped by column: each expectation is told its place, to put them back in the order of the suite.
    placed = [_placed(one, place) for place, one in enumerate(document["expectations"])]
    suite = gx.ExpectationSuite(name=document["name"], expectations=placed)
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
        for result in sorted(results, key=lambda one: one.expectation_config.meta[_PLACE])
    )


def _placed(expectation: dict[str, Any], place: int) -> dict[str, Any]:
    meta: dict[str, Any] = expectation.get("meta") or {}
    return {**expectation, "meta": {**meta, _PLACE: place}}
