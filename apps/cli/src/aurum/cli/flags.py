"""``aurum flags``: look at feature flags, change and kill them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.common.flags import Evaluation
    from aurum.storage.ports.flags import StoredFlag

app = typer.Typer(help="Feature flags.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the flag.")]


@app.command("list")
def list_flags(context: typer.Context) -> None:
    """List flags."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> list[StoredFlag]:
        return list(await store.flags.flags())

    rows = [
        (one.name, "on" if one.document.get("enabled", True) else "killed", one.version, one.updated_at, one.updated_by)
        for one in with_store(context.obj, fetch)
    ]
    console().print(table(["flag", "state", "version", "changed", "by"], rows, right=["version"]))


@app.command("show")
def show(context: typer.Context, name: Name) -> None:
    """Print a flag as JSON, fit for `set`."""
    print(json.dumps(_one(context, name).document, indent=2))


@app.command("set")
def set_flag(
    context: typer.Context,
    name: Name,
    file: Annotated[Path | None, typer.Argument(help="A JSON document; a simple flag that is off, when not given.")] = None,
) -> None:
    """Make a flag or change it: every process has it within a second."""
    from pydantic import TypeAdapter, ValidationError

    from aurum.cli.wiring import with_store
    from aurum.common.flags import FlagDocument, FlagName
    from aurum.core.errors import Invalid
    from aurum.services.flags import put_flag
    from aurum.storage.ports.access import Actor

    try:
        TypeAdapter(FlagName).validate_python(name)
    except ValidationError as error:
        raise Invalid(f"{name!r} is no name of a flag: {error.errors()[0]['msg']}") from error
    try:
        document = FlagDocument.model_validate_json(file.read_bytes() if file is not None else b"{}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Invalid(f"{file}: {where}: {first['msg']}") from error

    async def put(store: Store) -> StoredFlag:
        return await put_flag(store.transactions, name, document, by=Actor("operator"))

    print(f"{name} is at version {with_store(context.obj, put).version}")


@app.command("kill")
def kill(context: typer.Context, name: Name) -> None:
    """Turn a flag off for everybody, whatever its rules say."""
    _switch(context, name, enabled=False)


@app.command("revive")
def revive(context: typer.Context, name: Name) -> None:
    """Let a flag's rules hold again."""
    _switch(context, name, enabled=True)


@app.command("evaluate")
def evaluate_flag(
    context: typer.Context,
    name: Name,
    key: Annotated[str, typer.Option(help="What percentages go by: the tenant.")] = "",
    attribute: Annotated[list[str] | None, typer.Option(help="name=value; repeatable.")] = None,
) -> None:
    """Print what somebody would get, and why."""
    from aurum.cli.wiring import with_store
    from aurum.services.flags import evaluate_flag as evaluate

    pairs = [one.partition("=") for one in attribute or []]
    attributes: dict[str, Any] = {name: value for name, _, value in pairs}

    async def ask(store: Store) -> Evaluation:
        return await evaluate(store.flags, name, attributes, key=key, now=store.clock.now())

    found = with_store(context.obj, ask)
    print(f"{found.variant} ({json.dumps(found.value)}), by {found.outcome}")


def _one(context: typer.Context, name: str) -> StoredFlag:
    from aurum.cli.wiring import with_store
    from aurum.services.flags import read_flag

    return with_store(context.obj, lambda store: read_flag(store.flags, name))


def _switch(context: typer.Context, name: str, *, enabled: bool) -> None:
    from aurum.cli.wiring import with_store
    from aurum.services.flags import switch_flag
    from aurum.storage.ports.access import Actor

    with_store(context.obj, lambda store: switch_flag(store.transactions, name, enabled=enabled, by=Actor("operator")))
    print(f"{name} is {'alive' if enabled else 'killed'}")
