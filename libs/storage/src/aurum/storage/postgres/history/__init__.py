"""The archive log on PostgreSQL."""
