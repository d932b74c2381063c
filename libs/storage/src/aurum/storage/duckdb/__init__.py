"""DuckDB, the engine of one machine: what is kept in its files and in Parquet."""
