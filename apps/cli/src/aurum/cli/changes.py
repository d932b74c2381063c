"""``aurum changes``: what files and restatements changed, in the order of commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.storage.ports.recordings import ChangeEntry, ChangePage


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("changes")(changes)


def changes(
    context: typer.Context,
    after: Annotated[str | None, typer.Option(help="Only changes after this position, from this list.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    series: Annotated[
        list[str] | None, typer.Option(help="Only with this series: a key, or a pattern with *. Repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most changes to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what files and restatements changed, one line for each of their datasets, in the order of commits."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.services.changes import ChangeList, position_text
    from aurum.storage.ports.recordings import ChangeFilter

    async def fetch(store: Store) -> ChangePage:
        listed = ChangeList(store.change_log, store.clock, store.settings.changes.keep_days)
        start = (await listed.bounds()).oldest if after is None else await listed.resumed(after, parameter="--after")
        return await listed.log.changes(start, ChangeFilter(source, dataset, tuple(series or ())), limit=limit)

    page = with_store(context.obj, fetch)
    if as_json:
        meta = {"next": position_text(page.next), "last": position_text(page.last)}
        print_json([_document(one) for one in page.entries], meta=meta)
        return
    rows = [
        (
            position_text(one.position),
            str(one.position.recorded_at)[:19],
            f"{one.change.source}:{one.change.dataset}",
            one.file_name or f"({one.action})",
            str(one.change.known_at)[:16] if one.change.known_at else "",
            str(one.change.basis),
            one.change.series,
            one.change.new,
            one.change.revised,
        )
        for one in page.entries
    ]
    numbers = ["series", "new", "revised"]
    headings = ["position", "recorded", "dataset", "file", "known", "basis", *numbers]
    console().print(table(headings, rows, right=numbers))
    if not page.is_last:
        print(f"more follow: --after {position_text(page.next)}")


def _document(entry: ChangeEntry) -> dict[str, object]:
    """Return an entry with the field names of the API."""
    from aurum.services.changes import position_text

    change, matched = entry.change, entry.matched
    file = None
    if entry.file_id is not None:
        file = {"file_id": entry.file_id, "name": entry.file_name, "digest": entry.digest}
    return {
        "position": position_text(entry.position),
        "recorded_at": entry.position.recorded_at,
        "action": entry.action,
        "source": change.source,
        "dataset": change.dataset,
        "file": file,
        "known_at": change.known_at,
        "known_at_basis": change.basis,
        "series": change.series,
        "new": change.new,
        "revised": change.revised,
        "first": change.first_ts,
        "last": change.last_ts,
        "matched": matched,
    }
