"""Models on PostgreSQL: their log, their marts, the tables they read."""
