"""``aurum archive``: moves closed months to history, and checks and cleans history."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.store import Store
    from aurum.pipelines.history.archive import Archive, Difference
    from aurum.pipelines.history.planning import Move
    from aurum.pipelines.history.quotes import QuoteDifference
    from aurum.storage.ports.history import ArchivedMonth, Merge, Upkeep

app = typer.Typer(help="Move closed months to history, and check and clean history.", no_args_is_help=True)

_Source = Annotated[str | None, typer.Option(help="Only this source.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, with an estimate, and change nothing.")]
_Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress. Without a terminal there is none.")]


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
    dry_run: _DryRun = False,
    quiet: _Quiet = False,
) -> None:
    """Move closed months to history, and merge small files. It can be stopped and run again at any time.

    No row is lost or stored twice. A part is one series in one month, or the replaced quotes of one product in one month.
    """
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.archive import planned_moves

    days = timedelta(days=closed_after or context.obj.history.closed_after_days)

    async def estimate(pipelines: Pipelines) -> Sequence[Move]:
        now = pipelines.store.clock.now()
        return await planned_moves(pipelines.archive, now=now, closed_after=days, source=source)

    async def move_and_merge(pipelines: Pipelines) -> None:
        await _move(pipelines, days, source, quiet=quiet)
        async with pipelines.archive.log.exclusive_run():
            upkeep = await _merge(pipelines.archive, quiet=quiet)
        if upkeep.files_before != upkeep.files_after:
            print(_merged(upkeep))

    if dry_run:
        _print_plan(with_pipelines(context.obj, estimate))
        return
    with_pipelines(context.obj, move_and_merge)
    if context.obj.clickhouse.is_set:
        copy(context)


async def _move(pipelines: Pipelines, closed_after: timedelta, source: str | None, *, quiet: bool) -> None:
    """Move closed months with a progress bar, and print what has moved, also if an error ends the run."""
    from aurum.cli.render import console, progress, table
    from aurum.pipelines.history.archive import archive_closed

    rows: list[tuple[object, ...]] = []
    try:
        with progress(console(stderr=True), quiet=quiet) as bar:
            task = bar.add_task("planning", total=None)

            def planned(moves: Sequence[Move]) -> None:
                bar.update(task, total=sum(move.rows for move in moves))

            now = pipelines.store.clock.now()
            moves = archive_closed(pipelines.archive, now=now, closed_after=closed_after, source=source, planned=planned)
            async for one in moves:
                rows.append((one.source, one.months, f"{one.parts:,}", f"{one.rows:,}", one.left or "", f"{one.seconds:.2f}"))
                bar.update(task, advance=one.rows, description=f"rows of {one.source} {one.months}")
        if not rows:
            print("no closed month to archive")
    finally:
        if rows:
            numbers = ["parts", "rows", "left in the store", "seconds"]
            console().print(table(["source", "months", *numbers], rows, right=numbers))


@app.command("compact")
def compact(context: typer.Context, dry_run: _DryRun = False, quiet: _Quiet = False) -> None:
    """Merge the small files of each source in history. `run` does this too.

    A merged file is read back and compared before it replaces the small ones, which stay for the reads under way.
    """
    from aurum.cli.render import byte_size, console, table
    from aurum.cli.wiring import with_pipelines
    from aurum.storage.ports.history import Months

    async def planned(pipelines: Pipelines) -> Sequence[Merge]:
        return await pipelines.archive.history.merges()

    async def merge(pipelines: Pipelines) -> Upkeep:
        archive = pipelines.archive
        async with archive.log.exclusive_run():
            return await _merge(archive, quiet=quiet)

    if not dry_run:
        print(_merged(with_pipelines(context.obj, merge)))
        return
    merges = with_pipelines(context.obj, planned)
    rows = [(one.source, Months(one.first, one.last), f"{one.files:,}", f"{one.rows:,}", byte_size(one.size)) for one in merges]
    numbers = ["files", "rows", "size"]
    console().print(table(["source", "months", *numbers], rows, right=numbers) if rows else "no small files to merge")
    if rows:
        print(f"{sum(one.files for one in merges):,} files would become {len(merges):,}; nothing was changed")


async def _merge(archive: Archive, *, quiet: bool) -> Upkeep:
    """Maintain the files of history with a progress bar. The caller must hold ``ArchiveLog.exclusive_run``."""
    from aurum.cli.render import console, progress

    with progress(console(stderr=True), quiet=quiet) as bar:
        merges = await archive.history.merges()
        task = bar.add_task("merging rows", total=sum(merge.rows for merge in merges))
        return await archive.history.upkeep(
            merged=lambda merge: bar.update(task, advance=merge.rows, description=f"merged rows of {merge.source}")
        )


def _print_plan(moves: Sequence[Move]) -> None:
    from aurum.cli.render import byte_size, console, table
    from aurum.pipelines.history.planning import by_source

    plans = by_source(moves)
    rows = [(one.source, one.months, f"{one.parts:,}", f"{one.rows:,}", f"{one.files:,}", byte_size(one.size)) for one in plans]
    numbers = ["parts", "rows", "files", "size about"]
    console().print(table(["source", "months", *numbers], rows, right=numbers) if rows else "no closed month to archive")
    if rows:
        print(
            f"{sum(one.rows for one in plans):,} rows would move into {len(moves):,} files of about "
            f"{byte_size(sum(one.size for one in plans))}; nothing was changed"
        )


def _merged(upkeep: Upkeep) -> str:
    before, after = upkeep.files_before, upkeep.files_after
    merged = f"merged {before:,} files into {after:,}" if before != after else "no small files to merge"
    return f"{merged}, deleted {upkeep.expired:,} old files"


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
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the archived months of each source."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def months(store: Store) -> Sequence[ArchivedMonth]:
        return await store.history.log.months() if store.history is not None else ()

    archived = with_store(context.obj, months)
    if as_json:
        print_json(archived)
        return
    rows = [(one.source, f"{one.month:%Y-%m}", f"{one.parts:,}", f"{one.rows:,}") for one in archived]
    numbers = ["series", "rows"]
    console().print(table(["source", "month", *numbers], rows, right=numbers) if rows else "no month is archived")


@app.command("verify")
def verify(context: typer.Context, source: _Source = None, as_json: AsJson = False) -> None:
    """Read all of history and compare row counts and checksums with the log. Exit code 1 if a part differs."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.archive import verify as compare

    async def compare_all(pipelines: Pipelines) -> tuple[int, list[Difference | QuoteDifference]]:
        compared = 0
        different: list[Difference | QuoteDifference] = []
        async for count, differences in compare(pipelines.archive, source=source):
            compared += count
            different += differences
        return compared, different

    compared, different = with_pipelines(context.obj, compare_all)
    if as_json:
        print_json(different, compared=compared)
        if different:
            raise typer.Exit(1)
        return
    print(f"{compared:,} parts compared, {len(different):,} differ")
    if different:
        rows = [(_number(one), f"{one.part.month:%Y-%m}", one.part.archive_id, one.part.rows, one.rows) for one in different]
        numbers = ["series", "archive id", "rows in the log", "rows in history"]
        console().print(table(["series", "month", *numbers[1:]], rows, right=numbers))
        raise typer.Exit(1)


def _number(one: Difference | QuoteDifference) -> str:
    """Return the number of the series, or of the product, of a part."""
    from aurum.pipelines.history.quotes import QuoteDifference

    return f"product {one.part.curve_id}" if isinstance(one, QuoteDifference) else str(one.part.series_id)


@app.command("upkeep")
def upkeep(context: typer.Context, quiet: _Quiet = False) -> None:
    """Remove leftovers of crashes and corrections and the rows of removed series from history, and merge small files."""
    from aurum.cli.wiring import with_pipelines
    from aurum.pipelines.history.archive import clear_leftovers, erase_removed

    async def clean(pipelines: Pipelines) -> tuple[int, int, Upkeep]:
        archive = pipelines.archive
        async with archive.log.exclusive_run():
            dropped = await clear_leftovers(archive)
            erased = await erase_removed(archive)
            return len(dropped), erased, await _merge(archive, quiet=quiet)

    dropped, erased, report = with_pipelines(context.obj, clean)
    print(f"removed {dropped} archive ids, erased {erased:,} rows of removed series, {_merged(report)}")
