"""History in an Iceberg table: written through its catalog, read and maintained by Trino."""

from aurum.storage.trino.errors import TrinoAway, TrinoUnavailable
from aurum.storage.trino.history import TrinoHistory
from aurum.storage.trino.pool import TrinoPool

__all__ = ["TrinoAway", "TrinoHistory", "TrinoPool", "TrinoUnavailable"]
