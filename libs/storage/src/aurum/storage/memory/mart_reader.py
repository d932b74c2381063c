"""Marts given as frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from aurum.storage.ports.marts import UnknownMart


class MemoryMartReader:
    """``MartReader`` over frames of one process, by name; they are as the port says."""

    def __init__(self, marts: Mapping[str, pl.DataFrame]) -> None:
        self._marts = marts

    async def frame(self, mart: str, *, columns: Collection[str]) -> pl.DataFrame:
        if mart not in self._marts:
            raise UnknownMart(f"no mart {mart}", mart=mart)
        found = self._marts[mart]
        return found.select([name for name in found.columns if name in columns])
