"""Options that the commands of ``aurum curves`` have in common."""

from __future__ import annotations

import typer

from aurum.cli.curves import app


def test_every_command_reads_the_curves_of_the_same_tenant_by_default() -> None:
    group = typer.main.get_group(app)
    options = {
        name: option.default
        for name, command in group.commands.items()
        for option in command.params
        if option.name == "tenant" and not option.required
    }
    assert {"list", "show", "diff", "build", "shape", "continuous", "explain"} <= options.keys()
    assert set(options.values()) == {"local"}
