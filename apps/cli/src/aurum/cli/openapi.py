"""``aurum openapi``: the contract of the HTTP service."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("openapi")(openapi)


def openapi(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write it.", show_default="contracts/openapi.json")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when the file is not what is served.")
    ] = False,
) -> None:
    """Write openapi.json, or check that it is what the API serves."""
    from aurum.common.contracts import contracts_directory

    path = out or contracts_directory(context.obj.contracts_dir) / "openapi.json"
    # Apps do not import each other: the API says its contract itself, as a process.
    run = subprocess.run([sys.executable, "-m", "aurum.api", "openapi"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.stderr.write(run.stderr)
        raise typer.Exit(1)
    if not check:
        path.write_text(run.stdout)
        print(f"wrote {path}")
    elif not path.exists() or path.read_text() != run.stdout:
        print(f"{path} is not what the API serves: run `make openapi`", file=sys.stderr)
        raise typer.Exit(1)
    else:
        print(f"{path.name} is what the API serves")
