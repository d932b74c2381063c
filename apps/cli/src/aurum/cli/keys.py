"""``aurum keys`` and ``aurum tenants``: who may use the service. The first key of an installation is created here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from aurum.cli.json_output import AsJson, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.services.access import IssuedKey
    from aurum.storage.ports.access import Actor, ApiKey
    from aurum.storage.ports.access import Tenant as TenantRow
    from aurum.storage.ports.usage import DayUsage

keys_app = typer.Typer(help="API keys.", no_args_is_help=True)
tenants_app = typer.Typer(help="Tenants: customers and their plans.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option(help="Id of the tenant.")]
KeyId = Annotated[str, typer.Argument(help="Id of the key, from `list`.")]


def _operator() -> Actor:
    from aurum.storage.ports.access import Actor

    return Actor("operator")


@keys_app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    tenant: Tenant = "local",
    role: Annotated[
        list[str] | None, typer.Option(help="user (the default), analyst, trader, approver, admin, super_admin. Repeatable.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="A single scope, such as admin:read. Repeatable.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until the key expires. Default: it does not expire.")] = None,
    owner: Annotated[
        str | None,
        typer.Option(help="Name of the person who will use it. A key without one can approve nothing."),
    ] = None,
) -> None:
    """Create a key and print it. It cannot be shown again."""
    from aurum.cli.wiring import with_store
    from aurum.core.access import parse_role, parse_scope
    from aurum.services.access import NewKey, create_key

    scopes = tuple(parse_scope(one) for one in scope or [])
    # A key with explicit scopes does not get the default role as well.
    roles = tuple(parse_role(one) for one in role or ([] if scopes else ["user"]))

    async def make(store: Store) -> IssuedKey:
        now = store.clock.now()
        ends = now + timedelta(days=days) if days is not None else None
        return await create_key(store.transactions, NewKey(tenant, name, roles, scopes, ends, owner), by=_operator(), now=now)

    print(with_store(context.obj, make).text)


@keys_app.command("list")
def list_keys(context: typer.Context, tenant: Tenant = "local", as_json: AsJson = False) -> None:
    """List the keys of a tenant."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> list[ApiKey]:
        keys: list[ApiKey] = []
        while page := await store.access.keys.page(tenant, after=keys[-1].key_id if keys else None, limit=500):
            keys += page
        return keys

    keys = with_store(context.obj, fetch)
    if as_json:
        print_json(keys)
        return
    rows = [
        (
            key.key_id,
            key.name,
            key.owner or "",
            ", ".join((*key.roles, *key.scopes)),
            key.created_at,
            key.expires_at,
            key.revoked_at,
            key.last_used_at,
        )
        for key in keys
    ]
    console().print(table(["key", "name", "owner", "grants", "created", "expires", "revoked", "last used"], rows))


@keys_app.command("rotate")
def rotate(
    context: typer.Context,
    key_id: KeyId,
    tenant: Tenant = "local",
    grace_hours: Annotated[float, typer.Option(min=0, help="Hours for which the old key is still accepted.")] = 24.0,
) -> None:
    """Replace a key by a new one with the same grants, and print it. It cannot be shown again."""
    from aurum.cli.wiring import with_store
    from aurum.services.access import rotate_key

    async def make(store: Store) -> IssuedKey:
        grace = timedelta(hours=grace_hours)
        return await rotate_key(store.transactions, tenant, key_id, grace=grace, by=_operator(), now=store.clock.now())

    print(with_store(context.obj, make).text)


@keys_app.command("owner")
def owner(
    context: typer.Context,
    key_id: KeyId,
    name: Annotated[str, typer.Argument(help="Name of the person who uses the key.")],
    tenant: Tenant = "local",
) -> None:
    """Name the person who uses a key that was made without an owner. It never changes: a wrong one needs a new key."""
    from aurum.cli.wiring import with_store
    from aurum.services.access import give_owner

    async def give(store: Store) -> ApiKey:
        return await give_owner(store.transactions, tenant, key_id, name, by=_operator(), now=store.clock.now())

    key = with_store(context.obj, give)
    print(f"{key.key_id} ({key.name}) belongs to {key.owner}")


@keys_app.command("revoke")
def revoke(context: typer.Context, key_id: KeyId, tenant: Tenant = "local") -> None:
    """Revoke a key. Within a second no process accepts it any more."""
    from aurum.cli.wiring import with_store
    from aurum.services.access import revoke_key

    async def end(store: Store) -> ApiKey:
        return await revoke_key(store.transactions, tenant, key_id, by=_operator())

    key = with_store(context.obj, end)
    print(f"{key.key_id} ({key.name}) was revoked at {key.revoked_at:%Y-%m-%d %H:%M:%S} UTC")


@tenants_app.command("create")
def create_tenant(
    context: typer.Context,
    tenant_id: Annotated[str, typer.Argument(help="Id: lower-case letters, digits and hyphens, at most 63.")],
    name: Annotated[str, typer.Argument(help="Display name.")],
    plan: Annotated[str, typer.Option(help="Rate plan, e.g. free, basic or premium.")] = "free",
) -> None:
    """Create a tenant."""
    from aurum.cli.wiring import with_store
    from aurum.core.access import parse_tenant_id
    from aurum.services.access import create_tenant as create

    with_store(context.obj, lambda store: create(store.transactions, parse_tenant_id(tenant_id), name, plan, by=_operator()))
    print(f"created tenant {tenant_id} on plan {plan}")


@tenants_app.command("list")
def list_tenants(context: typer.Context, as_json: AsJson = False) -> None:
    """List tenants and their plans."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> list[TenantRow]:
        return list(await store.access.tenants.tenants(after=None, limit=1000))

    tenants = with_store(context.obj, fetch)
    if as_json:
        print_json(tenants)
        return
    rows = [(one.tenant_id, one.name, one.plan, one.created_at, one.disabled_at) for one in tenants]
    console().print(table(["tenant", "name", "plan", "created", "disabled"], rows))


@tenants_app.command("usage")
def list_usage(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Id of the tenant. Default: all.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Number of UTC days, today included.")] = 30,
    as_json: AsJson = False,
) -> None:
    """List requests, observations and bytes by caller and UTC day, as the processes of the service have written them."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> list[DayUsage]:
        since = store.clock.now().date() - timedelta(days=days - 1)
        usage: list[DayUsage] = []
        after = None
        while page := await store.usage.page(tenant=tenant, since=since, after=after, limit=500):
            usage += page
            after = (page[-1].day, page[-1].tenant, page[-1].subject)
        return usage

    usage = with_store(context.obj, fetch)
    if as_json:
        print_json(usage)
        return
    rows = [(one.day, one.tenant, one.subject, f"{one.requests:,}", f"{one.points:,}", f"{one.bytes:,}") for one in usage]
    console().print(table(["day", "tenant", "caller", "requests", "points", "bytes"], rows))


@tenants_app.command("plan")
def change_plan(
    context: typer.Context,
    tenant_id: Annotated[str, typer.Argument(help="Id of the tenant.")],
    plan: Annotated[str, typer.Argument(help="Name of the new plan.")],
) -> None:
    """Move a tenant to another plan."""
    from aurum.cli.wiring import with_store
    from aurum.services.access import change_tenant

    with_store(context.obj, lambda store: change_tenant(store.transactions, tenant_id, plan=plan, by=_operator()))
    print(f"{tenant_id} is on plan {plan}")
