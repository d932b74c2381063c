"""Partials in memory: worked out of the rows, for tests of what is built on them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from aurum.core.asof import Span
from aurum.core.series import buckets_in, partials
from aurum.storage.memory.series_reader import MemorySeriesReader
from aurum.storage.memory.state import MemoryState
from aurum.storage.ports.capabilities import Capability


class MemoryPartialsReader:
    """``PartialsReader`` in memory."""

    def __init__(self, state: MemoryState) -> None:
        self._rows = MemorySeriesReader(state)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.PARTIALS})

    async def partials(self, series_ids: Sequence[int], *, span: Span) -> pl.DataFrame:
        return partials(await self._rows.many(series_ids, span=buckets_in(span)))
