"""Writes the seeds of the dbt project (CSV files) from the tables in the code, which are their only source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from aurum.core.catalog import Quality
from aurum.core.curves.product_documents import default_products
from aurum.core.frequency import Frequency
from aurum.core.markettime import MARKETS
from aurum.pipelines.models.meaning import meaning_of
from aurum.pipelines.registry import Registry


def seed_tables(registry: Registry) -> Mapping[str, pl.DataFrame]:
    """Return every seed by name, with String, Int64 and Boolean columns."""
    return {
        "dataset_measure": _measures(registry),
        "frequency": pl.DataFrame(
            [(str(step), int(step.step.total_seconds()) if step.step else None, step.is_calendar) for step in Frequency],
            schema={"frequency": pl.String, "step_seconds": pl.Int64, "is_calendar": pl.Boolean},
            orient="row",
        ),
        "market": pl.DataFrame(
            [(market.code, market.title, market.zone, market.calendar, market.currency) for market in MARKETS.values()],
            schema=["market", "title", "zone", "calendar", "currency"],
            orient="row",
        ),
        "quality_code": pl.DataFrame(
            [(int(quality), quality.label) for quality in Quality if quality.is_stored],
            schema={"quality": pl.Int64, "name": pl.String},
            orient="row",
        ),
        "venue": _venues(),
    }


def write_seeds(registry: Registry, folder: Path) -> list[Path]:
    """Write the seeds whose text has changed and return their paths."""
    changed = outdated_seeds(registry, folder)
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
    return list(changed)


def outdated_seeds(registry: Registry, folder: Path) -> Mapping[Path, str]:
    """Return the seed files that are missing or differ from the tables in the code, with the text each should have."""
    texts = {folder / f"{name}.csv": table.write_csv() for name, table in seed_tables(registry).items()}
    return {path: text for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text}


def _measures(registry: Registry) -> pl.DataFrame:
    rows = [
        (dataset.source, dataset.name, measure.name, str(meaning.family), meaning.role, meaning.variant or None)
        for source in registry.sources
        for dataset in source.datasets
        for measure in dataset.measures
        if (meaning := meaning_of(dataset, measure)) is not None
    ]
    columns = ["source", "dataset", "measure", "family", "role", "variant"]
    return pl.DataFrame(rows, schema=columns, orient="row").sort("source", "dataset", "measure")


def _venues() -> pl.DataFrame:
    """Return the venues of the shipped products; an exchange has sessions, and a broker has none."""
    sessions = {product.key.venue: product.sessions is not None for product in default_products()}
    return pl.DataFrame(sorted(sessions.items()), schema={"venue": pl.String, "is_exchange": pl.Boolean}, orient="row")
