"""Brings a database to the newest schema, or says how far it is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from aurum.storage.postgres.connection.errors import driver_errors

T = TypeVar("T")

_HERE = Path(__file__).parent
_LOCK = 0x41555255  # "AURU": two processes that migrate at once do it one after the other


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """The revision a database is at (None: never migrated) and the newest there is."""

    current: str | None
    head: str

    @property
    def is_current(self) -> bool:
        return self.current == self.head


async def upgrade(url: str) -> MigrationStatus:
    """Migrate to the newest revision; a second call does nothing. Raises ``DatabaseUnavailable``."""

    def run(connection: Connection) -> None:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    await _in_transaction(url, run)
    return await status(url)


async def status(url: str) -> MigrationStatus:
    """Where the database is. Raises ``DatabaseUnavailable``."""
    current = await _in_transaction(url, lambda connection: MigrationContext.configure(connection).get_current_revision())
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationStatus(current=current, head=head or "")


async def _in_transaction(url: str, action: Callable[[Connection], T]) -> T:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url, timeout=10, server_settings={"application_name": "aurum migrate"})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        with driver_errors(), _from_sqlalchemy():
            async with engine.begin() as connection:
                return await connection.run_sync(action)
    finally:
        await engine.dispose()


@contextmanager
def _from_sqlalchemy() -> Generator[None]:
    """Errors of the driver that SQLAlchemy has wrapped, as the driver raised them."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if cause is None:
            raise
        raise cause from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    return config
