"""Writes the declared sources and datasets, and the shipped block definitions, into the catalog."""

from __future__ import annotations

from aurum.core.calendars import default_blocks
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Dataset, PublicationSchedule
from aurum.storage.ports.catalog import CatalogWriter


async def declare_catalog(registry: Registry, writer: CatalogWriter) -> None:
    """Write every source, dataset and shipped block of this version into the catalog; existing entries are replaced."""
    await writer.declare(
        sources=[SourceEntry(source.name, source.title, source.homepage, source.terms) for source in registry.sources],
        datasets=[_entry(dataset) for source in registry.sources for dataset in source.datasets],
        blocks=[block.to_document() for block in default_blocks()],
    )


def _entry(dataset: Dataset) -> DatasetEntry:
    return DatasetEntry(
        source=dataset.source,
        name=dataset.name,
        title=dataset.title,
        zone=dataset.zone,
        frequency=str(dataset.frequency),
        measures=tuple({"name": measure.name, "unit": measure.unit, "title": measure.title} for measure in dataset.measures),
        market=dataset.market,
        reference=dataset.reference,
        schedule=_schedule_text(dataset.schedule),
        freshness_hours=dataset.freshness_hours,
    )


def _schedule_text(schedule: PublicationSchedule | None) -> str:
    if schedule is None:
        return ""
    day = {0: "on the day", -1: "on the day before", 1: "on the day after"}.get(schedule.days, f"{schedule.days:+d} days")
    return f"{schedule.at:%H:%M} {schedule.zone} {day}"
