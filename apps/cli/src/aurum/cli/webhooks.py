"""``aurum webhooks``: addresses of a tenant that events are sent to, and the log of deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aurum.assembly.store import Store
    from aurum.storage.ports.webhooks import Delivery, Webhook

app = typer.Typer(help="Webhooks: events sent to addresses of a tenant.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option(help="Id of the tenant.")]
WebhookId = Annotated[str, typer.Argument(help="Id of the webhook, from `list`.")]


@app.command("add")
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Address of the receiver.")],
    event: Annotated[list[str] | None, typer.Option(help="An event to be sent. Repeatable. Default: all.")] = None,
    tenant: Tenant = "local",
) -> None:
    """Create a webhook and print its id and secret. The secret cannot be shown again."""
    from aurum.cli.wiring import with_store
    from aurum.services.webhooks.control import create_webhook
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> tuple[Webhook, str]:
        most, now = store.settings.webhooks.per_tenant, store.clock.now()
        return await create_webhook(
            store.transactions, url, event or [], by=Actor("operator"), tenant=tenant, now=now, most=most
        )

    webhook, secret = with_store(context.obj, run)
    print(f"{webhook.webhook_id} {secret}")


@app.command("list")
def list_webhooks(context: typer.Context, tenant: Tenant = "local", as_json: AsJson = False) -> None:
    """List the webhooks of a tenant."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> Sequence[Webhook]:
        return await store.webhooks.webhooks(tenant)

    webhooks = with_store(context.obj, fetch)
    if as_json:
        print_json(webhooks)
        return
    rows = [
        (one.webhook_id, one.url, ", ".join(one.events) or "all", one.created_at, one.off_reason or "on") for one in webhooks
    ]
    console().print(table(["webhook", "address", "events", "created", "state"], rows))


@app.command("remove")
def remove(context: typer.Context, webhook_id: WebhookId, tenant: Tenant = "local") -> None:
    """Delete a webhook with the log of its deliveries."""
    from aurum.cli.wiring import with_store
    from aurum.services.webhooks.control import delete_webhook
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> Webhook:
        return await delete_webhook(store.transactions, webhook_id, by=Actor("operator"), tenant=tenant)

    print(f"deleted the webhook to {with_store(context.obj, run).url}")


@app.command("deliveries")
def deliveries(
    context: typer.Context,
    webhook_id: WebhookId,
    tenant: Tenant = "local",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most deliveries to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the deliveries of a webhook, the newest first."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> Sequence[Delivery]:
        await store.webhooks.webhook(tenant, webhook_id)
        return await store.webhooks.deliveries(tenant, webhook_id, limit=limit)

    listed = with_store(context.obj, fetch)
    if as_json:
        print_json(listed)
        return
    rows = [(one.delivery_id, one.event, one.state, one.created_at, one.attempts, one.status, one.reason) for one in listed]
    console().print(table(["delivery", "event", "state", "created", "attempts", "status", "reason"], rows))


@app.command("retry")
def retry(
    context: typer.Context,
    delivery_id: Annotated[str, typer.Argument(help="Id of the delivery, from `deliveries`.")],
    tenant: Tenant = "local",
) -> None:
    """Send a delivery again, with the same id and body."""
    from aurum.cli.wiring import with_store
    from aurum.services.webhooks.control import send_again
    from aurum.storage.ports.access import Actor

    async def run(store: Store) -> Delivery:
        return await send_again(store.transactions, delivery_id, by=Actor("operator"), tenant=tenant)

    print(f"{with_store(context.obj, run).delivery_id} will be sent again")
