"""History as Parquet files in a folder or bucket, read by DuckDB. Only an application's ``wiring`` names these classes.

DuckDB itself is loaded with the first read: a process that reads nothing archived does not hold it.
"""

from aurum.storage.duckdb.history import DuckdbHistory

__all__ = ["DuckdbHistory"]
