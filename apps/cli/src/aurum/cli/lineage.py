"""``aurum lineage``: where an observation or a quote came from, down to the line or the cell of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aurum.cli.curve_arguments import AsLoaded, TradeDate, curve_reading, trade_day
from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.store import Store
    from aurum.core.lineage import Place
    from aurum.services.lineage import Lineage
    from aurum.storage.ports.lineage import LineageReader


def register(app: typer.Typer) -> None:
    """Add the command to an app."""
    app.command("lineage")(lineage)


def lineage(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Key of a series, with --start; or of a curve, with --period.")],
    start: Annotated[str | None, typer.Option(help="Start of the interval of an observation (UTC).")] = None,
    period: Annotated[str | None, typer.Option(help="Delivery period of a quote, e.g. Jan-25 or Q1-25.")] = None,
    trade_date: TradeDate = "latest",
    field: Annotated[str, typer.Option(help="Field of the quote: settle, bid, ask ...")] = "settle",
    as_of: Annotated[str | None, typer.Option("--as-of", help="The number as it was known at this time (UTC).")] = None,
    as_loaded: AsLoaded = None,
    locate: Annotated[bool, typer.Option(help="Look for the number in the stored files of this machine.")] = True,
    tenant: Annotated[str, typer.Option(help="Tenant whose own series and curves may be named.")] = "local",
    as_json: AsJson = False,
) -> None:
    """Show the versions of a number, the files that brought it, and its line or cell in them."""
    from aurum.cli.wiring import with_pipelines
    from aurum.core.errors import InvalidParameters
    from aurum.services.lineage import lineage_document

    if (start is None) == (period is None):
        why = "is missing: give --start for a series, or --period for a curve" if start is None else "does not go with --period"
        raise InvalidParameters(("--start", why, start))

    async def run(pipelines: Pipelines) -> tuple[Lineage, list[Place]]:
        store = pipelines.store
        known = {"as_of": as_of, "as_loaded": as_loaded, "now": store.clock.now()}
        if locate:
            pipelines.isolated_files.start()  # its imports go on while the store is read
        try:
            if start is not None:
                answer = await _of_series(store, tenant, key, start, known)
            else:
                assert period is not None
                answer = await _of_curve(store, tenant, key, period, trade_date, field, known)
            return answer, await _places(pipelines, answer, locate=locate)
        finally:
            if locate:
                pipelines.isolated_files.close()

    answer, places = with_pipelines(context.obj, run)
    document = lineage_document(answer, places)
    if as_json:
        print_json(document["data"], meta=document["meta"])
        return
    _show(document["data"])


async def _of_series(store: Store, tenant: str, key: str, start: str, known: dict[str, Any]) -> Lineage:
    from aurum.assembly.services import reading
    from aurum.services.lineage import lineage_of_observation
    from aurum.services.private import tenant_reading
    from aurum.storage.ports.private import is_private

    shared = reading(store)
    if not is_private(key):
        return await lineage_of_observation(shared, store.lineage, key, start, **known)
    own = store.private.of(tenant)
    return await lineage_of_observation(tenant_reading(shared, own), own.lineage, key, start, tenant=tenant, **known)


async def _of_curve(
    store: Store, tenant: str, key: str, period: str, trade_date: str, field: str, known: dict[str, Any]
) -> Lineage:
    from aurum.services.lineage import lineage_of_quote

    def records(owner: str | None) -> LineageReader:
        return store.lineage if owner is None else store.private.of(owner).lineage

    day = trade_day(trade_date, "--trade-date")
    return await lineage_of_quote(
        curve_reading(store, tenant), records, key, period, trade_date=day, field=field, derived=store.derived_curves, **known
    )


async def _places(pipelines: Pipelines, answer: Lineage, *, locate: bool) -> list[Place]:
    from aurum.core.lineage import Place, PlaceState
    from aurum.services.lineage import file_to_search, unlocated

    places = [unlocated(origin, number) for number, origin in enumerate(answer.origins)]
    if not locate:
        return [place or Place(PlaceState.NOT_REQUESTED, "--no-locate") for place in places]
    wanted = [origin for origin, place in zip(answer.origins, places, strict=True) if place is None]
    located = iter(await pipelines.places_of([file_to_search(answer, origin) for origin in wanted]))
    return [place or next(located) for place in places]


def _show(data: dict[str, Any]) -> None:
    from aurum.cli.render import console, table

    number, out = data["number"], console()
    if number["kind"] == "observation":
        what = f"{number['series']} at {_time(number['start'])}"
    else:
        what = f"{number['curve']}, {number['period']['label']} on {number['trade_date']}, {number['field']}"
    value = "no price" if data["value"] is None else f"{data['value']} {data['unit']}"
    basis = f" ({data['known_at_basis']})" if data["known_at_basis"] else ""
    print(f"{what}: {value}, known at {_time(data['known_at'])}{basis}")
    for one in data["restatements"]:
        moved = f"from {_time(one['known_from'])} to {_time(one['known_to'])}"
        print(f"its known time was restated at {_time(one['recorded_at'])}, {moved}")
    if len(data["versions"]) > 1:
        rows = [(_time(one["known_at"]), one["value"], _time(one["superseded_at"])) for one in data["versions"]]
        out.print(table(["known at", "value", "superseded at"], rows))
    rows = [
        (one["role"], one["name"], one["archive"] or "", _time(one["loaded_at"]), _parser(one["parser"]), _place(one["place"]))
        for one in data["files"]
    ]
    out.print(table(["role", "file", "archive", "loaded at", "parser", "place"], rows) if rows else "no file is on record")
    for one in data["files"]:
        if one["place"]["text"]:
            print(f"{one['name']}: {one['place']['text']}")
    if data["more_files"]:
        print("further files may hold it")
    if data["computed_by"] is not None:
        print(f"computed from {', '.join(data['computed_by']['inputs'])} (derived curve {data['computed_by']['derived_id']})")


def _time(instant: Any) -> str:
    return "" if instant is None else instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _parser(parser: dict[str, str] | None) -> str:
    return "" if parser is None else f"{parser['format']} {parser['version']} ({parser['release']})"


def _place(place: dict[str, Any]) -> str:
    if place["state"] != "located":
        return f"{place['state']}: {place['why']}"
    column = "" if place["column"] is None else f", column {place['column']}"
    column += "" if place["column_number"] is None else f" ({place['column_number']})"
    at = place["cell"] or f"{place['counts']} {place['line']}{column}"
    if not place["verified"]:
        return f"{at}: {place['value']}, {place['why']}"
    return f"{at}, verified" + ("; the parser has changed since it was loaded" if place["parser_changed"] else "")
