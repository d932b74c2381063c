"""``aurum archive``: moves closed months to history, and checks and cleans history."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.store import Store
    from aurum.pipelines.history.archive import ArchiveReport, Difference
    from aurum.storage.ports.history import ArchivedMonth, Upkeep

app = typer.Typer(help="Move closed months to history, and check and clean history.", no_args_is_help=True)

_Source = Annotated[str | None, typer.Option(help="Only this source.")]


@app.command("run")
def run(
    context: typer.Context,
    source: _Source = None,
    closed_after: Annotated[
        int | None,
        typer.Option(
            min=1, help="Days after its end that a month counts as closed. Default: AURUM_HISTORY__CLOSED_AFTER_DAYS."
        ),
    ] = None,
) -> None:
    """Move closed months to history. It can be stopped and run again at any time: no row is lost or stored twice."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.archive import archive_closed

    days = timedelta(days=closed_after or context.obj.history.closed_after_days)

    async def move(pipelines: Pipelines) -> list[ArchiveReport]:
        now = pipelines.store.clock.now()
        moves = archive_closed(pipelines.archive, now=now, closed_after=days, source=source)
        return [report async for report in moves]

    rows = [
        (one.source, f"{one.month:%Y-%m}", f"{one.parts:,}", f"{one.rows:,}", one.left or "", f"{one.seconds:.2f}")
        for one in with_pipelines(context.obj, move)
    ]
    numbers = ["series", "rows", "left in the store", "seconds"]
    console().print(table(["source", "month", *numbers], rows, right=numbers) if rows else "no closed month to archive")
    if context.obj.clickhouse.is_set:
        copy(context)


@app.command("copy")
def copy(context: typer.Context) -> None:
    """Bring the copy of history in ClickHouse (AURUM_CLICKHOUSE__*) up to date. `run` does this too."""
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.copies import CopyReport, update_copy

    async def update(pipelines: Pipelines) -> CopyReport | None:
        async with pipelines.history_copy() as history_copy:
            return await update_copy(pipelines.archive, history_copy) if history_copy is not None else None

    report = with_pipelines(context.obj, update)
    if report is None:
        print("no copy of history is configured: set AURUM_CLICKHOUSE__URL or AURUM_CLICKHOUSE__FOLDER")
        raise typer.Exit(2)
    print(f"copied {report.parts:,} parts with {report.rows:,} rows, removed {report.discarded:,} archive ids")


@app.command("status")
def status(context: typer.Context) -> None:
    """Show the archived months of each source."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def months(store: Store) -> Sequence[ArchivedMonth]:
        return await store.history.log.months() if store.history is not None else ()

    rows = [(one.source, f"{one.month:%Y-%m}", f"{one.parts:,}", f"{one.rows:,}") for one in with_store(context.obj, months)]
    numbers = ["series", "rows"]
    console().print(table(["source", "month", *numbers], rows, right=numbers) if rows else "no month is archived")


@app.command("verify")
def verify(context: typer.Context, source: _Source = None) -> None:
    """Read all of history and compare row counts and checksums with the log. Exit code 1 if a part differs."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.archive import verify as compare

    async def compare_all(pipelines: Pipelines) -> tuple[int, list[Difference]]:
        compared = 0
        different: list[Difference] = []
        async for count, differences in compare(pipelines.archive, source=source):
            compared += count
            different += differences
        return compared, different

    compared, different = with_pipelines(context.obj, compare_all)
    print(f"{compared:,} parts compared, {len(different):,} differ")
    if different:
        rows = [
            (one.part.series_id, f"{one.part.month:%Y-%m}", one.part.archive_id, one.part.rows, one.rows) for one in different
        ]
        numbers = ["series", "archive id", "rows in the log", "rows in history"]
        console().print(table(["series", "month", *numbers[1:]], rows, right=numbers))
        raise typer.Exit(1)


@app.command("upkeep")
def upkeep(context: typer.Context) -> None:
    """Remove leftovers of crashes and corrections and the rows of removed series from history, and merge small files."""
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.archive import clear_leftovers, erase_removed

    async def clean(pipelines: Pipelines) -> tuple[int, int, Upkeep]:
        archive = pipelines.archive
        async with archive.log.exclusive_run():
            dropped = await clear_leftovers(archive)
            erased = await erase_removed(archive)
            return len(dropped), erased, await archive.history.upkeep()

    dropped, erased, report = with_pipelines(context.obj, clean)
    print(
        f"removed {dropped} archive ids, erased {erased:,} rows of removed series, "
        f"merged {report.files_before} files into {report.files_after}, "
        f"deleted {report.expired} old files"
    )
