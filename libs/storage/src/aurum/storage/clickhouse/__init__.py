"""History once more in ClickHouse, for scans over many series. Only an application's ``wiring`` names these classes."""

from aurum.storage.clickhouse.history import ClickhouseHistory, HistoryMoved
from aurum.storage.clickhouse.pool import ClickhousePool
from aurum.storage.clickhouse.wide import ClickhouseWideScans

__all__ = ["ClickhouseHistory", "ClickhousePool", "ClickhouseWideScans", "HistoryMoved"]
