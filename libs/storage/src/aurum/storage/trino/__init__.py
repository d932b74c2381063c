"""History in Iceberg tables: written through their catalog, read and kept by Trino."""

from aurum.storage.trino.errors import TrinoAway, TrinoUnavailable
from aurum.storage.trino.history import TrinoHistory
from aurum.storage.trino.pool import TrinoPool

__all__ = ["TrinoAway", "TrinoHistory", "TrinoPool", "TrinoUnavailable"]
