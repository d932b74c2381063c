"""``aurum db``: the schema of the store, and what TimescaleDB does for it where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings
    from aurum.storage.migrations.run import MigrationStatus
    from aurum.storage.ports.tuning import DataClass, Policies, StoreTuning

app = typer.Typer(help="The schema of the store.", no_args_is_help=True)


@app.command("migrate")
def migrate(context: typer.Context) -> None:
    """Bring the database to the newest schema, while services use it; a second time does nothing."""
    found = _run(context.obj, upgrade=True)
    print(f"at revision {found.current}" + (f", newer than the {found.head} of this release" if found.is_ahead else ""))


@app.command("status")
def status(context: typer.Context) -> None:
    """Say which schema the database has, and the oldest that code must know. Exit code 1 when a migration is missing."""
    found = _run(context.obj, upgrade=False)
    floor = f", refuses releases that do not know {found.floor}" if found.floor else ""
    print(f"at revision {found.current or 'none'}, newest of this release is {found.head}{floor}")
    if not found.is_current:
        raise typer.Exit(1)


@app.command("optimize")
def optimize(context: typer.Context) -> None:
    """Let TimescaleDB keep the observations: chunks, compression, sums by the hour. A second time does nothing.

    Exit code 1, and nothing changed, where the server has none.
    """
    from aurum.cli.wiring import with_store

    found = with_store(context.obj, lambda store: _tuning(store).optimize())
    print("\n".join([*found.done, found.engine] if found.done else [f"nothing to do: {found.engine}"]))


@app.command("policies")
def policies(
    context: typer.Context,
    compress_after: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="Compress chunks that ended so long ago.")
    ] = None,
    refresh_window: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="How far back stale sums are refreshed; at first all of time.")
    ] = None,
    retain: Annotated[
        list[str] | None,
        typer.Option("--retain", metavar="CLASS=DAYS", help="Drop values, versions or hourly sums that are older."),
    ] = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", metavar="CLASS", help="Keep them for ever, as at first.")] = None,
) -> None:
    """Show what the server does by itself, and change what is given."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.storage.ports.tuning import DataClass

    retention = _retention(retain or (), keep or ())
    given = compress_after is not None or refresh_window is not None or bool(retention)

    async def run(store: Store) -> Policies:
        if not given:
            return await _tuning(store).policies()
        return await _tuning(store).set_policies(
            compress_after=_days(compress_after), refresh_window=_days(refresh_window), retention=retention
        )

    found = with_store(context.obj, run)
    window = "all of time" if found.refresh_window is None else f"{found.refresh_window.days} days back"
    rows = [
        ("compression", f"after {found.compress_after.days} days" if found.compress_after else "none"),
        ("refresh of sums", f"every {found.refresh_every}, {window}" if found.refresh_every else "none"),
    ]
    for data_class in DataClass:
        kept = found.retention.get(data_class)
        rows.append((f"retention of {data_class}", f"{kept.days} days" if kept else "for ever"))
    console().print(table(["policy", "in force"], rows))


@app.command("chunks")
def chunks(
    context: typer.Context,
    interval: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="How long chunks to come are; those there are stay.")
    ] = None,
    compress: Annotated[
        bool, typer.Option("--compress", help="Compress now what the policy would, and anew what was corrected.")
    ] = False,
) -> None:
    """Show the chunks, what they take and what they took before compression."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def run(store: Store) -> tuple[list[Sequence[object]], str]:
        if interval is not None:
            await _tuning(store).set_interval(timedelta(days=interval))
        if compress:
            after = (await _tuning(store).policies()).compress_after or timedelta()
            await _tuning(store).compress(store.clock.now() - after)
        found = await _tuning(store).chunks()
        now, chosen = await _tuning(store).intervals()
        rows: list[Sequence[object]] = [
            (
                chunk.table,
                chunk.start.date(),
                chunk.end.date(),
                _mib(chunk.bytes),
                _mib(chunk.bytes_before) if chunk.bytes_before else "",
                f"{chunk.bytes_before / chunk.bytes:.1f}" if chunk.bytes_before else "",
            )
            for chunk in found
        ]
        length = f"{now.days} days" if now is not None else "none: run `aurum db optimize`"
        return rows, f"chunks to come: {length}; by the rows a day of the series: {chosen.days} days"

    rows, remark = with_store(context.obj, run)
    numbers = ["MiB", "MiB before", "ratio"]
    console().print(table(["table", "from", "up to", *numbers], rows, right=numbers))
    print(remark)


def _tuning(store: Store) -> StoreTuning:
    assert store.tuning is not None  # PostgreSQL has it
    return store.tuning


def _retention(retain: Sequence[str], keep: Sequence[str]) -> dict[DataClass, timedelta | None]:
    from aurum.core.errors import Invalid

    found: dict[DataClass, timedelta | None] = {}
    for text in retain:
        name, _, days = text.partition("=")
        if not days.isdecimal() or int(days) == 0:
            raise Invalid(f"--retain {text!r}: write CLASS=DAYS, e.g. versions=1825", retain=text)
        found[_data_class(name)] = timedelta(days=int(days))
    return found | {_data_class(name): None for name in keep}


def _data_class(name: str) -> DataClass:
    from aurum.core.errors import UnknownName
    from aurum.core.names import nearest
    from aurum.storage.ports.tuning import DataClass

    if name not in tuple(DataClass):
        raise UnknownName("data class", name, nearest(name, DataClass) or tuple(DataClass))
    return DataClass(name)


def _days(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)


def _mib(size: int) -> str:
    return f"{size / 1024**2:,.1f}"


def _run(settings: Settings, *, upgrade: bool) -> MigrationStatus:
    from aurum.core.errors import Unavailable
    from aurum.storage import embedded
    from aurum.storage.migrations import run
    from aurum.storage.migrations.compatibility import UnusableSchema

    with embedded.database(settings.database, settings.data_dir) as database:
        action = run.upgrade if upgrade else run.status
        try:
            return asyncio.run(action(database.url or ""))
        except (UnusableSchema, run.TablesInUse):
            raise
        except Unavailable as error:
            raise Unavailable(f"{error.detail}: check AURUM_DATABASE__URL", retry_after=error.retry_after) from error
