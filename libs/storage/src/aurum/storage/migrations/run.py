"""Brings a database to the newest schema while it is in use, or says how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from aurum.core.errors import Unavailable
from aurum.storage.migrations.compatibility import InstalledSchema, UnusableSchema, is_older, mismatch
from aurum.storage.migrations.head import VERSIONS, newest_revision
from aurum.storage.migrations.installed import read_schema
from aurum.storage.postgres.connection.errors import driver_errors

_HERE = Path(__file__).parent
_LOCK = 0x41555255  # "AURU": two processes that migrate at once do it one after the other
_POLL_S = 0.2
_TRIES = 5
_PAUSE_S = 1.0


class TablesInUse(Unavailable):
    """A migration did not get its locks: somebody holds them for longer than others may be held up."""


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """The revision a database is at (None: never migrated), its floor, and the newest revision that this code brings."""

    current: str | None
    head: str
    floor: str | None = None

    @property
    def is_current(self) -> bool:
        """Whether no migration of this code is missing; a newer schema has them all."""
        return not is_older(self.current, self.head)

    @property
    def is_ahead(self) -> bool:
        """Whether the database has migrations that a newer release brought."""
        return is_older(self.head, self.current or "0")


async def upgrade(url: str, *, versions: Path = VERSIONS, pause_s: float = _PAUSE_S) -> MigrationStatus:
    """Apply the migrations that are missing, each in a transaction of its own; a second call does nothing.

    ``versions``: the folder of migrations. ``pause_s``: the wait before a migration that did not get its locks is tried again.
    Raises ``DatabaseUnavailable``, ``UnusableSchema`` when the schema is too new for this code, ``TablesInUse``.
    """
    head = newest_revision(versions)
    async with _connected(url) as (connection, driver):
        await _lock_out_other_migrators(driver)
        schema = await read_schema(driver)
        _refuse_older_code(schema, head)
        for script in _missing(schema.revision, versions):
            await _apply(connection, script, versions, pause_s)
        return _status(await read_schema(driver), head)


async def status(url: str, *, versions: Path = VERSIONS) -> MigrationStatus:
    """Where the database is. Raises ``DatabaseUnavailable``."""
    async with _connected(url) as (_, driver):
        return _status(await read_schema(driver), newest_revision(versions))


def _status(schema: InstalledSchema, head: str) -> MigrationStatus:
    return MigrationStatus(current=schema.revision, head=head, floor=schema.floor)


def _refuse_older_code(schema: InstalledSchema, head: str) -> None:
    # Whatever is missing will be applied, so nothing is needed of the schema but that it allows this code.
    if schema.revision is not None and (found := mismatch(schema, needs="0", head=head)) is not None:
        raise UnusableSchema(found.detail)


async def _lock_out_other_migrators(driver: asyncpg.Connection) -> None:
    # Held by the session, until its connection ends. Polled, because a statement that waits for the lock has a snapshot, and a
    # migrator that builds an index concurrently waits for all older snapshots: each would wait for the other.
    while not await driver.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 - held by another process
        await asyncio.sleep(_POLL_S)


def _missing(revision: str | None, versions: Path) -> list[Script]:
    scripts = ScriptDirectory.from_config(_config(versions)).walk_revisions()
    return [script for script in reversed(list(scripts)) if is_older(revision, script.revision)]


async def _apply(connection: AsyncConnection, script: Script, versions: Path, pause_s: float) -> None:
    bound: str = getattr(script.module, "lock_timeout", "0")

    def run(connection: Connection) -> None:
        connection.execute(text("SELECT set_config('lock_timeout', :bound, false)"), {"bound": bound})
        connection.commit()
        config = _config(versions)
        config.attributes["connection"] = connection
        command.upgrade(config, script.revision)

    for tries_left in reversed(range(_TRIES)):
        try:
            await connection.run_sync(run)
        except DBAPIError as error:
            await connection.rollback()
            if not _is_lock_timeout(error):
                raise
            if not tries_left:
                raise TablesInUse(
                    f"migration {script.revision} waited {bound} for a lock, {_TRIES} times: end long transactions, "
                    "then run `aurum db migrate` again"
                ) from error
            # Whoever queued behind the lock that was wanted goes first.
            await asyncio.sleep(pause_s)
        else:
            return


def _is_lock_timeout(error: DBAPIError) -> bool:
    return error.orig is not None and isinstance(error.orig.__cause__, asyncpg.LockNotAvailableError)


@contextmanager
def _unwrapped() -> Generator[None]:
    """Errors of the driver that SQLAlchemy has wrapped, as the driver raised them."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if cause is None:
            raise
        raise cause from error


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[tuple[AsyncConnection, asyncpg.Connection]]:
    """One session, as SQLAlchemy and as the driver see it."""
    with driver_errors(), _unwrapped():
        driver = await asyncpg.connect(url, timeout=10, server_settings={"application_name": "aurum migrate"})

        async def connect() -> asyncpg.Connection:
            return driver

        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                await connection.get_raw_connection()
                yield connection, driver
        finally:
            await engine.dispose()
            await driver.close()


def _config(versions: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions))
    return config
