"""``aurum curves``: forward curves, their quotes and how they moved."""

from __future__ import annotations

import typer

app = typer.Typer(help="Forward curves: products, quotes, strips and builds.", no_args_is_help=True)
