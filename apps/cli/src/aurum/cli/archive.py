"""``aurum archive``: closed months to history, and history looked after."""

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

app = typer.Typer(help="Closed months: where they are, and moving them to history.", no_args_is_help=True)

_Source = Annotated[str | None, typer.Option(help="Only of this source.")]


@app.command("run")
def run(
    context: typer.Context,
    source: _Source = None,
    closed_after: Annotated[
        int | None, typer.Option(min=1, help="Days after its end a month is closed; else AURUM_HISTORY__CLOSED_AFTER_DAYS.")
    ] = None,
) -> None:
    """Move closed months to history. Stopped anywhere it can be run again: nothing is lost and nothing is there twice."""
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
    numbers = ["series", "rows", "left hot", "seconds"]
    console().print(table(["source", "month", *numbers], rows, right=numbers) if rows else "nothing to archive")
    if context.obj.clickhouse.is_set:
        copy(context)


@app.command("copy")
def copy(context: typer.Context) -> None:
    """Bring the copy for wide scans (AURUM_CLICKHOUSE__*) up to date with history; `run` does it too."""
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.copies import CopyReport, update_copy

    async def bring(pipelines: Pipelines) -> CopyReport | None:
        async with pipelines.history_copy() as found:
            return await update_copy(pipelines.archive, found) if found is not None else None

    done = with_pipelines(context.obj, bring)
    if done is None:
        print("there is no copy: AURUM_CLICKHOUSE__URL or AURUM_CLICKHOUSE__FOLDER names one")
        raise typer.Exit(2)
    print(f"{done.parts:,} parts with {done.rows:,} rows copied, {done.discarded:,} archive ids dropped")


@app.command("status")
def status(context: typer.Context) -> None:
    """Show what stands in history, by source and month."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def months(store: Store) -> Sequence[ArchivedMonth]:
        return await store.history.log.months() if store.history is not None else ()

    rows = [(one.source, f"{one.month:%Y-%m}", f"{one.parts:,}", f"{one.rows:,}") for one in with_store(context.obj, months)]
    numbers = ["series", "rows"]
    console().print(table(["source", "month", *numbers], rows, right=numbers) if rows else "nothing is archived")


@app.command("verify")
def verify(context: typer.Context, source: _Source = None) -> None:
    """Read all of history and compare it with the log, by count and checksum. Exit code 1 when something differs."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.archive import verify as compare

    async def look(pipelines: Pipelines) -> tuple[int, list[Difference]]:
        compared = 0
        wrong: list[Difference] = []
        async for count, differences in compare(pipelines.archive, source=source):
            compared += count
            wrong += differences
        return compared, wrong

    compared, wrong = with_pipelines(context.obj, look)
    print(f"{compared:,} parts compared, {len(wrong):,} differ")
    if wrong:
        rows = [(one.part.series_id, f"{one.part.month:%Y-%m}", one.part.archive_id, one.part.rows, one.rows) for one in wrong]
        numbers = ["series", "archive id", "rows in the log", "rows in history"]
        console().print(table(["series", "month", *numbers[1:]], rows, right=numbers))
        raise typer.Exit(1)


@app.command("upkeep")
def upkeep(context: typer.Context) -> None:
    """Drop what crashes and corrections left in history, and compact its files."""
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.archive import clear_leftovers

    async def look_after(pipelines: Pipelines) -> tuple[int, Upkeep]:
        archive = pipelines.archive
        async with archive.log.alone():
            dropped = await clear_leftovers(archive)
            return len(dropped), await archive.history.upkeep()

    dropped, done = with_pipelines(context.obj, look_after)
    print(
        f"{dropped} archive ids dropped, {done.files_before} files are now {done.files_after}, {done.expired} old files deleted"
    )
