"""Migration of a store to the schema of this release."""

from __future__ import annotations

from aurum.assembly.history import history_of
from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, Settings
from aurum.storage.migrations.run import MigrationStatus, upgrade
from aurum.storage.migrations.unarchive import restore_rewritten, without_archive_runs
from aurum.storage.postgres.catalog.writer import PostgresCatalogWriter
from aurum.storage.postgres.connection.pool import PostgresPool


async def upgrade_store(settings: Settings, url: str) -> MigrationStatus:
    """Apply the missing migrations, and write the words of series that a search reads where they are missing or outdated.

    Archived months whose rows a migration rewrites are first brought back from history.

    Archive runs are excluded meanwhile. Raises the errors of ``storage.migrations.run.upgrade``, ``ArchiveRunning``,
    ``HistoryNotConfigured`` and the errors of the history store.
    """
    async with without_archive_runs(url):
        await restore_rewritten(url, lambda: history_of(settings, SystemClock()))
        status = await upgrade(url)
    if not status.is_ahead:
        pool = await PostgresPool.open(DatabaseSettings(url=url))
        try:
            await PostgresCatalogWriter(pool).refresh_search()
        finally:
            await pool.close()
    return status
