"""``aurum series``: lists series, and shows their observations as a table or a plot."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.services.observations import Answer, Question

app = typer.Typer(help="Series and their observations.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="Series key, e.g. nyiso:damlbmp_zone:61761:lmp.")]
Start = Annotated[str | None, typer.Option(help="First day or time, in the zone --tz.")]
End = Annotated[str | None, typer.Option(help="Day or time to end before, in the zone --tz.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Values as they were known at this time.")]
Zone = Annotated[str, typer.Option("--tz", help="'market', UTC or an IANA name.")]
Freq = Annotated[str | None, typer.Option(help="Resample to 15min, 1h, 1d, 1w, 1mo ... in local time.")]
Agg = Annotated[str, typer.Option(help="mean, sum, min, max, first, last, median, std, count.")]
BlockName = Annotated[str | None, typer.Option("--block", help="Only hours of this block: ON_PEAK, or calendar:ON_PEAK.")]
UnitText = Annotated[str | None, typer.Option("--unit", help="Convert values to this unit, e.g. USD/MMBtu.")]
CurrencyCode = Annotated[str | None, typer.Option("--currency", help="Convert money at the ECB's rate of each day, e.g. EUR.")]


@app.command("list")
def list_series(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(help="Text to find in keys and names.")] = None,
    source: Annotated[str | None, typer.Option()] = None,
    dataset: Annotated[str | None, typer.Option()] = None,
    market: Annotated[str | None, typer.Option()] = None,
    measure: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """List series."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.storage.ports.catalog import SeriesFilter

    criteria = SeriesFilter(source=source, dataset=dataset, market=market, measure=measure, text=text)
    series = with_store(context.obj, lambda store: store.catalog.reader.series_page(criteria, after=None, limit=limit))
    rows = [
        (one.key, one.spec.location_name, one.spec.frequency, one.spec.unit, _day(one.first_ts), _day(one.last_ts))
        for one in series
    ]
    console().print(table(["key", "location", "step", "unit", "first", "last"], rows))
    if len(series) == limit:
        print(f"only the first {limit} series are shown: raise --limit for more")


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
    block: BlockName = None,
    unit: UnitText = None,
    currency: CurrencyCode = None,
    rows: Annotated[int, typer.Option(min=1, help="Most rows to show, from the start.")] = 48,
) -> None:
    """Show a series and its observations."""
    import polars as pl

    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.core.catalog import Quality
    from aurum.services.observations import unit_of

    question = _question(start, end, as_of, tz, freq, agg, block, unit, currency)
    answer = with_store(context.obj, lambda store: _read(store, key, question))
    (series,), frame, zone = answer.series, answer.frame, answer.plan.zone
    shown_unit, _ = unit_of(series, answer.plan)
    step = answer.plan.frequency_of(series)
    out = console()
    out.print(f"{key}  {series.spec.location_name}  {shown_unit}  {step}  {zone}  version {series.version}")
    shown = frame.head(rows).with_columns(pl.col("ts", "known_at").dt.convert_time_zone(zone).dt.to_string("%Y-%m-%d %H:%M %Z"))
    lines = [
        (ts, f"{value:,.4f}".rstrip("0").rstrip("."), Quality(quality).label, known_at)
        for ts, value, quality, known_at in shown.select("ts", "value", "quality", "known_at").rows()
    ]
    out.print(table(["start", "value", "quality", "known at"], lines, right=["value"]))
    if frame.height > rows:
        print(f"only {rows} of {frame.height:,} rows are shown: raise --rows for more")


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
    block: BlockName = None,
    unit: UnitText = None,
    currency: CurrencyCode = None,
) -> None:
    """Plot a series in the terminal."""
    import plotext  # pyright: ignore[reportMissingTypeStubs] - ships no types
    import polars as pl

    from aurum.cli.wiring import with_store
    from aurum.services.observations import unit_of

    question = _question(start, end, as_of, tz, freq, agg, block, unit, currency)
    answer = with_store(context.obj, lambda store: _read(store, key, question))
    (series,), frame, zone = answer.series, answer.frame, answer.plan.zone
    if frame.is_empty():
        print("no observations in this span")
        return
    local = frame.filter(pl.col("value").is_not_nan()).with_columns(pl.col("ts").dt.convert_time_zone(zone))
    stamps = local["ts"].dt.to_string("%Y-%m-%d %H:%M").to_list()
    plotext.date_form("Y-m-d H:M")
    plotext.theme("clear")
    plotext.plot(stamps, local["value"].to_list())
    plotext.title(f"{key}  {series.spec.location_name}")
    plotext.ylabel(unit_of(series, answer.plan)[0])
    plotext.xlabel(zone)
    picture: str = plotext.build()
    print(picture if sys.stdout.isatty() else plotext.uncolorize(picture))


def _question(
    start: str | None,
    end: str | None,
    as_of: str | None,
    tz: str,
    freq: str | None,
    agg: str,
    block: str | None,
    unit: str | None,
    currency: str | None,
) -> Question:
    """Return the question that the options state. ``agg`` is ignored without ``freq``. Raises ``UnknownName``."""
    from aurum.core.errors import UnknownName
    from aurum.core.frequency import parse_frequency
    from aurum.core.names import nearest
    from aurum.core.series.resample import Aggregation
    from aurum.services.observations import Question

    if agg not in tuple(Aggregation):
        raise UnknownName("aggregation", agg, nearest(agg, Aggregation) or tuple(Aggregation))
    return Question(
        start=start or None,
        end=end or None,
        as_of=as_of or None,
        tz=tz,
        freq=parse_frequency(freq) if freq is not None else None,
        agg=Aggregation(agg) if freq is not None else None,
        block=block,
        unit=unit,
        currency=currency,
    )


async def _read(store: Store, key: str, question: Question) -> Answer:
    from aurum.assembly.services import reading
    from aurum.services.observations import read_one, series_of

    return await read_one(reading(store), await series_of(store.catalog.reader, key), question)


def _day(instant: object) -> str:
    return str(instant)[:10] if instant else ""
