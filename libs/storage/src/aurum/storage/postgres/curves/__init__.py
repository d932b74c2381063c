"""Products, their reference documents and their quotes on PostgreSQL."""
