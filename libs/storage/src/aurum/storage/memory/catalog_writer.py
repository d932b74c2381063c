"""Declares sources, datasets and blocks; said again, it replaces."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from aurum.storage.memory.state import MemoryState


class MemoryCatalogWriter:
    """``CatalogWriter`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def declare(
        self,
        *,
        sources: Sequence[SourceEntry],
        datasets: Sequence[DatasetEntry],
        blocks: Sequence[Mapping[str, object]],
    ) -> None:
        state = self._state
        # Documents are kept as a database gives them back: JSON values of their own, tuples as lists.
        documents = [json.loads(json.dumps(dict(block))) for block in blocks]
        state.sources.update({entry.name: entry for entry in sources})
        for entry in datasets:
            measures = tuple(dict(measure) for measure in entry.measures)
            state.datasets[entry.source, entry.name] = replace(entry, measures=measures)
        for document in documents:
            name = (document["calendar"], document["name"])
            if name not in state.changed_blocks:
                state.blocks[name] = document
