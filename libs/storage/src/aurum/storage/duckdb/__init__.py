"""History as Parquet files in a folder or bucket, read by DuckDB. Only ``aurum.assembly`` names these classes.

DuckDB is imported with the first read: a process that reads no archived months does not load it.
"""

from aurum.storage.duckdb.history import DuckdbHistory

__all__ = ["DuckdbHistory"]
