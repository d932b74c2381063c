"""Writes the declared sources and datasets, the shipped block definitions and the shipped products into the store."""

from __future__ import annotations

from collections.abc import Mapping

from aurum.core.calendars import default_blocks
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.core.catalog.places import place_names
from aurum.core.curves.product_documents import default_products
from aurum.pipelines.registry import Registry
from aurum.pipelines.source import Dataset, Source
from aurum.storage.ports.access import Actor
from aurum.storage.ports.catalog import CatalogWriter
from aurum.storage.ports.derived_curves import rebuild_job
from aurum.storage.ports.transaction import Transactions

_RELEASE = Actor("aurum")


async def declare_catalog(registry: Registry, writer: CatalogWriter) -> None:
    """Write every source, dataset and shipped block of this version into the catalog; existing entries are replaced."""
    await writer.declare(
        sources=[SourceEntry(source.name, source.title, source.homepage, source.terms) for source in registry.sources],
        datasets=[_entry(dataset, fetch_of(source, dataset)) for source in registry.sources for dataset in source.datasets],
        blocks=[block.to_document() for block in default_blocks()],
        places=place_names(),
    )


async def declare_products(transactions: Transactions) -> int:
    """Add the shipped products, and replace the terms of those that were not edited; return the number that changed.

    Derived curves that read one of these are stale then, and their jobs are submitted.
    """
    async with transactions.transaction(by=_RELEASE) as tx:
        changed = await tx.curve_reference.declare(default_products())
        for key in changed:
            stale = await tx.derived_curves.terms_changed("key", key, tenant=None)
            await tx.jobs.submit([rebuild_job(curve) for curve in stale])
        return len(changed)


def publication_of(dataset: Dataset) -> tuple[dict[str, object], ...]:
    """Return the rules of a dataset as documents: ``rule`` in words, ``source``, ``evidence``, and the series it holds for."""
    return tuple(
        {
            "rule": str(rule),
            "source": rule.source,
            "evidence": str(rule.evidence),
            "measures": list(rule.measures),
            "locations": list(rule.locations),
            "per_issue": rule.per_issue,
        }
        for rule in dataset.rules
    )


def schedule_of(dataset: Dataset) -> str:
    """Return the usual publication times of a dataset in words; empty for none. They name no series."""
    return "; ".join(dict.fromkeys(str(rule) for rule in dataset.rules))


def fetch_of(source: Source, dataset: Dataset) -> dict[str, object] | None:
    """Return how the public files of a dataset are fetched: ``granularity``, ``needs`` (the name of a key without which nothing
    is fetched, or None) and ``manual``; None for a dataset without public files.
    """
    files = source.public_files(dataset.name)
    if files is None:
        return None
    needs = files.needs.name if files.needs is not None and files.keyless is None else None
    return {"granularity": str(files.granularity), "needs": needs, "manual": files.manual}


def _entry(dataset: Dataset, fetch: Mapping[str, object] | None) -> DatasetEntry:
    return DatasetEntry(
        source=dataset.source,
        name=dataset.name,
        title=dataset.title,
        zone=dataset.zone,
        frequency=str(dataset.frequency),
        measures=tuple({"name": measure.name, "unit": measure.unit, "title": measure.title} for measure in dataset.measures),
        market=dataset.market,
        reference=dataset.reference,
        schedule=schedule_of(dataset),
        freshness_hours=dataset.freshness_hours,
        publication=publication_of(dataset),
        is_forecast=dataset.is_forecast,
        details=dataset.details,
        order=dataset.search_order,
        fetch=fetch,
    )
