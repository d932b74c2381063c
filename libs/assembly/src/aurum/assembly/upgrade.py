"""Migration of a store to the schema of this release."""

from __future__ import annotations

from aurum.assembly.history import history_of
from aurum.common.clock import SystemClock
from aurum.common.settings import Settings
from aurum.storage.migrations.run import MigrationStatus, upgrade
from aurum.storage.migrations.unarchive import restore_rewritten, without_archive_runs


async def upgrade_store(settings: Settings, url: str) -> MigrationStatus:
    """Apply the missing migrations. Archived months whose rows one of them rewrites are first brought back from history.

    Archive runs are excluded meanwhile. Raises the errors of ``storage.migrations.run.upgrade``, ``ArchiveRunning``,
    ``HistoryNotConfigured`` and the errors of the history store.
    """
    async with without_archive_runs(url):
        await restore_rewritten(url, lambda: history_of(settings, SystemClock()))
        return await upgrade(url)
