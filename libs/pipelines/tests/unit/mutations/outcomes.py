"""Runs a file through what ingestion does before it stores, and compares what would be stored with the undamaged sample."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

import polars as pl

from aurum.core.catalog import Quality
from aurum.core.curves.quotes import FIELDS
from aurum.pipelines.named_content import hold_to_name
from aurum.pipelines.quality.checks import check_parts
from aurum.pipelines.quality.quotes import QuoteGateResult
from aurum.pipelines.quality.suites import Suites
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import RefusedFile, SourceFile
from aurum.pipelines.testing.samples import Sample

EXPECTATIONS = Path(__file__).resolve().parents[5] / "contracts" / "expectations"

Stored = Mapping[tuple[str, str, str, datetime], float]
"""Value by dataset, location, measure and instant."""


_NO_DAY = "both days exist, and neither the name nor the layout says which is meant"
_SHORT = timedelta(days=31)
_ONE_UNIT = "two columns of one unit, whose numbers could be either"
_ADDED_ALIKE = "congestion and losses add up to the same total either way"
_ONE_PLACE = "prices of one location: what is one number at all locations does not show"
_OF_PLACES = (
    "total and a component exchanged under their headers",
    "energy price and a component exchanged under their headers",
)


class Outcome(StrEnum):
    RIGHT = "right"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    SILENT = "silent"
    CRASH = "crash"


def undetectable(registry: Registry, sample: Sample, mutation: str) -> str | None:
    """Return why neither the file, nor its name, nor what is stored can tell a damage; None where something must."""
    if mutation == "two numbers of a unit exchanged under their headers":
        return _ADDED_ALIKE if sample.total is not None else _ONE_UNIT
    if mutation in _OF_PLACES:
        return _ONE_PLACE if len(sample.ids) <= 1 else None
    if mutation != "day and month exchanged":
        return None
    document = SourceFile(sample.name, sample.content)
    named = registry.recognise(document)[1].named(document)
    says_day = named is not None and named.first is not None and named.last is not None and named.last - named.first < _SHORT
    return None if says_day else _NO_DAY


def run(registry: Registry, suites: Suites, document: SourceFile) -> tuple[Stored, int]:
    """Return what would be stored, without suspect values, and the number of rows held back. Raises ``RefusedFile``."""
    source, file_format = registry.recognise(document)
    parts = hold_to_name(document.name, file_format.named(document), file_format.parse(document))
    stored: dict[tuple[str, str, str, datetime], float] = {}
    held = 0
    results = check_parts(parts, lambda dataset: suites.of(source.name, dataset.name))
    for part, result in zip(parts, results, strict=True):
        if result.refusal:
            raise RefusedFile(result.refusal)
        held += result.quarantine.height
        if isinstance(result, QuoteGateResult):
            stored |= _of_quotes(f"{source.name}:{part.dataset.name}", result.rows)
            continue
        current = result.rows.filter(result.rows["version"] == 0)
        for location, measure, ts, value, quality in current.select(
            "location", "measure", "ts", "value", "quality"
        ).iter_rows():
            if quality < Quality.SUSPECT:
                stored[f"{source.name}:{part.dataset.name}", location, measure, ts] = value
            else:
                held += 1
    return stored, held


def _of_quotes(dataset: str, rows: pl.DataFrame) -> Stored:
    """Return the numbers of quotes: the product with its period in place of a location, the trade date of an instant."""
    names = pl.format("{} {} {}", "curve", "delivery_start", "delivery_end").alias("name")
    long = rows.with_columns(names).unpivot(on=list(FIELDS), index=["name", "trade_date"]).drop_nulls("value")
    return {(dataset, name, field, datetime.combine(day, time(), UTC)): value for name, day, field, value in long.iter_rows()}


def outcome(registry: Registry, suites: Suites, document: SourceFile, reference: Stored) -> Outcome:
    """Return what becomes of a damaged file. A value that is missing without a held-back row counts as silent."""
    try:
        stored, held = run(registry, suites, document)
    except RefusedFile:
        return Outcome.REFUSED
    except Exception:  # noqa: BLE001 - any exception of a parser is a crash, which the table reports
        return Outcome.CRASH
    if any(reference.get(point) != value for point, value in stored.items()):
        return Outcome.SILENT
    if len(stored) == len(reference):
        return Outcome.RIGHT
    return Outcome.QUARANTINED if held else Outcome.SILENT
