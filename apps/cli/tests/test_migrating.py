"""Commands and the schema: they work on the schema of the next release, and refuse in one line below its floor."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.migrations.head import newest_revision
from aurum.storage.migrations.run import upgrade
from aurum.storage.testing.migrating import earlier_release, later_release
from aurum.storage.testing.patience import PATIENT_VARIABLES

pytestmark = pytest.mark.needs_postgres

EXPAND = 'op.add_column("series", sa.Column("extra", sa.Text()))'
CONTRACT = 'raise_floor("{revision}", release="9.1")'
HEAD = newest_revision()
NEXT = f"{int(HEAD) + 1:04d}"
FLOOR = ", releases must know revision 0017"
"""Text of the status for the floor that the newest contract migration of this release raises."""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aurum-cli-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def aurum(data_dir: Path, *arguments: str, url: str | None = None) -> tuple[int, list[str]]:
    """Return the exit code of a command and the lines it printed."""
    inherited = os.environ  # noqa: TID251 - a shell passes these on
    environment = {name: value for name, value in inherited.items() if not name.startswith("AURUM_")}
    environment |= PATIENT_VARIABLES
    environment |= {} if url is None else {"AURUM_DATABASE__URL": url}
    command = [sys.executable, "-m", "aurum.cli.main", "--data-dir", str(data_dir), *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


async def test_commands_work_on_the_schema_of_the_next_release(database_url: str, data_dir: Path, tmp_path: Path) -> None:
    await upgrade(database_url, versions=later_release(tmp_path, EXPAND))
    assert (await aurum(data_dir, "keys", "list", url=database_url))[0] == 0
    code, lines = await aurum(data_dir, "db", "status", url=database_url)
    assert (code, lines) == (0, [f"at revision {NEXT}, newest revision of this release: {HEAD}{FLOOR}"])
    code, lines = await aurum(data_dir, "db", "migrate", url=database_url)
    assert (code, lines) == (0, [f"at revision {NEXT}, newer than {HEAD}, the newest revision of this release"])


async def test_commands_below_the_floor_refuse_in_one_line(database_url: str, data_dir: Path, tmp_path: Path) -> None:
    await upgrade(database_url, versions=later_release(tmp_path, CONTRACT, kind="contract"))
    for arguments in (["keys", "list"], ["db", "migrate"]):
        code, lines = await aurum(data_dir, *arguments, url=database_url)
        assert code == 1
        assert lines == [
            f"aurum: the database is at schema {NEXT}, which needs a release that knows {NEXT}, "
            f"this release knows {HEAD}: install release 9.1 or newer"
        ]
    code, lines = await aurum(data_dir, "db", "status", url=database_url)
    shown = f"at revision {NEXT}, newest revision of this release: {HEAD}, releases must know revision {NEXT}"
    assert (code, lines) == (0, [shown])


async def test_a_server_that_settings_name_is_never_migrated_by_other_commands(
    postgres_server: EmbeddedPostgres, data_dir: Path, tmp_path: Path
) -> None:
    bare = postgres_server.url_of("postgres")
    code, lines = await aurum(data_dir, "keys", "list", url=bare)
    assert code == 1
    assert [line.split(": ")[-1] for line in lines] == ["run `aurum db migrate`"]
    assert (await aurum(data_dir, "db", "status", url=bare))[0] == 1


async def test_the_embedded_server_is_migrated_and_refused_below_the_floor(data_dir: Path, tmp_path: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        await upgrade(server.url, versions=earlier_release(tmp_path, "0006"))
        assert (await aurum(data_dir, "keys", "list"))[0] == 0
        assert await aurum(data_dir, "db", "status") == (
            0,
            [f"at revision {HEAD}, newest revision of this release: {HEAD}{FLOOR}"],
        )
        connection = await asyncpg.connect(server.url)
        await connection.execute("UPDATE alembic_version SET version_num = '9999', floor = '9999', floor_release = '9.1'")
        await connection.close()
        code, lines = await aurum(data_dir, "keys", "list")
    assert (code, len(lines)) == (1, 1)
    assert lines[0].endswith("install release 9.1 or newer")
