"""``aurum flags``: shows feature flags, changes them and turns them off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aurum.cli.json_output import AsJson, print_json, renamed

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.common.flags import Evaluation
    from aurum.storage.ports.flags import StoredFlag

app = typer.Typer(help="Feature flags.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the flag.")]


@app.command("list")
def list_flags(context: typer.Context, as_json: AsJson = False) -> None:
    """List flags."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> list[StoredFlag]:
        return list(await store.flags.flags())

    flags = with_store(context.obj, fetch)
    if as_json:
        print_json([renamed(one, document="flag") for one in flags])
        return
    rows = [
        (one.name, "on" if one.document.get("enabled", True) else "off", one.version, one.updated_at, one.updated_by)
        for one in flags
    ]
    console().print(table(["flag", "state", "version", "changed", "by"], rows, right=["version"]))


@app.command("show")
def show(context: typer.Context, name: Name) -> None:
    """Print a flag as JSON, which `set` accepts."""
    print(json.dumps(_stored(context, name).document, indent=2))


@app.command("set")
def set_flag(
    context: typer.Context,
    name: Name,
    file: Annotated[Path | None, typer.Argument(help="A JSON document. Default: a boolean flag that is off for all.")] = None,
) -> None:
    """Create or change a flag. Every process uses it within a second."""
    from pydantic import TypeAdapter, ValidationError

    from aurum.cli.wiring import with_store
    from aurum.common.flags import FlagDocument, FlagName
    from aurum.core.errors import Invalid
    from aurum.services.flags import put_flag
    from aurum.storage.ports.access import Actor

    try:
        TypeAdapter(FlagName).validate_python(name)
    except ValidationError as error:
        raise Invalid(f"{name!r} is not a valid flag name: {error.errors()[0]['msg']}") from error
    try:
        document = FlagDocument.model_validate_json(file.read_bytes() if file is not None else b"{}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Invalid(f"{file} is not a flag document: {where}: {first['msg']}") from error
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror or error}") from error

    async def put(store: Store) -> StoredFlag:
        return await put_flag(store.transactions, name, document, by=Actor("operator"))

    print(f"{name} is at version {with_store(context.obj, put).version}")


@app.command("kill")
def kill(context: typer.Context, name: Name) -> None:
    """Turn a flag off for all callers, whatever its rules say."""
    _switch(context, name, enabled=False)


@app.command("revive")
def revive(context: typer.Context, name: Name) -> None:
    """Apply the rules of a flag again after `kill`."""
    _switch(context, name, enabled=True)


@app.command("evaluate")
def evaluate_flag(
    context: typer.Context,
    name: Name,
    key: Annotated[str, typer.Option(help="Key of the caller for percentage rules, usually the tenant.")] = "",
    attribute: Annotated[list[str] | None, typer.Option(help="An attribute of the caller as name=value. Repeatable.")] = None,
) -> None:
    """Print the variant that a caller would get, and the reason."""
    from aurum.cli.wiring import with_store
    from aurum.services.flags import evaluate_flag as evaluate

    pairs = [one.partition("=") for one in attribute or []]
    attributes: dict[str, Any] = {name: value for name, _, value in pairs}

    async def run(store: Store) -> Evaluation:
        return await evaluate(store.flags, name, attributes, key=key, now=store.clock.now())

    evaluation = with_store(context.obj, run)
    print(f"{evaluation.variant} ({json.dumps(evaluation.value)}), reason: {evaluation.outcome}")


def _stored(context: typer.Context, name: str) -> StoredFlag:
    from aurum.cli.wiring import with_store
    from aurum.services.flags import read_flag

    return with_store(context.obj, lambda store: read_flag(store.flags, name))


def _switch(context: typer.Context, name: str, *, enabled: bool) -> None:
    from aurum.cli.wiring import with_store
    from aurum.services.flags import switch_flag
    from aurum.storage.ports.access import Actor

    with_store(context.obj, lambda store: switch_flag(store.transactions, name, enabled=enabled, by=Actor("operator")))
    print(f"{name} is {'on: its rules apply' if enabled else 'off for all callers'}")
