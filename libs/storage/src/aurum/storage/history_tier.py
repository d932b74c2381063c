"""The history that settings name, for every application's wiring. Drivers are loaded by the adapter that needs them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from aurum.common.settings import HistorySettings, TrinoSettings
from aurum.core.clock import Clock
from aurum.core.errors import Unavailable
from aurum.storage.ports.history import HistoryStore


class DriverNotInstalled(Unavailable):
    """What settings name needs a driver that this installation was made without. Facts: ``extra``."""


def history_of(settings: HistorySettings, trino: TrinoSettings, data_dir: Path, clock: Clock) -> HistoryStore | None:
    """None where this process has no history. Nothing is opened or made yet; the caller closes it.

    Raises ``DriverNotInstalled``.
    """
    match settings.tier:
        case "none":
            return None
        case "trino":
            return _in_iceberg(trino)
        case "duckdb":
            return _in_parquet(settings, data_dir, clock)


def _in_iceberg(settings: TrinoSettings) -> HistoryStore:
    try:
        from aurum.storage.trino import TrinoHistory, TrinoPool
    except ModuleNotFoundError as error:
        raise DriverNotInstalled("AURUM_HISTORY__TIER=trino needs the extra aurum-storage[trino]", extra="trino") from error
    return TrinoHistory(TrinoPool(settings))


def _in_parquet(settings: HistorySettings, data_dir: Path, clock: Clock) -> HistoryStore:
    from aurum.storage.duckdb import DuckdbHistory
    from aurum.storage.duckdb.bucket import shelf_of

    return DuckdbHistory(
        shelf_of(settings.url or str(data_dir / "history")),
        clock,
        threads=settings.pool_size,
        memory=settings.memory,
        grace=timedelta(seconds=settings.grace_s),
    )
