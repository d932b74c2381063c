"""``aurum openapi``: writes or checks the OpenAPI document of the HTTP service."""

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
    out: Annotated[Path | None, typer.Option("--out", help="The file to write.", show_default="contracts/openapi.json")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if the file differs from what the API serves.")
    ] = False,
) -> None:
    """Write openapi.json, or check that it equals what the API serves."""
    from aurum.common.contracts import contracts_directory

    path = out or contracts_directory(context.obj.contracts_dir) / "openapi.json"
    # Apps do not import each other, so the API prints its document as a process of its own.
    run = subprocess.run([sys.executable, "-m", "aurum.api", "openapi"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.stderr.write(run.stderr)
        raise typer.Exit(1)
    if not check:
        path.write_text(run.stdout)
        print(f"wrote {path}")
    elif not path.exists() or path.read_text() != run.stdout:
        print(f"{path} differs from what the API serves: run `make openapi`", file=sys.stderr)
        raise typer.Exit(1)
    else:
        print(f"{path.name} equals what the API serves")
