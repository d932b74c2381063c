"""Migrates a database to the newest schema while it is in use, and reports the state of its schema."""

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
from aurum.storage.postgres.connection.errors import connecting, driver_errors

_HERE = Path(__file__).parent
_LOCK = 0x41555255  # "AURU": processes that migrate at once run one after the other
_POLL_INTERVAL_S = 0.2
_ATTEMPTS = 5
_PAUSE_S = 1.0


class TablesInUse(Unavailable):
    """A migration did not get its locks in time: other transactions hold them for longer than it may block the table."""


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """The revision of a database (None: never migrated), its floor, and the newest revision of this code."""

    current: str | None
    head: str
    floor: str | None = None

    @property
    def is_current(self) -> bool:
        """Whether the database has all migrations of this code; a newer schema has them."""
        return not is_older(self.current, self.head)

    @property
    def is_ahead(self) -> bool:
        """Whether the database has migrations of a newer release."""
        return is_older(self.head, self.current or "0")


async def upgrade(url: str, *, versions: Path = VERSIONS, pause_s: float = _PAUSE_S) -> MigrationStatus:
    """Apply the missing migrations, each in a separate transaction; a second call does nothing.

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
    """Return the state of the schema of a database. Raises ``DatabaseUnavailable``."""
    async with _connected(url) as (_, driver):
        return _status(await read_schema(driver), newest_revision(versions))


def _status(schema: InstalledSchema, head: str) -> MigrationStatus:
    return MigrationStatus(current=schema.revision, head=head, floor=schema.floor)


def _refuse_older_code(schema: InstalledSchema, head: str) -> None:
    # Missing migrations will be applied, so the only requirement is that the floor of the schema accepts this code.
    if schema.revision is not None and (problem := mismatch(schema, needs="0", head=head)) is not None:
        raise UnusableSchema(problem.detail)


async def _lock_out_other_migrators(driver: asyncpg.Connection) -> None:
    # The session holds the lock until its connection ends. The lock is polled because a waiting statement has a snapshot, and a
    # migration that creates an index concurrently waits for all older snapshots: each would wait for the other.
    while not await driver.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 - held by another process
        await asyncio.sleep(_POLL_INTERVAL_S)


def _missing(revision: str | None, versions: Path) -> list[Script]:
    scripts = ScriptDirectory.from_config(_config(versions)).walk_revisions()
    return [script for script in reversed(list(scripts)) if is_older(revision, script.revision)]


async def _apply(connection: AsyncConnection, script: Script, versions: Path, pause_s: float) -> None:
    lock_timeout: str = getattr(script.module, "lock_timeout", "0")

    def run(connection: Connection) -> None:
        connection.execute(text("SELECT set_config('lock_timeout', :timeout, false)"), {"timeout": lock_timeout})
        connection.commit()
        config = _config(versions)
        config.attributes["connection"] = connection
        command.upgrade(config, script.revision)

    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            await connection.run_sync(run)
        except DBAPIError as error:
            await connection.rollback()
            if not _is_lock_timeout(error):
                raise
            if not attempts_left:
                raise TablesInUse(
                    f"migration {script.revision} waited {lock_timeout} for a lock, {_ATTEMPTS} times: end long transactions, "
                    "then run `aurum db migrate` again"
                ) from error
            # Statements that queued behind the requested lock run first.
            await asyncio.sleep(pause_s)
        else:
            return


def _is_lock_timeout(error: DBAPIError) -> bool:
    return error.orig is not None and isinstance(error.orig.__cause__, asyncpg.LockNotAvailableError)


@contextmanager
def _unwrapped() -> Generator[None]:
    """Raise errors of the driver that SQLAlchemy has wrapped as the driver raised them."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if cause is None:
            raise
        raise cause from error


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[tuple[AsyncConnection, asyncpg.Connection]]:
    """Return one session, as a connection of SQLAlchemy and as one of the driver."""
    with driver_errors(), _unwrapped():
        with connecting(url):
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
