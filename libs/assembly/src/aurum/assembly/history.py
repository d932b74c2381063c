"""The history tier that settings configure, and its copy for wide scans. Each adapter imports its driver when it is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from aurum.common.settings import ClickhouseSettings, HistorySettings, Settings, TrinoSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.asof import Span
from aurum.core.clock import Clock
from aurum.core.errors import Unavailable
from aurum.storage.ports.history import ArchivedPart, HistoryStore
from aurum.storage.ports.wide import HistoryCopy, WideScans

if TYPE_CHECKING:
    import polars as pl


class DriverNotInstalled(Unavailable):
    """The settings need a driver that is not installed. Facts: ``extra``, the extra to install."""


@asynccontextmanager
async def copy_of(settings: ClickhouseSettings, resilience: ResilienceSettings) -> AsyncGenerator[HistoryCopy | None]:
    """Open the copy of history that settings configure, for the length of the block; None if they configure none.

    Raises ``DriverNotInstalled``, ``Unavailable``.
    """
    if not settings.is_set:
        yield None
        return
    try:
        from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, ClickhouseWideScans
    except ModuleNotFoundError as error:
        raise DriverNotInstalled(
            "AURUM_CLICKHOUSE__* needs the extra clickhouse: install aurum-storage[clickhouse]", extra="clickhouse"
        ) from error
    pool = await ClickhousePool.open(settings, resilience)
    try:
        yield HistoryCopy(ClickhouseHistory(pool), ClickhouseWideScans(pool))
    finally:
        await pool.close()


class CopyScans:
    """``WideScans`` that connects at the first scan, so that the store opens even while the copy is unavailable."""

    def __init__(self, settings: ClickhouseSettings, resilience: ResilienceSettings) -> None:
        self._settings = settings
        self._resilience = resilience
        self._opening = asyncio.Lock()
        self._connections = AsyncExitStack()
        self._scans: WideScans | None = None

    async def partials(self, parts: Sequence[ArchivedPart], *, span: Span) -> pl.DataFrame:
        return await (await self._connected()).partials(parts, span=span)

    async def missing(self, parts: Sequence[ArchivedPart]) -> Sequence[ArchivedPart]:
        return await (await self._connected()).missing(parts)

    async def close(self) -> None:
        """Close the connections, if any were opened."""
        await self._connections.aclose()

    async def _connected(self) -> WideScans:
        async with self._opening:
            if self._scans is None:
                copy = await self._connections.enter_async_context(copy_of(self._settings, self._resilience))
                if copy is None:
                    raise ValueError("ClickhouseSettings.url or .folder is needed to scan a copy")
                self._scans = copy.scans
            return self._scans


def history_of(settings: Settings, clock: Clock) -> HistoryStore | None:
    """Return the history that settings configure; None for ``AURUM_HISTORY__TIER=none``. The caller closes it.

    It connects at the first use. Raises ``DriverNotInstalled``.
    """
    match settings.history.tier:
        case "none":
            return None
        case "trino":
            return _in_iceberg(settings.trino, settings.resilience)
        case "duckdb":
            return _in_parquet(settings.history, settings.data_dir, clock)


def iceberg_of(settings: HistorySettings, trino: TrinoSettings) -> tuple[str, str] | None:
    """Return the Trino catalog and schema of archived months; None if history is not in Trino."""
    return (trino.catalog, trino.schema_) if settings.tier == "trino" else None


def _in_iceberg(settings: TrinoSettings, resilience: ResilienceSettings) -> HistoryStore:
    try:
        from aurum.storage.trino import TrinoHistory, TrinoPool
    except ModuleNotFoundError as error:
        raise DriverNotInstalled(
            "AURUM_HISTORY__TIER=trino needs the extra trino: install aurum-storage[trino]", extra="trino"
        ) from error
    return TrinoHistory(TrinoPool(settings, resilience))


def _in_parquet(settings: HistorySettings, data_dir: Path, clock: Clock) -> HistoryStore:
    from aurum.storage.duckdb import DuckdbHistory
    from aurum.storage.duckdb.bucket import history_files_at

    return DuckdbHistory(
        history_files_at(settings.url or str(data_dir / "history")),
        clock,
        threads=settings.pool_size,
        memory=settings.memory,
        grace=timedelta(seconds=settings.grace_s),
    )
