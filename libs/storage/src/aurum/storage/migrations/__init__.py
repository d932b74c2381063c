"""Migrations: Alembic, run from code so that every command and test uses the same path."""

from aurum.storage.migrations.run import MigrationStatus, status, upgrade

__all__ = ["MigrationStatus", "status", "upgrade"]
