"""``aurum schedule``: shows when jobs are submitted by themselves, and pauses, changes and runs schedules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from aurum.cli.json_output import AsJson, plain, print_json

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.services.schedule.control import ScheduleView
    from aurum.storage.ports.schedule import ScheduleSpec
    from aurum.storage.ports.watermarks import Watermark

app = typer.Typer(help="The schedule: jobs that are submitted by themselves.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the schedule, from `list`.")]
_NONE_YET = "no schedule is stored yet: a worker stores those of its release when it starts"


@app.command("list")
def list_schedules(
    context: typer.Context,
    only_on: Annotated[bool, typer.Option("--on", help="Only schedules that are on.")] = False,
    as_json: AsJson = False,
) -> None:
    """List schedules, with the time at which each fires next, and the reason why a broken one does not."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.services.jobs.definitions import default_definitions
    from aurum.services.schedule.control import views

    async def fetch(store: Store) -> Sequence[ScheduleView]:
        return await views(store.schedule, default_definitions())

    shown = [one for one in with_store(context.obj, fetch) if one.stored.spec.is_on or not only_on]
    if as_json:
        print_json([_document(one) for one in shown])
        return
    if not shown:
        print(_NONE_YET)
        return
    rows = [
        (one.stored.spec.name, _times(one.stored.spec), _state(one), one.next_at, one.stored.last_due, one.problem)
        for one in shown
    ]
    console().print(table(["schedule", "times", "state", "next", "last due", "problem"], rows, text=["problem"]))


@app.command("show")
def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show a schedule: its job, its times, and its last and next firing."""
    _show(context, name, as_json=as_json)


@app.command("run")
def run(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Submit the job of a schedule now, also of a paused one, and print its id."""
    from aurum.cli.wiring import with_store
    from aurum.services.jobs.definitions import default_definitions
    from aurum.services.schedule.control import run_schedule
    from aurum.storage.ports.access import Actor

    async def submit(store: Store) -> str:
        return await run_schedule(store.transactions, store.schedule, default_definitions(), name, by=Actor("operator"))

    job_id = with_store(context.obj, submit)
    if as_json:
        print_json({"job_id": job_id, "schedule": name})
    else:
        print(job_id)


@app.command("pause")
def pause(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Pause a schedule until `resume`. A new release does not resume it."""
    _switch(context, name, is_on=False, as_json=as_json)


@app.command("resume")
def resume(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Resume a schedule. What was due while it was paused is left out."""
    _switch(context, name, is_on=True, as_json=as_json)


@app.command("set")
def set_schedule(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the schedule; a new one is made.")],
    definition: Annotated[str | None, typer.Option("--job", help="Name of the job, from `aurum jobs definitions`.")] = None,
    payload: Annotated[str | None, typer.Option(help="Arguments of the job as a JSON object.")] = None,
    cron: Annotated[str | None, typer.Option(help="Cron expression of five fields, e.g. '30 2 * * *'.")] = None,
    zone: Annotated[str | None, typer.Option(help="IANA time zone of the expression, e.g. Europe/Berlin.")] = None,
    every: Annotated[int | None, typer.Option(help="Seconds between two firings, in place of --cron.")] = None,
    jitter: Annotated[int | None, typer.Option(help="Fire later by less than that, in seconds.")] = None,
    misfire: Annotated[
        str | None, typer.Option(help="What becomes of firings that were missed: skip, once (the newest) or all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a schedule, or change one; what is not stated stays. A new release leaves it as it is then."""
    from dataclasses import replace

    from aurum.cli.wiring import with_store
    from aurum.core.errors import Invalid
    from aurum.services.jobs.definitions import default_definitions
    from aurum.services.schedule import control
    from aurum.storage.ports.access import Actor
    from aurum.storage.ports.schedule import ScheduleSpec

    if cron is not None and every is not None:
        raise Invalid("--cron and --every: state one of them")
    arguments = None if payload is None else _arguments(payload)

    async def put(store: Store) -> None:
        known = {one.spec.name: one.spec for one in await store.schedule.schedules()}
        before = known.get(name) or ScheduleSpec(name, definition or "")
        if before.definition == "":
            raise Invalid("--job is missing: a new schedule needs the name of its job")
        stated = {
            "definition": definition,
            "payload": arguments,
            "zone": zone,
            "jitter_s": jitter,
            "misfire": misfire,
        }
        spec = replace(before, **{field: value for field, value in stated.items() if value is not None})
        if cron is not None:
            spec = replace(spec, cron=cron, every_s=None)
        if every is not None:
            spec = replace(spec, cron=None, every_s=every)
        await control.set_schedule(store.transactions, default_definitions(), spec, by=Actor("operator"), clock=store.clock)

    with_store(context.obj, put)
    _show(context, name, as_json=as_json)


@app.command("delete")
def delete(context: typer.Context, name: Name) -> None:
    """Delete a schedule. One of this release comes back as it was delivered, when a worker starts."""
    from aurum.cli.wiring import with_store
    from aurum.services.schedule.control import delete_schedule
    from aurum.storage.ports.access import Actor

    with_store(context.obj, lambda store: delete_schedule(store.transactions, name, by=Actor("operator")))
    print(f"{name} is deleted")


@app.command("watermarks")
def watermarks(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(help="Only datasets of this source.")] = None,
    as_json: AsJson = False,
) -> None:
    """List how far each dataset was fetched from its publisher, and what is due or late."""
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store

    async def fetch(store: Store) -> Sequence[Watermark]:
        return await store.watermarks.watermarks()

    listed = [one for one in with_store(context.obj, fetch) if source in (None, one.source)]
    if as_json:
        print_json(listed)
        return
    rows = [
        (f"{one.source}:{one.dataset}", one.fetched_to or "", one.state, one.last_success, one.next_due, one.reason)
        for one in listed
    ]
    console().print(table(["dataset", "fetched to", "state", "last success", "next due", "reason"], rows, text=["reason"]))


def _switch(context: typer.Context, name: str, *, is_on: bool, as_json: bool) -> None:
    from aurum.cli.wiring import with_store
    from aurum.services.schedule.control import switch_schedule
    from aurum.storage.ports.access import Actor

    async def switch(store: Store) -> None:
        await switch_schedule(store.transactions, name, is_on=is_on, by=Actor("operator"), clock=store.clock)

    with_store(context.obj, switch)
    _show(context, name, as_json=as_json)


def _show(context: typer.Context, name: str, *, as_json: bool) -> None:
    from aurum.cli.render import console, table
    from aurum.cli.wiring import with_store
    from aurum.services.jobs.definitions import default_definitions
    from aurum.services.schedule.control import view

    shown = with_store(context.obj, lambda store: view(store.schedule, default_definitions(), name))
    if as_json:
        print_json(_document(shown))
        return
    rows = [(field, _cell(value)) for field, value in _document(shown).items()]
    console().print(table(["field", "value"], rows, text=["value"]))


def _document(shown: ScheduleView) -> dict[str, Any]:
    stored = cast("dict[str, Any]", plain(shown.stored))
    spec = cast("dict[str, Any]", stored.pop("spec"))
    return {**spec, **stored, "next_at": plain(shown.next_at), "problem": shown.problem}


def _arguments(payload: str) -> dict[str, object]:
    from aurum.core.errors import Invalid

    try:
        arguments = json.loads(payload)
    except ValueError as error:
        raise Invalid(f"--payload {payload!r} is not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise Invalid(f"--payload {payload!r} is not a JSON object")
    return cast("dict[str, object]", arguments)


def _times(spec: ScheduleSpec) -> str:
    return f"every {spec.every_s} s" if spec.every_s is not None else f"{spec.cron} {spec.zone}"


def _state(shown: ScheduleView) -> str:
    if shown.problem:
        return "broken"
    return "on" if shown.stored.spec.is_on else "off"


def _cell(value: object) -> str:
    if isinstance(value, datetime | str):
        return str(value)
    return "" if value is None else json.dumps(value)
