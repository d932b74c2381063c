"""``aurum alerts``: datasets that are late, stale, incomplete or shrinking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.store import Store
    from aurum.core.alerts.alert import Alert

app = typer.Typer(help="Alerts on datasets.", no_args_is_help=True)

AlertId = Annotated[str, typer.Argument(help="Id of the alert, from `list`.")]


@app.command("list")
def list_alerts(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only alerts of this source.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only alerts of this dataset.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Resolved alerts, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most alerts to list.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List alerts, the last opened first."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.core.alerts.alert import AlertState
    from aurum.storage.ports.alerts import AlertFilter

    states = () if every else (AlertState.OPEN, AlertState.ACKNOWLEDGED)

    async def fetch(store: Store) -> Sequence[Alert]:
        return await store.alerts.page(AlertFilter(source, dataset, states=states), limit=limit)

    alerts = with_store(context.obj, fetch)
    if as_json:
        from aurum.services.alerts.recording import alert_members

        print_json([alert_members(alert) for alert in alerts])
        return
    rows = [(alert.alert_id, alert.subject.kind, alert.state, alert.opened_at, alert.summary) for alert in alerts]
    console().print(table(["alert", "kind", "state", "opened", "summary"], rows))


@app.command("ack")
def acknowledge(context: typer.Context, alert_id: AlertId) -> None:
    """Say that you have seen an alert."""
    from aurum.cli.wiring import with_store
    from aurum.services.alerts.control import acknowledge_alert
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> Alert:
        return await acknowledge_alert(store.transactions, alert_id, by=Actor("operator"), now=store.clock.now())

    alert = with_store(context.obj, run)
    print(f"{alert_id} is {alert.state}: {alert.summary}")


@app.command("resolve")
def resolve(context: typer.Context, alert_id: AlertId) -> None:
    """Settle an alert. The same fault does not open it again on the same day."""
    from aurum.cli.wiring import with_store
    from aurum.services.alerts.control import resolve_alert
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> Alert:
        return await resolve_alert(store.transactions, alert_id, by=Actor("operator"), now=store.clock.now())

    alert = with_store(context.obj, run)
    print(f"{alert_id} is {alert.state}: {alert.summary}")


@app.command("check")
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Check all datasets now, and open or resolve their alerts."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_pipelines
    from aurum.services.alerts.recording import Changes, alert_members

    async def run(pipelines: Pipelines) -> Changes:
        return await pipelines.check_alerts()

    changes = with_pipelines(context.obj, run)
    if as_json:
        print_json(
            [alert_members(alert) for alert in changes.opened],
            resolved=[alert_members(alert) for alert in changes.resolved],
        )
        return
    rows = [(alert.alert_id, "opened", alert.summary) for alert in changes.opened]
    rows += [(alert.alert_id, "resolved", alert.summary) for alert in changes.resolved]
    console().print(table(["alert", "change", "summary"], rows))
