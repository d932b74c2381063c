"""``aurum db``: the schema of the store, and the use of TimescaleDB where the server has it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, plain, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings
    from aurum.storage.migrations.run import MigrationStatus
    from aurum.storage.ports.tuning import Chunk, DataClass, Policies, StoreTuning

app = typer.Typer(help="The database: its schema, and chunks and policies of TimescaleDB.", no_args_is_help=True)


@app.command("migrate")
def migrate(context: typer.Context) -> None:
    """Migrate the database to the newest schema. Services may keep running; if it is up to date, nothing changes."""
    schema = _run(context.obj, upgrade=True)
    print(
        f"at revision {schema.current}"
        + (f", newer than {schema.head}, the newest revision of this release" if schema.is_ahead else "")
    )


@app.command("status")
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the revision of the schema, and the oldest one that a release must know. Exit code 1 if a migration is missing."""
    schema = _run(context.obj, upgrade=False)
    if as_json:
        print_json({**plain(schema), "is_current": schema.is_current})
        raise typer.Exit(0 if schema.is_current else 1)
    floor = f", releases must know revision {schema.floor}" if schema.floor else ""
    print(f"at revision {schema.current or 'none'}, newest revision of this release: {schema.head}{floor}")
    if not schema.is_current:
        raise typer.Exit(1)


@app.command("optimize")
def optimize(context: typer.Context) -> None:
    """Store observations in TimescaleDB: chunks, compression, hourly sums. If that is done already, nothing changes.

    Exit code 1, without any change, if the server does not have TimescaleDB.
    """
    from aurum.cli.wiring import with_store

    report = with_store(context.obj, lambda store: _tuning(store).optimize())
    print("\n".join([*report.done, report.engine] if report.done else [f"already optimized: {report.engine}"]))


@app.command("policies")
def policies(
    context: typer.Context,
    compress_after: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="Compress chunks that ended this many days ago.")
    ] = None,
    refresh_window: Annotated[
        int | None,
        typer.Option(min=1, metavar="DAYS", help="How many days back outdated sums are refreshed. Initially: without a limit."),
    ] = None,
    retain: Annotated[
        list[str] | None,
        typer.Option(
            "--retain", metavar="CLASS=DAYS", help="Delete values, versions or hourly sums that are older. Repeatable."
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="CLASS", help="Keep this class forever, the initial policy. Repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the policies of TimescaleDB; with options, change them first."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.storage.ports.tuning import DataClass

    retention = _retention(retain or (), keep or ())
    is_change = compress_after is not None or refresh_window is not None or bool(retention)

    async def run(store: Store) -> Policies:
        if not is_change:
            return await _tuning(store).policies()
        return await _tuning(store).set_policies(
            compress_after=_days(compress_after), refresh_window=_days(refresh_window), retention=retention
        )

    in_force = with_store(context.obj, run)
    if as_json:
        print_json(in_force)
        return
    window = "without a limit" if in_force.refresh_window is None else f"{in_force.refresh_window.days} days back"
    rows = [
        ("compression", f"after {in_force.compress_after.days} days" if in_force.compress_after else "none"),
        ("refresh of hourly sums", f"every {in_force.refresh_every}, {window}" if in_force.refresh_every else "none"),
    ]
    for data_class in DataClass:
        period = in_force.retention.get(data_class)
        rows.append((f"retention of {data_class}", f"{period.days} days" if period else "forever"))
    console().print(table(["policy", "setting"], rows))


@app.command("chunks")
def chunks(
    context: typer.Context,
    interval: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="Length of new chunks; existing ones stay as they are.")
    ] = None,
    compress: Annotated[
        bool, typer.Option("--compress", help="Compress now what the policy would, and recompress corrected chunks.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the chunks with their sizes now and before compression."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def run(store: Store) -> tuple[list[Chunk], timedelta | None, timedelta]:
        if interval is not None:
            await _tuning(store).set_interval(timedelta(days=interval))
        if compress:
            after = (await _tuning(store).policies()).compress_after or timedelta()
            await _tuning(store).compress(store.clock.now() - after)
        return list(await _tuning(store).chunks()), *(await _tuning(store).intervals())

    stored, now, recommended = with_store(context.obj, run)
    if as_json:
        print_json(stored, interval=now, recommended_interval=recommended)
        return
    rows = [
        (
            chunk.table,
            chunk.start.date(),
            chunk.end.date(),
            _mib(chunk.bytes),
            _mib(chunk.bytes_before) if chunk.bytes_before else "",
            f"{chunk.bytes_before / chunk.bytes:.1f}" if chunk.bytes_before else "",
        )
        for chunk in stored
    ]
    length = f"{now.days} days" if now is not None else "not set: run `aurum db optimize`"
    numbers = ["MiB", "MiB uncompressed", "ratio"]
    console().print(table(["table", "from", "up to", *numbers], rows, right=numbers))
    print(f"length of new chunks: {length}; recommended for the daily rows of this store: {recommended.days} days")


def _tuning(store: Store) -> StoreTuning:
    assert store.tuning is not None  # commands run on PostgreSQL, which has it
    return store.tuning


def _retention(retain: Sequence[str], keep: Sequence[str]) -> dict[DataClass, timedelta | None]:
    from aurum.core.errors import Invalid

    periods: dict[DataClass, timedelta | None] = {}
    for text in retain:
        name, _, days = text.partition("=")
        if not days.isdecimal() or int(days) == 0:
            raise Invalid(
                f"--retain {text!r} is not CLASS=DAYS with at least one day: write for example versions=1825", retain=text
            )
        periods[_data_class(name)] = timedelta(days=int(days))
    return periods | {_data_class(name): None for name in keep}


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
    from aurum.assembly.upgrade import upgrade_store
    from aurum.core.errors import Unavailable
    from aurum.storage import embedded
    from aurum.storage.migrations import run
    from aurum.storage.migrations.compatibility import UnusableSchema

    with embedded.database(settings.database, settings.data_dir) as database:
        url = database.url or ""
        try:
            return asyncio.run(upgrade_store(settings, url) if upgrade else run.status(url))
        except (UnusableSchema, run.TablesInUse):
            raise
        except Unavailable as error:
            raise Unavailable(f"{error.operator_detail}: check AURUM_DATABASE__URL", retry_after=error.retry_after) from error
