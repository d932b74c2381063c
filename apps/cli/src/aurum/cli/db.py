"""``aurum db``: the schema of the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from aurum.common.settings import Settings
    from aurum.storage.migrations.run import MigrationStatus

app = typer.Typer(help="The schema of the store.", no_args_is_help=True)


@app.command("migrate")
def migrate(context: typer.Context) -> None:
    """Bring the database to the newest schema; a second time does nothing."""
    found = _run(context.obj, upgrade=True)
    print(f"at revision {found.current}")


@app.command("status")
def status(context: typer.Context) -> None:
    """Say which schema the database has. Exit code 1 when it is not the newest."""
    found = _run(context.obj, upgrade=False)
    print(f"at revision {found.current or 'none'}, newest is {found.head}")
    if not found.is_current:
        raise typer.Exit(1)


def _run(settings: Settings, *, upgrade: bool) -> MigrationStatus:
    from aurum.core.errors import Unavailable
    from aurum.storage import embedded
    from aurum.storage.migrations import run

    with embedded.database(settings.database, settings.data_dir) as database:
        action = run.upgrade if upgrade else run.status
        try:
            return asyncio.run(action(database.url or ""))
        except Unavailable as error:
            raise Unavailable(f"{error.detail}: check AURUM_DATABASE__URL", retry_after=error.retry_after) from error
