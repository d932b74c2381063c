"""``aurum series show``, ``issues``, ``plot`` and ``movers``: observations of series as a table or a plot."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json
from aurum.cli.option_values import day_of
from aurum.cli.series_document import series_document

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.core.catalog.entries import IssueEntry
    from aurum.services.movers import Count, Movers
    from aurum.services.observations import Answer, Question

Key = Annotated[str, typer.Argument(help="Series key, e.g. nyiso:damlbmp_zone:61761:lmp.")]
Start = Annotated[str | None, typer.Option(help="First day or time, in the zone --tz.")]
End = Annotated[str | None, typer.Option(help="Day or time to end before, in the zone --tz.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Values as they were known at this time.")]
AsLoaded = Annotated[
    str | None, typer.Option("--as-loaded", help="The store with the files loaded up to this time, whatever came since.")
]
Zone = Annotated[str, typer.Option("--tz", help="'market', UTC or an IANA name.")]
Freq = Annotated[str | None, typer.Option(help="Resample to 15min, 1h, 1d, 1w, 1mo ... in local time.")]
Agg = Annotated[str, typer.Option(help="mean, sum, min, max, first, last, median, std, count.")]
BlockName = Annotated[str | None, typer.Option("--block", help="Only hours of this block: ON_PEAK, or calendar:ON_PEAK.")]
MinCoverage = Annotated[
    float | None, typer.Option("--min-coverage", help="Withhold aggregates below this share of their values, 0 to 1.")
]
UnitText = Annotated[str | None, typer.Option("--unit", help="Convert values to this unit, e.g. USD/MMBtu.")]
IssueChoice = Annotated[
    str | None, typer.Option("--issue", help="One issue of a forecast: latest, first, or its known time from `issues`.")
]
DaysAhead = Annotated[
    int | None, typer.Option("--days-ahead", help="Forecast known before the day begins (1), or days before that.")
]
Before = Annotated[str | None, typer.Option("--before", metavar="HH:MM", help="Known by this time, --days-ahead days before.")]
HoursAhead = Annotated[
    float | None, typer.Option("--hours-ahead", help="Forecast known at least this many hours before each interval.")
]
TenantOfSeries = Annotated[
    str | None,
    typer.Option("--tenant", help="Tenant whose private series may be named, e.g. private:series:meter:value."),
]
CurrencyCode = Annotated[str | None, typer.Option("--currency", help="Convert money at the ECB's rate of each day, e.g. EUR.")]


def register(group: typer.Typer) -> None:
    """Add the commands to ``aurum series``."""
    group.command("show")(show)
    group.command("issues")(show_issues)
    group.command("plot")(plot)
    group.command("movers")(show_movers)


def show(
    context: typer.Context,
    key: Key,
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    as_loaded: AsLoaded = None,
    tz: Zone = "market",
    freq: Freq = None,
    agg: Agg = "mean",
    block: BlockName = None,
    unit: UnitText = None,
    currency: CurrencyCode = None,
    min_coverage: MinCoverage = None,
    issue: IssueChoice = None,
    days_ahead: DaysAhead = None,
    before: Before = None,
    hours_ahead: HoursAhead = None,
    tenant: TenantOfSeries = None,
    rows: Annotated[int, typer.Option(min=1, help="Most rows to show, from the start.")] = 48,
    as_json: AsJson = False,
) -> None:
    """Show a series and its observations."""
    import polars as pl

    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.core.catalog import Quality
    from aurum.services.observations import unit_of

    known = (as_of, as_loaded, issue, days_ahead, before, hours_ahead)
    question = _question(start, end, *known, tz, freq, agg, block, unit, currency, min_coverage)
    answer = with_store(context.obj, lambda store: _read(store, key, question, tenant))
    (series,), frame, zone = answer.series, answer.frame, answer.plan.zone
    shown_unit, _ = unit_of(series, answer.plan)
    if as_json:
        counted = ("count", "expected") if answer.plan.freq is not None else ()
        data = [
            row | {"quality": Quality(row["quality"]).label}
            for row in frame.head(rows)
            .select("ts", "value", "quality", "known_at", *counted)
            .iter_rows(named=True)  # rows: shown
        ]
        print_json(data, series=series_document(series), unit=shown_unit, tz=zone, truncated=frame.height > rows)
        return
    step = answer.plan.frequency_of(series)
    out = console()
    out.print(f"{key}  {series.spec.location_name}  {shown_unit}  {step}  {zone}  version {series.version}")
    shown = frame.head(rows).with_columns(pl.col("ts", "known_at").dt.convert_time_zone(zone).dt.to_string("%Y-%m-%d %H:%M %Z"))
    lines = [
        (ts, f"{value:,.4f}".rstrip("0").rstrip("."), Quality(quality).label, known_at)
        for ts, value, quality, known_at in shown.select("ts", "value", "quality", "known_at").rows()
    ]
    columns = ["start", "value", "quality", "known at"]
    if answer.plan.freq is not None:
        columns.append("values")
        counts = shown.select("count", "expected").rows()
        lines = [
            (*line, f"{count} of {'?' if expected is None else expected}")
            for line, (count, expected) in zip(lines, counts, strict=True)
        ]
    out.print(table(columns, lines, right=["value", "values"]))
    if frame.height > rows:
        print(f"only {rows} of {frame.height:,} rows are shown: raise --rows for more")


def show_issues(
    context: typer.Context,
    key: Key,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Only issues known at this time (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most issues to show, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the issues of a forecast, newest first: `--issue` of `series show` reads one of them."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.services.observations import parse_as_of, series_of

    async def run(store: Store) -> Sequence[IssueEntry]:
        catalog = store.catalog.reader
        series = await series_of(catalog, key)
        return await catalog.issues_page(series.series_id, as_of=parse_as_of(as_of), before=None, limit=limit)

    issues = with_store(context.obj, run)
    if as_json:
        print_json(
            [
                {
                    "known_at": issue.known_at,
                    "basis": issue.basis,
                    "file_id": issue.file_id,
                    "file": issue.file_name,
                    "start": issue.first_ts,
                    "last": issue.last_ts,
                    "series": issue.series,
                }
                for issue in issues
            ]
        )
        return
    lines = [
        (
            issue.known_at.isoformat(),
            issue.basis,
            issue.first_ts.isoformat(),
            issue.last_ts.isoformat(),
            issue.series,
            issue.file_name,
        )
        for issue in issues
    ]
    console().print(table(["known at", "basis", "first interval", "last interval", "series", "file"], lines, right=["series"]))
    if len(issues) == limit:
        print(f"only the newest {limit} issues are shown: raise --limit for more")


def plot(
    context: typer.Context,
    key: Key,
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    as_loaded: AsLoaded = None,
    tz: Zone = "market",
    freq: Freq = None,
    agg: Agg = "mean",
    block: BlockName = None,
    unit: UnitText = None,
    currency: CurrencyCode = None,
    min_coverage: MinCoverage = None,
    issue: IssueChoice = None,
    days_ahead: DaysAhead = None,
    before: Before = None,
    hours_ahead: HoursAhead = None,
    tenant: TenantOfSeries = None,
) -> None:
    """Plot a series in the terminal."""
    import plotext  # pyright: ignore[reportMissingTypeStubs] - ships no types
    import polars as pl

    from aurum.cli.wiring import with_store
    from aurum.services.observations import unit_of

    known = (as_of, as_loaded, issue, days_ahead, before, hours_ahead)
    question = _question(start, end, *known, tz, freq, agg, block, unit, currency, min_coverage)
    answer = with_store(context.obj, lambda store: _read(store, key, question, tenant))
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


def show_movers(
    context: typer.Context,
    measure: Annotated[str, typer.Option(help="Measure, e.g. lmp.")],
    market: Annotated[str, typer.Option(help="Market, e.g. NYISO.")],
    day: Annotated[str, typer.Option(help="Market day, e.g. 2025-11-03.")],
    against: Annotated[str, typer.Option(help="previous, week (the same weekday a week before) or a date.")] = "previous",
    block: BlockName = None,
    unit: Annotated[str | None, typer.Option(help="Only series in this unit; values are not converted.")] = None,
    currency: Annotated[str | None, typer.Option(help="Only series in this currency; values are not converted.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Most movers, and most incomplete series, to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the series whose mean changed most from one market day to another."""
    from aurum.assembly.services import wide_reading
    from aurum.cli.wiring import with_store
    from aurum.services.movers import MoversQuestion, movers

    question = MoversQuestion(measure, market, day_of(day, "--day"), against, block, unit, currency, limit)
    answer = with_store(context.obj, lambda store: movers(wide_reading(store), question))
    if as_json:
        print(json.dumps(answer.document(), indent=2))
    else:
        _print_movers(answer)


def _print_movers(answer: Movers) -> None:
    from aurum.cli.render import console, table

    out = console()
    hours = f"{answer.block.calendar}:{answer.block.name}" if answer.block is not None else "all hours"
    out.print(f"{answer.measure}  {answer.market.code}  {answer.unit}  {answer.day} against {answer.against}  {hours}")
    rows = [
        (
            one.series.key,
            one.series.spec.location_name,
            f"{one.before:,.2f}",
            f"{one.after:,.2f}",
            f"{one.change:+,.2f}",
            f"{one.relative_change:+.1%}" if one.relative_change is not None else "",
        )
        for one in answer.movers
    ]
    numbers = [str(answer.against), str(answer.day), "change", "%"]
    out.print(table(["key", "location", *numbers], rows, right=numbers))
    if answer.ranked > len(rows):
        print(f"only the first {len(rows)} of {answer.ranked:,} series are shown: raise --limit for more")
    if answer.incomplete:
        out.print(f"not ranked, because intervals are missing: {answer.incomplete_series:,}")
        counts = [(one.series.key, _present(one.before), _present(one.after)) for one in answer.incomplete]
        out.print(table(["key", *numbers[:2]], counts, right=numbers[:2]))


def _present(count: Count) -> str:
    return f"{count.present} of {'?' if count.expected is None else count.expected}"


def _question(
    start: str | None,
    end: str | None,
    as_of: str | None,
    as_loaded: str | None,
    issue: str | None,
    days_ahead: int | None,
    before: str | None,
    hours_ahead: float | None,
    tz: str,
    freq: str | None,
    agg: str,
    block: str | None,
    unit: str | None,
    currency: str | None,
    min_coverage: float | None,
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
        as_loaded=as_loaded or None,
        issue=issue,
        days_ahead=days_ahead,
        before=before,
        hours_ahead=hours_ahead,
        tz=tz,
        freq=parse_frequency(freq) if freq is not None else None,
        agg=Aggregation(agg) if freq is not None else None,
        block=block,
        unit=unit,
        currency=currency,
        min_coverage=min_coverage,
    )


async def _read(store: Store, key: str, question: Question, tenant: str | None) -> Answer:
    from aurum.assembly.services import reading
    from aurum.services.observations import read_one, series_of
    from aurum.services.private import tenant_reading

    shared = reading(store)
    readers = shared if tenant is None else tenant_reading(shared, store.private.of(tenant))
    present = replace(question, now=store.clock.now())
    return await read_one(readers, await series_of(readers.catalog, key), present)
