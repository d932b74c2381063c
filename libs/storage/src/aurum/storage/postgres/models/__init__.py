"""Models on PostgreSQL: their log, their marts and their inputs."""
