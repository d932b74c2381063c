"""Databases of one embedded server for tests, and a server that does not wait for the disk to make them quickly."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.embedded.postmaster import Postmaster

# What a crash of the machine would lose, no test reads: a process that is killed loses nothing.
_WITHOUT_DISK = "fsync = off\nfull_page_writes = off\nmax_wal_size = '256MB'\n"
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder of one server is made below it, with a name of its own
_ROOM: Final = 4 * 1024**3
"""Bytes that have to be free there before a server is put into memory; the servers of all tests take less than half of it."""


@contextmanager
def server_folder() -> Generator[Path]:
    """Make a folder for a server, and delete it afterwards: in memory where there is room, else among the temporary files.

    A copy of a database is 1,600 small files. On a busy disk they take ten times as long.
    """
    # Not below pytest's temporary folder, whose name would make the path of the socket longer than allowed.
    folder = Path(tempfile.mkdtemp(prefix="aurum-pg-", dir=_IN_MEMORY if _has_room() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_room() -> bool:
    return _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _ROOM


def stop_waiting_for_the_disk(folder: Path) -> None:
    """Change the running server of a folder so that it does not wait until its files are on disk: a database costs a fifth."""
    data = folder / "postgres"
    with (data / "aurum.conf").open("a") as configuration:
        configuration.write(_WITHOUT_DISK)
    server = Postmaster.of(data)
    assert server is not None, f"no server runs over {folder}"
    os.kill(server.pid, signal.SIGHUP)


async def create_database(server: EmbeddedPostgres, name: str, template: str) -> str:
    """Create a copy of a database that has no connections, and return its URL."""
    # Files are copied as they are: with fsync off that is five times as fast as the default, which writes each page to the WAL.
    await execute(server.url_of("postgres"), f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return server.url_of(name)


async def drop_database(server: EmbeddedPostgres, name: str) -> None:
    """Drop a database and end its connections."""
    await execute(server.url_of("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


async def execute(url: str, statement: str, *arguments: object) -> None:
    """Run a statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()
