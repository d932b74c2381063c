"""Databases of one embedded server for tests, and a server that does not wait for the disk to make them quickly."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import asyncpg

from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.embedded.postmaster import Postmaster

# What a crash of the machine would lose, no test reads: a process that is killed loses nothing.
_WITHOUT_DISK = "fsync = off\nfull_page_writes = off\n"


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
