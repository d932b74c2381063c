"""``aurum private``: the private series of a tenant; ``aurum ingest --tenant`` loads files into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings
    from aurum.core.series.model import Series
    from aurum.services.private import Declaration
    from aurum.storage.ports.removal import RemovedRows

app = typer.Typer(help="Private series of tenants.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option(help="Id of the tenant.")]
Name = Annotated[str, typer.Argument(help="Name of the series, such as east-plant.")]


@dataclass(frozen=True, slots=True)
class PrivateFileReport:
    """The outcome of one file: ``applied`` or ``refused``, and why."""

    name: str
    outcome: str
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    reason: str = ""


@app.command("declare")
def declare(
    context: typer.Context,
    name: Name,
    unit: Annotated[str, typer.Option(help="Unit of the values, e.g. MWh or USD/MWh.")],
    frequency: Annotated[str, typer.Option("--freq", help="Step: 15min, 1h, 1d ... or irregular.")],
    zone: Annotated[str, typer.Option("--tz", help="IANA name of the time zone of its days.")],
    title: Annotated[str, typer.Option(help="Title of the series.")] = "",
    tenant: Tenant = "local",
) -> None:
    """Declare a series, or change the title of a declared one. The same declaration again changes nothing."""
    from aurum.cli.wiring import with_store
    from aurum.services.private import declare_series, private_spec
    from aurum.storage.ports.access import Actor

    spec = private_spec(name, unit=unit, frequency=frequency, zone=zone, title=title)

    async def run(store: Store) -> Declaration:
        most = store.settings.private.series
        return await declare_series(store.private.of(tenant), spec, most=most, by=Actor("operator"))

    declared = with_store(context.obj, run)
    print(f"{'declared' if declared.is_new else 'already declared'}: {declared.series.key}")


@app.command("list")
def list_series(context: typer.Context, tenant: Tenant = "local", as_json: AsJson = False) -> None:
    """List the private series of a tenant."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.storage.ports.catalog import SeriesFilter

    async def fetch(store: Store) -> Sequence[Series]:
        await store.access.tenants.tenant(tenant)
        return await store.private.of(tenant).catalog.series_page(
            SeriesFilter(), after=None, limit=store.settings.private.series
        )

    series = with_store(context.obj, fetch)
    if as_json:
        print_json([_document(one) for one in series])
        return
    rows = [
        (one.key.location, one.spec.location_name, one.spec.frequency, one.spec.unit, _day(one.first_ts), _day(one.last_ts))
        for one in series
    ]
    console().print(table(["name", "title", "step", "unit", "first", "last"], rows))


@app.command("remove")
def remove(context: typer.Context, name: Name, tenant: Tenant = "local") -> None:
    """Remove a series with all its points. It cannot be undone."""
    from aurum.cli.wiring import with_store
    from aurum.services.private import remove_private_series
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> RemovedRows:
        return await remove_private_series(store.private.of(tenant), name, by=Actor("operator"))

    removed = with_store(context.obj, run)
    print(f"removed {name}: {removed.points:,} points, {removed.versions:,} earlier versions")


def ingest_private_files(
    settings: Settings,
    paths: Sequence[str],
    tenant: str | None,
    series: str | None,
    others: Mapping[str, object],
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    """Load CSV files into a private series, each completely or not at all, and print a line for each.

    ``others``: options of `aurum ingest` that do not apply here, with their values. Exits with ``REFUSED_FILES`` when a file
    was refused. Raises ``InvalidParameters``, and ``UnknownName`` for an unknown tenant or series.
    """
    from aurum.cli.exit_codes import REFUSED_FILES
    from aurum.cli.wiring import with_store
    from aurum.core.errors import InvalidParameters

    if tenant is None or series is None:
        missing = "--tenant" if tenant is None else "--series"
        raise InvalidParameters((missing, "is missing: --tenant and --series are used together", None))
    if used := [option for option, value in others.items() if value]:
        raise InvalidParameters((used[0], "does not apply to private series: write known times into the column known_at", None))
    reports = with_store(settings, lambda store: _ingest(store, [Path(path) for path in paths], tenant, series))
    if as_json:
        print_json(reports)
    for report in reports if not as_json else ():
        if report.reason:
            print(f"refused {report.name}: {report.reason}")
        elif not quiet:
            print(f"loaded {report.name}: {report.new:,} new, {report.revised:,} revised, {report.unchanged:,} unchanged")
    if any(report.reason for report in reports):
        raise typer.Exit(REFUSED_FILES)


async def _ingest(store: Store, paths: Sequence[Path], tenant: str, name: str) -> list[PrivateFileReport]:
    from aurum.cli.render import safe
    from aurum.core.errors import Invalid
    from aurum.services.private import csv_rows, store_points
    from aurum.storage.ports.access import Actor

    await store.access.tenants.tenant(tenant)
    private, limits = store.private.of(tenant), store.settings.private
    reports: list[PrivateFileReport] = []
    for path in paths:
        try:
            content = _content(path, limits.body_bytes)
            rows = csv_rows(content)
            stored = await store_points(
                private,
                name,
                rows,
                file_name=path.name,
                size=len(content),
                most=limits.points,
                now=store.clock.now(),
                by=Actor("operator"),
            )
        except Invalid as error:
            reports.append(PrivateFileReport(safe(path.name), "refused", reason=safe(error.detail)))
        else:
            counts = (stored.new, stored.revised, stored.unchanged)
            reports.append(PrivateFileReport(safe(path.name), "applied", *counts))
    return reports


def _content(path: Path, most: int) -> bytes:
    from aurum.core.errors import Invalid

    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise Invalid(f"the file cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise Invalid(f"the file has more than {most:,} bytes (AURUM_PRIVATE__BODY_BYTES): split it")
    return content


def _document(series: Series) -> dict[str, object]:
    spec = series.spec
    return {
        "name": spec.key.location,
        "key": str(spec.key),
        "title": spec.location_name,
        "unit": spec.unit,
        "currency": spec.currency,
        "frequency": str(spec.frequency),
        "zone": spec.zone,
        "first": series.first_ts,
        "last": series.last_ts,
        "version": series.version,
        "updated_at": series.updated_at,
    }


def _day(instant: object) -> str:
    return str(instant)[:10] if instant is not None else ""
