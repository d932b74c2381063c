"""Faults of connections that a test causes from another process."""

from __future__ import annotations

import subprocess
import sys

_CUT = """
import asyncio, sys, asyncpg

async def cut(url):
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    await connection.close()

asyncio.run(cut(sys.argv[1]))
"""


def cut_connections(url: str) -> None:
    """Let the server end all connections to a database.

    The call blocks and runs in another process, so the event loop of the caller notices nothing before its next use of a
    connection.
    """
    subprocess.run([sys.executable, "-c", _CUT, url], check=True, timeout=60)  # noqa: S603 - a constant program
