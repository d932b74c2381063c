"""The history that settings name, and its copy. Each adapter loads its driver when it is needed."""

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
    """What settings name needs a driver that this installation was made without. Facts: ``extra``."""


@asynccontextmanager
async def copy_of(settings: ClickhouseSettings, resilience: ResilienceSettings) -> AsyncGenerator[HistoryCopy | None]:
    """The copy that settings name, for the length of the block; None where they name none.

    Raises ``DriverNotInstalled``, ``Unavailable``.
    """
    if not settings.is_set:
        yield None
        return
    try:
        from aurum.storage.clickhouse import ClickhouseHistory, ClickhousePool, ClickhouseWideScans
    except ModuleNotFoundError as error:
        raise DriverNotInstalled("AURUM_CLICKHOUSE__* needs the extra aurum-storage[clickhouse]", extra="clickhouse") from error
    pool = await ClickhousePool.open(settings, resilience)
    try:
        yield HistoryCopy(ClickhouseHistory(pool), ClickhouseWideScans(pool))
    finally:
        await pool.close()


def history_of(settings: Settings, clock: Clock) -> HistoryStore | None:
    """Return the history that settings name; None where this process has none. Nothing is opened yet; the caller closes it.

    Raises ``DriverNotInstalled``.
    """
    match settings.history.tier:
        case "none":
            return None
        case "trino":
            return _in_iceberg(settings.trino, settings.resilience)
        case "duckdb":
            return _in_parquet(settings.history, settings.data_dir, clock)


def iceberg_of(settings: HistorySettings, trino: TrinoSettings) -> tuple[str, str] | None:
    """Catalog and schema of archived months in Trino; None where they are elsewhere."""
    return (trino.catalog, trino.schema_) if settings.tier == "trino" else None


def _in_iceberg(settings: TrinoSettings, resilience: ResilienceSettings) -> HistoryStore:
    try:
        from aurum.storage.trino import TrinoHistory, TrinoPool
    except ModuleNotFoundError as error:
        raise DriverNotInstalled("AURUM_HISTORY__TIER=trino needs the extra aurum-storage[trino]", extra="trino") from error
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
