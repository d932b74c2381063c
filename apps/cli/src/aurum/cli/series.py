"""``aurum series``: what is there, as lists, tables and a plot in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from aurum.cli.wiring import Store
    from aurum.core.series.model import Series

app = typer.Typer(help="What is there.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="Series key, e.g. nyiso:damlbmp_zone:61761:lmp.")]
Start = Annotated[str | None, typer.Option(help="From this day or time on, read in --tz.")]
End = Annotated[str | None, typer.Option(help="Up to, not including, this day or time.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="As it was known then.")]
Zone = Annotated[str, typer.Option("--tz", help="'market', UTC or an IANA name.")]
Freq = Annotated[str | None, typer.Option(help="Resample to 15min, 1h, 1d, 1w, 1mo ... in local time.")]
Agg = Annotated[str, typer.Option(help="mean, sum, min, max, first, last, median, std, count.")]


@app.command("list")
def list_series(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(help="Looked for in keys and names.")] = None,
    source: Annotated[str | None, typer.Option()] = None,
    dataset: Annotated[str | None, typer.Option()] = None,
    market: Annotated[str | None, typer.Option()] = None,
    measure: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """List series."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.storage.ports import SeriesFilter

    criteria = SeriesFilter(source=source, dataset=dataset, market=market, measure=measure, text=text)
    found = with_store(context.obj, lambda store: store.catalog.series_page(criteria, after=None, limit=limit))
    rows = [
        (one.key, one.spec.location_name, one.spec.frequency, one.spec.unit, _day(one.first_ts), _day(one.last_ts))
        for one in found
    ]
    console().print(table(["key", "location", "step", "unit", "first", "last"], rows))
    if len(found) == limit:
        print(f"the first {limit}; --limit shows more")


@app.command("show")
def show(
    context: typer.Context,
    key: Key,
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    tz: Zone = "market",
    freq: Freq = None,
    agg: Agg = "mean",
    rows: Annotated[int, typer.Option(min=1, help="Rows at most, from the start.")] = 48,
) -> None:
    """Show a series and its observations."""
    import polars as pl

    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.core.catalog import Quality

    series, frame, zone = with_store(context.obj, lambda store: _read(store, key, start, end, as_of, tz, freq, agg))
    spec = series.spec
    out = console()
    out.print(f"{key}  {spec.location_name}  {spec.unit}  {freq or spec.frequency}  {zone}  version {series.version}")
    shown = frame.head(rows).with_columns(pl.col("ts", "known_at").dt.convert_time_zone(zone).dt.to_string("%Y-%m-%d %H:%M %Z"))
    lines = [
        (ts, f"{value:,.4f}".rstrip("0").rstrip("."), Quality(quality).label, known_at)
        for ts, value, quality, known_at in shown.rows()
    ]
    out.print(table(["start", "value", "quality", "known at"], lines, right=["value"]))
    if frame.height > rows:
        print(f"{rows} of {frame.height:,}; --rows shows more")


@app.command("plot")
def plot(
    context: typer.Context,
    key: Key,
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    tz: Zone = "market",
    freq: Freq = None,
    agg: Agg = "mean",
) -> None:
    """Plot a series in the terminal."""
    import plotext  # pyright: ignore[reportMissingTypeStubs] - ships no types
    import polars as pl

    from aurum.cli.wiring import with_store

    series, frame, zone = with_store(context.obj, lambda store: _read(store, key, start, end, as_of, tz, freq, agg))
    if frame.is_empty():
        print("no observations there")
        return
    local = frame.filter(pl.col("value").is_not_nan()).with_columns(pl.col("ts").dt.convert_time_zone(zone))
    stamps = local["ts"].dt.to_string("%Y-%m-%d %H:%M").to_list()
    plotext.date_form("Y-m-d H:M")
    plotext.theme("clear")
    plotext.plot(stamps, local["value"].to_list())
    plotext.title(f"{key}  {series.spec.location_name}")
    plotext.ylabel(series.spec.unit)
    plotext.xlabel(zone)
    picture: str = plotext.build()
    print(picture if sys.stdout.isatty() else plotext.uncolorize(picture))


async def _read(
    store: Store, key: str, start: str | None, end: str | None, as_of: str | None, tz: str, freq: str | None, agg: str
) -> tuple[Series, pl.DataFrame, str]:
    from aurum.core.asof import Span
    from aurum.core.errors import UnknownName
    from aurum.core.frequency import parse_frequency
    from aurum.core.markettime import parse_instant, parse_zone
    from aurum.core.names import nearest
    from aurum.core.series.resample import Aggregation, resample

    series = (await store.catalog.series_by_key([key])).get(key)
    if series is None:
        raise UnknownName("series", key, await store.catalog.nearest_keys(key))
    if agg not in tuple(Aggregation):
        raise UnknownName("aggregation", agg, nearest(agg, Aggregation) or tuple(Aggregation))
    zone = series.spec.zone if tz == "market" else parse_zone(tz)
    span = Span(parse_instant(start, zone) if start else None, parse_instant(end, zone) if end else None)
    at = parse_instant(as_of, zone) if as_of else None
    frame = await store.reader.observations(series.series_id, span=span, as_of=at)
    if freq is not None:
        frame = resample(
            frame,
            series_frequency=series.spec.frequency,
            freq=parse_frequency(freq),
            agg=Aggregation(agg),
            zone=zone,
        )
    return series, frame, zone


def _day(instant: object) -> str:
    return str(instant)[:10] if instant else ""
