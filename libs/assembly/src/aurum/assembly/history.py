"""The history tier that settings configure, and its copy for wide scans. Each adapter imports its driver when it is made."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from aurum.common.settings import ClickhouseSettings, HistorySettings, Settings, TrinoSettings
from aurum.common.settings.resilience import ResilienceSettings
from aurum.core.clock import Clock
from aurum.core.errors import Unavailable
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.wide import HistoryCopy


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
