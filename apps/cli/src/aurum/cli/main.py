"""The ``aurum`` command. Commands import the libraries when they run, so that ``--help`` is fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="aurum",
    help=(
        "Market data for energy trading: every version of every number, served in milliseconds.\n\n"
        "Exit codes: 0 success; 1 failed, or a server does not answer; 2 the command line or a name in it is invalid; "
        "3 at least one file was refused."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    from importlib.metadata import version

    from aurum.storage.migrations.head import newest_revision

    if wanted:
        print(f"aurum {version('aurum-cli')} (schema {newest_revision()})")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", envvar="AURUM_DATA_DIR", help="Folder of the embedded servers and local data.", show_default=".aurum"
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Log more, and list the formats tried for an unknown file.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and the schema head.")
    ] = False,
) -> None:
    del version  # its callback ends the command
    from aurum.common.settings import load_settings
    from aurum.common.telemetry.logging import configure_logging

    if context.resilient_parsing:
        return
    settings = load_settings({} if data_dir is None else {"data_dir": data_dir})
    configure_logging(settings.logging.model_copy(update={"level": "DEBUG"}) if verbose else settings.logging)
    context.obj = settings


def register_commands() -> None:
    """Add all commands to the app. Modules of commands are imported here, so that importing this one is fast."""
    from aurum.cli import (
        alerts,
        archive,
        backfill,
        catalog,
        changes,
        curves,
        db,
        dbt,
        fetch,
        flags,
        ingest,
        jobs,
        keys,
        known_at,
        lineage,
        openapi,
        private,
        quality,
        quarantine,
        schedule,
        series,
        sources,
        up,
        webhooks,
    )

    for module in (up, ingest, fetch, backfill, changes, lineage, openapi):
        module.register(app)
    for name, module in (("series", series), ("db", db), ("dbt", dbt), ("quarantine", quarantine), ("quality", quality)):
        app.add_typer(module.app, name=name)
    app.add_typer(alerts.app, name="alerts")
    app.add_typer(archive.app, name="archive")
    app.add_typer(catalog.app, name="catalog")
    app.add_typer(curves.app, name="curves")
    app.add_typer(flags.app, name="flags")
    app.add_typer(jobs.app, name="jobs")
    app.add_typer(keys.keys_app, name="keys")
    app.add_typer(known_at.app, name="known-at")
    app.add_typer(private.app, name="private")
    app.add_typer(schedule.app, name="schedule")
    app.add_typer(sources.app, name="sources")
    app.add_typer(keys.tenants_app, name="tenants")
    app.add_typer(webhooks.app, name="webhooks")


def main() -> None:
    """Run a command. An expected failure prints one line and sets its exit code."""
    from aurum.cli.exit_codes import INTERRUPTED, USAGE, exit_code
    from aurum.common.contracts import ContractsNotFound
    from aurum.common.errors import InvalidSetting
    from aurum.core.errors import AurumError

    register_commands()
    try:
        app()
    except (InvalidSetting, ContractsNotFound) as error:
        _fail(str(error), USAGE)
    except AurumError as error:
        _fail(error.operator_detail, exit_code(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output closed the pipe (`aurum series list | head`).
        sys.stderr.close()
        sys.exit(0)


def _fail(line: str, code: int) -> None:
    print(f"aurum: {line}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
