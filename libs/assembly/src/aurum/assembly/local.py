"""The store of a command: on the server that settings name, otherwise on the embedded server of the data directory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from aurum.assembly.postgres import open_store
from aurum.assembly.store import Store
from aurum.common.settings import DatabaseSettings, Settings
from aurum.core.errors import Unavailable
from aurum.storage import embedded
from aurum.storage.migrations.compatibility import UnusableSchema, is_older
from aurum.storage.migrations.head import newest_revision
from aurum.storage.migrations.installed import installed_revision


@asynccontextmanager
async def open_local_store(settings: Settings) -> AsyncGenerator[Store]:
    """Open the store for the length of the block.

    An embedded server is started if it does not run, and migrated. A server that settings name is never migrated here.
    Raises ``Unavailable`` with one line that says what to change.
    """
    is_embedded = settings.database.url is None
    with embedded.database(settings.database, settings.data_dir) as database:
        async with AsyncExitStack() as stack:
            try:
                if is_embedded:
                    await _migrate(settings, database)
                store = await stack.enter_async_context(open_store(settings, database=database))
            except UnusableSchema:
                raise
            except Unavailable as error:
                if is_embedded:
                    raise
                text = f"{error.operator_detail}: check AURUM_DATABASE__URL"
                raise Unavailable(text, retry_after=error.retry_after) from error
            yield store


async def _migrate(settings: Settings, database: DatabaseSettings) -> None:
    if is_older(await installed_revision(database.url or ""), newest_revision()):
        from aurum.assembly.upgrade import upgrade_store  # Alembic takes half a second, which most commands save

        await upgrade_store(settings, database.url or "")
