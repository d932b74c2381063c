"""The history that settings name, for every application's wiring. Drivers are loaded by the adapter that needs them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from aurum.common.settings import HistorySettings
from aurum.core.clock import Clock
from aurum.storage.ports.history import HistoryStore


def history_of(settings: HistorySettings, data_dir: Path, clock: Clock) -> HistoryStore | None:
    """None where this process has no history. Nothing is opened or made yet; the caller closes it."""
    if settings.tier == "none":
        return None
    from aurum.storage.duckdb import DuckdbHistory
    from aurum.storage.duckdb.bucket import shelf_of

    return DuckdbHistory(
        shelf_of(settings.url or str(data_dir / "history")),
        clock,
        threads=settings.pool_size,
        memory=settings.memory,
        grace=timedelta(seconds=settings.grace_s),
    )
