"""``aurum series``: lists series and removes them. ``series_observations`` shows their values."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json
from aurum.cli.series_document import series_document
from aurum.cli.series_observations import register
from aurum.core.visible import escaped, is_visible

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.core.series.model import Series
    from aurum.services.catalog import SearchAnswer
    from aurum.services.observations.sparklines import SeriesSparkline
    from aurum.storage.ports.catalog import SeriesFilter
    from aurum.storage.ports.removal import InvalidSeries, RemovedRows

app = typer.Typer(help="Series and their observations.", no_args_is_help=True)
register(app)


@app.command("list")
def list_series(
    context: typer.Context,
    text: Annotated[
        str | None, typer.Argument(help="Words to search for; with --label, text to find in keys and names.")
    ] = None,
    source: Annotated[str | None, typer.Option()] = None,
    dataset: Annotated[str | None, typer.Option()] = None,
    market: Annotated[str | None, typer.Option()] = None,
    measure: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[str | None, typer.Option(help="price, load, generation, flow, weather ...")] = None,
    market_run: Annotated[str | None, typer.Option("--market-run", help="day_ahead, real_time, forecast ...")] = None,
    fuel: Annotated[str | None, typer.Option(help="wind, gas, nuclear ...: a group of fuels, or unmapped.")] = None,
    location_type: Annotated[str | None, typer.Option("--location-type", help="hub, zone ...")] = None,
    label: Annotated[
        str | None, typer.Option(metavar="NAME=VALUE", help="Only series with this label, e.g. week=undeclared.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    invalid: Annotated[
        bool, typer.Option("--invalid", help="List only the stored series that no list shows, because their key is invalid.")
    ] = False,
    sparkline: Annotated[bool, typer.Option("--sparkline", help="Also the newest values of each series.")] = False,
    as_json: AsJson = False,
) -> None:
    """List series, ascending by key; with words, those that have all of them, the best match first."""
    from aurum.cli.wiring import with_store
    from aurum.core.catalog.dimensions import parse_fuel, parse_kind, parse_market_run
    from aurum.storage.ports.catalog import SeriesFilter

    if invalid:
        _print_invalid(with_store(context.obj, lambda store: store.catalog.reader.invalid_series()), as_json=as_json)
        return
    name, value = _label(label)
    criteria = SeriesFilter(
        source,
        dataset,
        market,
        measure,
        text=text,
        label_name=name,
        label_value=value,
        kind=parse_kind(kind) if kind is not None else None,
        market_run=parse_market_run(market_run) if market_run is not None else None,
        fuel=parse_fuel(fuel) if fuel is not None else None,
        location_type=location_type,
    )

    async def run(store: Store) -> tuple[Sequence[Series], Mapping[int, SeriesSparkline]]:
        from aurum.services.observations.sparklines import series_sparklines

        if text is not None and label is None:
            series = [hit.series for hit in (await _search(store, text, criteria, (), limit, only_all=True)).hits]
        else:
            series = await store.catalog.reader.series_page(criteria, after=None, limit=limit)
        return series, await series_sparklines(store.observations.neighbours, series) if sparkline else {}

    series, lines = with_store(context.obj, run)
    _print_series(series, limit, lines if sparkline else None, as_json=as_json)


@app.command("search")
def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(help="Words, e.g. new york city day ahead.")],
    source: Annotated[str | None, typer.Option()] = None,
    dataset: Annotated[str | None, typer.Option()] = None,
    market: Annotated[str | None, typer.Option()] = None,
    measure: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[str | None, typer.Option(help="price, load, generation, flow, weather ...")] = None,
    market_run: Annotated[str | None, typer.Option("--market-run", help="day_ahead, real_time, forecast ...")] = None,
    fuel: Annotated[str | None, typer.Option(help="wind, gas, nuclear ...: a group of fuels, or unmapped.")] = None,
    location_type: Annotated[str | None, typer.Option("--location-type", help="hub, zone ...")] = None,
    facets: Annotated[
        bool, typer.Option("--facets", help="Also count the series by source, market, measure and so on.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Search series by words: the best match first, then series that have only some of the words."""
    from aurum.cli.wiring import with_store
    from aurum.core.catalog.dimensions import parse_fuel, parse_kind, parse_market_run
    from aurum.core.search.groups import FACETS
    from aurum.storage.ports.catalog import SeriesFilter

    criteria = SeriesFilter(
        source,
        dataset,
        market.upper() if market is not None else None,
        measure,
        kind=parse_kind(kind) if kind is not None else None,
        market_run=parse_market_run(market_run) if market_run is not None else None,
        fuel=parse_fuel(fuel) if fuel is not None else None,
        location_type=location_type,
    )
    text = " ".join(words)
    answer = with_store(context.obj, lambda store: _search(store, text, criteria, FACETS if facets else (), limit))
    if as_json:
        print_json(
            [{**series_document(hit.series), "match": {"terms": hit.terms, "by": hit.by}} for hit in answer.hits],
            facets=answer.facets,
            terms=answer.terms,
            readings=answer.readings,
            suggestions=answer.suggestions,
        )
        return
    for reading in answer.readings:
        if reading.how == "mended":
            print(f"{reading.text!r} is unknown: searched for {reading.read_as!r}")
        elif reading.how == "unknown":
            print(f"{reading.text!r} is unknown: left out")
    if not answer.hits:
        print("nothing found" + (f": try {', '.join(answer.suggestions)}" if answer.suggestions else ""))
    else:
        _print_series([hit.series for hit in answer.hits], limit, None, as_json=False)
    for name, counts in (answer.facets or {}).items():
        print(f"{name}: " + ", ".join(f"{value} {count:,}" for value, count in counts.items()))


async def _search(
    store: Store, text: str, criteria: SeriesFilter, facets: Sequence[str], limit: int, *, only_all: bool = False
) -> SearchAnswer:
    from aurum.core.search.groups import FACETS
    from aurum.services.catalog import SearchQuestion, search_series

    filters = {name: str(value) for name in FACETS if (value := getattr(criteria, name)) is not None}
    question = SearchQuestion(text, filters, facets, only_all)
    return await search_series(store.catalog.reader, store.catalog.search, question, limit=limit)


_SHOWN_POINTS = 24
"""Points of a sparkline that a terminal has room for."""


def _print_series(series: Sequence[Series], limit: int, lines: Mapping[int, SeriesSparkline] | None, *, as_json: bool) -> None:
    """Print series. ``lines``: sparklines by series id; None: none are requested."""
    from aurum.charts.sparkline import sparkline_blocks
    from aurum.cli.render import console, table

    if as_json:
        print_json([series_document(entry) | _line_document(lines, entry) for entry in series])
        return
    rows = [
        (
            entry.key,
            entry.spec.location_name,
            entry.spec.frequency,
            entry.spec.unit,
            _day(entry.first_ts),
            _day(entry.last_ts),
            *([] if lines is None else [sparkline_blocks(lines[entry.series_id].points[-_SHOWN_POINTS:])]),
        )
        for entry in series
    ]
    columns = ["key", "location", "step", "unit", "first", "last", *([] if lines is None else ["newest values"])]
    console().print(table(columns, rows))
    if len(series) == limit:
        print(f"only the first {limit} series are shown: raise --limit for more")


def _line_document(lines: Mapping[int, SeriesSparkline] | None, series: Series) -> dict[str, object]:
    if lines is None:
        return {}
    line = lines[series.series_id]
    return {"sparkline": {"first": line.first, "last": line.last, "points": line.points, "svg": line.svg}}


def _print_invalid(series: Sequence[InvalidSeries], *, as_json: bool) -> None:
    """Print one line for each series: the key with escapes, which ``remove`` accepts, and the rule it breaks."""
    if as_json:
        print_json([{"key": escaped(entry.key), "why": escaped(entry.why)} for entry in series])
        return
    for entry in series:
        print(f"{escaped(entry.key)}: {escaped(entry.why)}")
    print(f"{len(series):,} stored series with an invalid key" + (": see `aurum series remove`" if series else ""))


@app.command("remove")
def remove(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Key of the series as it is stored; \\u200b stands for that character.")],
    reason: Annotated[str, typer.Option("--reason", help="Why the series is removed, for the audit log.")],
) -> None:
    """Remove a series: all its values, its archived months and its entry in the catalog. It cannot be undone.

    Files stay on record: a file is loaded again only with `aurum ingest --force`, and then it creates the series anew.
    """
    from aurum.cli.wiring import with_store
    from aurum.services.removal import remove_series
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> RemovedRows:
        return await remove_series(
            store.transactions, store.catalog.reader, _unescaped(key), reason=reason, by=Actor("operator")
        )

    removed = with_store(context.obj, run)
    print(
        f"removed {escaped(_unescaped(key))}: {removed.points:,} points, {removed.versions:,} earlier versions, "
        f"{removed.parts:,} archived months with {removed.archived_rows:,} rows"
    )
    if removed.parts:
        print("the archived rows are unreachable now; the next `aurum archive run` or `aurum archive upkeep` erases them")


def _unescaped(text: str) -> str:
    """Return a text with the escapes of ``escaped`` as characters; what would be visible stays as it is."""

    def character(match: re.Match[str]) -> str:
        number = int(match[1] or match[2] or match[3], 16)
        return match[0] if number > sys.maxunicode or is_visible(chr(number)) else chr(number)

    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))", character, text)


def _label(text: str | None) -> tuple[str | None, str | None]:
    """Return name and value of a label. Raises ``InvalidParameters``."""
    from aurum.core.errors import InvalidParameters

    if text is None:
        return None, None
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise InvalidParameters(("label", "must be NAME=VALUE, such as week=undeclared", text))
    return name, value


def _day(instant: object) -> str:
    return str(instant)[:10] if instant else ""
