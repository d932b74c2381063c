"""A copy of history in ClickHouse, for scans over many series. Only ``aurum.assembly`` names these classes."""

from aurum.storage.clickhouse.history import ClickhouseHistory, HistoryChanged
from aurum.storage.clickhouse.pool import ClickhousePool
from aurum.storage.clickhouse.wide import ClickhouseWideScans

__all__ = ["ClickhouseHistory", "ClickhousePool", "ClickhouseWideScans", "HistoryChanged"]
