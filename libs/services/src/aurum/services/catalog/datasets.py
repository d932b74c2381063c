"""Datasets: with the time of the newest observation, and with what a list of all of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aurum.core.catalog.entries import DatasetEntry, DatasetExtent, SourceEntry
from aurum.core.errors import UnknownName
from aurum.core.names import nearest
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.quality import QualityLog


@dataclass(frozen=True, slots=True)
class DatasetReach:
    """A dataset and how far it reaches. ``newest_ts``: its newest observation, UTC; None without any."""

    entry: DatasetEntry
    newest_ts: datetime | None


@dataclass(frozen=True, slots=True)
class ListedDataset:
    """A dataset, its extent in the store, and its publisher."""

    entry: DatasetEntry
    extent: DatasetExtent
    publisher: SourceEntry


async def listed_datasets(catalog: Catalog, *, source: str | None = None) -> Sequence[ListedDataset]:
    """Return the datasets of one source or of all, ascending by source and name."""
    publishers = {entry.name: entry for entry in await catalog.sources()}
    extents = await catalog.dataset_extents()
    return [
        ListedDataset(
            entry,
            extents.get((entry.source, entry.name), DatasetExtent(0, None, None)),
            publishers.get(entry.source) or SourceEntry(entry.source, "", ""),
        )
        for entry in await catalog.datasets(source=source)
    ]


async def source_datasets(catalog: Catalog, quality: QualityLog, source: str, *, now: datetime) -> Sequence[DatasetReach]:
    """Return the datasets of a source by name."""
    entries = await catalog.datasets(source=source)
    newest = {state.dataset: state.newest_ts for state in await quality.datasets_quality(now=now, source=source)}
    return [DatasetReach(entry, newest.get(entry.name)) for entry in entries]


async def source_dataset(catalog: Catalog, quality: QualityLog, source: str, name: str, *, now: datetime) -> DatasetReach:
    """Return one dataset of a source. Raises ``UnknownName`` with the nearest names."""
    by_name = {reach.entry.name: reach for reach in await source_datasets(catalog, quality, source, now=now)}
    if name not in by_name:
        raise UnknownName("dataset", name, nearest(name, by_name))
    return by_name[name]
